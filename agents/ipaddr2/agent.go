package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

const (
	// tentativePoll is how often an IPv6 address is looked at while the kernel checks
	// for duplicates, which takes about a second (RFC 4862, RetransTimer).
	tentativePoll = 20 * time.Millisecond
	probes        = 2
	probeWait     = time.Second
)

type agent struct {
	kernel   kernel
	announce announcer
	burst    burst
}

func describe(a *agent) *ocf.Agent {
	return &ocf.Agent{
		Name:    "IPaddr2",
		Version: version,
		Short:   "Manages a floating IPv4 or IPv6 address",
		Long: `Adds an IPv4 or IPv6 address to an interface of the node, announces it to the network, checks it and removes it. It takes
the parameters of ocf:heartbeat:IPaddr2 and finds interface and prefix by the same rules.`,
		Parameters: parameters(),
		Actions: []ocf.Action{
			{Name: "start", Timeout: 20 * time.Second, Run: a.start},
			{Name: "stop", Timeout: 20 * time.Second, Run: a.stop, Tolerant: true},
			{Name: "status", Timeout: 20 * time.Second, Interval: 10 * time.Second, Run: a.monitor, Tolerant: true},
			{Name: "monitor", Timeout: 20 * time.Second, Interval: 10 * time.Second, Run: a.monitor, Tolerant: true},
			{Name: "validate-all", Timeout: 20 * time.Second, Run: a.validate},
		},
	}
}

// place reads the network and finds where the address belongs. Its error has the
// exit status for start: what another node may well have is this node's fault only.
func (a *agent) place(ctx context.Context, s settings) (plan.Place, plan.Network, error) {
	network, err := a.kernel.Network(ctx, s.wanted.IP)
	if err != nil {
		return plan.Place{}, network, err
	}
	place, err := plan.Find(s.wanted, network)
	switch {
	case errors.Is(err, plan.ErrNoLink):
		// ocf:heartbeat:IPaddr2 of Debian 12 exits with 6 here, which bans the address
		// from every node because one lacks the interface.
		return place, network, ocf.Errorf(ocf.ErrInstalled, "%w", err)
	case errors.Is(err, plan.ErrNoRoute):
		return place, network, ocf.Errorf(ocf.ErrGeneric, "%w", err)
	case err != nil:
		return place, network, ocf.Errorf(ocf.ErrConfigured, "%w", err)
	}
	return place, network, nil
}

func (a *agent) validate(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := settingsOf(req.Params)
	if err != nil {
		return 0, err
	}
	place, _, err := a.place(ctx, s)
	if err != nil {
		return 0, err
	}
	if _, err := s.fullLabel(place.Link.Name); err != nil {
		return 0, err
	}
	return ocf.Success, nil
}

func (a *agent) start(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := settingsOf(req.Params)
	if err != nil {
		return 0, err
	}
	if req.Meta.CloneMax() > 1 {
		return 0, ocf.Errorf(ocf.ErrConfigured, "a cloned address needs CLUSTERIP, which the kernel no longer has; remove the clone")
	}
	place, network, err := a.place(ctx, s)
	if err != nil {
		return 0, err
	}
	label, err := s.fullLabel(place.Link.Name)
	if err != nil {
		return 0, err
	}
	steps := plan.Start(place, label, network)
	if len(steps) == 0 {
		return ocf.Success, nil
	}
	if s.probe {
		if err := a.unclaimed(ctx, place); err != nil {
			return 0, err
		}
	}
	if err := a.carryOut(steps, s.options); err != nil {
		return 0, err
	}
	if err := a.verify(ctx, place, s); err != nil {
		return 0, err
	}
	a.firstAnnouncement(req, place, s)
	req.Log.Info("address added", "address", place.Prefix, "interface", place.Link.Name)
	return ocf.Success, nil
}

// unclaimed fails if another machine says that it has the IPv4 address. For IPv6 the
// kernel does the same by itself.
func (a *agent) unclaimed(ctx context.Context, place plan.Place) error {
	ip := place.Prefix.Addr()
	if ip.Is6() || place.Link.Loopback {
		return nil
	}
	for range probes {
		holder, err := a.announce.Holder(ctx, place.Link.Name, ip, probeWait)
		if err != nil {
			return fmt.Errorf("ask for another holder of %s: %w", ip, err)
		}
		if holder != "" {
			return ocf.Errorf(ocf.ErrGeneric, "%s is in use by the machine with the hardware address %s; not taking it", ip, holder)
		}
	}
	return nil
}

func (a *agent) carryOut(steps []plan.Step, o addressOptions) error {
	for _, step := range steps {
		var err error
		switch step.Kind {
		case plan.Remove:
			err = a.kernel.Remove(step.Address)
		case plan.Add:
			err = a.kernel.Add(step.Address, o)
		case plan.SetUp:
			err = a.kernel.SetUp(step.Link)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// verify makes sure that the address is really there and usable. An IPv6 address is
// not until the kernel knows that nobody else has it.
func (a *agent) verify(ctx context.Context, place plan.Place, s settings) error {
	ip := place.Prefix.Addr()
	for {
		network, err := a.kernel.Network(ctx, ip)
		if err != nil {
			return err
		}
		tentative := false
		for _, at := range network.Having(ip) {
			if at.Link != place.Link.Name {
				continue
			}
			if at.DADFailed {
				err := a.kernel.Remove(at)
				return errors.Join(ocf.Errorf(ocf.ErrGeneric, "another machine has %s (IPv6 duplicate address detection); not taking it", ip), err)
			}
			tentative = at.Tentative
		}
		if !plan.Served(place, network) {
			return ocf.Errorf(ocf.ErrGeneric, "%s was added to %s and is not there; somebody removes it", place.Prefix, place.Link.Name)
		}
		if !tentative || s.options.noDAD {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for duplicate address detection of %s: %w", ip, ctx.Err())
		case <-time.After(tentativePoll):
		}
	}
}

// firstAnnouncement sends the first announcement and leaves the rest to the next
// monitor. The address is in service whatever comes of it: most clients ask anew.
func (a *agent) firstAnnouncement(req *ocf.Request, place plan.Place, s settings) {
	if err := a.announce.Announce(place.Link.Name, place.Prefix.Addr()); err != nil {
		req.Log.Warn("the address was not announced", "error", err)
	}
	if err := a.burst.Set(req.Resource(), s.count-1); err != nil {
		req.Log.Warn("the address will be announced only once", "error", err)
	}
}

func (a *agent) monitor(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := settingsOf(req.Params)
	if err != nil {
		return notServed(req, err)
	}
	if !req.Probe() && len(req.Problems) > 0 {
		return 0, req.Problems[0]
	}
	network, err := a.kernel.Network(ctx, s.wanted.IP)
	if err != nil {
		return 0, err
	}
	place, err := plan.Find(s.wanted, network)
	if err != nil {
		return a.unplaced(req, s, network, err)
	}
	if !plan.Served(place, network) {
		return ocf.NotRunning, nil
	}
	if s.carrier && (!place.Link.Up || !place.Link.Carrier) {
		return 0, ocf.Errorf(ocf.NotRunning, "%s is up on %s, but that interface is down", place.Prefix, place.Link.Name)
	}
	if !req.Probe() && req.Action == "monitor" {
		a.restOfBurst(ctx, req, place, s)
	}
	return ocf.Success, nil
}

// unplaced answers a monitor when nothing says where the address belongs: without the
// address that is simply not running, with it the node's network has changed under it.
func (a *agent) unplaced(req *ocf.Request, s settings, network plan.Network, err error) (ocf.Code, error) {
	if len(network.Having(s.wanted.IP)) == 0 {
		return ocf.NotRunning, nil
	}
	if req.Probe() {
		// It must be stopped before it may run elsewhere.
		return ocf.Success, nil
	}
	return 0, ocf.Errorf(ocf.ErrGeneric, "%s is up, but not where it belongs: %w", s.wanted.IP, err)
}

// notServed answers a monitor that has no address to look for.
func notServed(req *ocf.Request, err error) (ocf.Code, error) {
	if req.Probe() {
		return ocf.NotRunning, nil
	}
	return 0, err
}

// restOfBurst sends what start left over, and the operator's refreshes.
func (a *agent) restOfBurst(ctx context.Context, req *ocf.Request, place plan.Place, s settings) {
	left, err := a.burst.Take(req.Resource())
	if err != nil {
		req.Log.Warn("announcements are left out", "error", err)
	}
	for range max(left, s.refresh) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.interval):
		}
		if err := a.announce.Announce(place.Link.Name, place.Prefix.Addr()); err != nil {
			req.Log.Warn("the address was not announced", "error", err)
			return
		}
	}
}

// stop removes the address from wherever it is and says 0 only when it has looked
// again and not found it. Whatever the parameters are, it does not fail for them.
func (a *agent) stop(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := settingsOf(req.Params)
	if err != nil && !s.wanted.IP.IsValid() {
		req.Log.Warn("nothing to stop", "reason", err)
		return ocf.Success, nil
	}
	if _, err := a.burst.Take(req.Resource()); err != nil {
		req.Log.Warn("announcements may still be pending", "error", err)
	}
	network, err := a.kernel.Network(ctx, s.wanted.IP)
	if err != nil {
		return 0, err
	}
	steps := plan.Stop(s.wanted.IP, s.wanted.Link, network)
	if len(steps) == 0 {
		return ocf.Success, nil
	}
	if err := a.carryOut(steps, s.options); err != nil {
		return 0, err
	}
	if network, err = a.kernel.Network(ctx, s.wanted.IP); err != nil {
		return 0, err
	}
	if left := plan.Stop(s.wanted.IP, s.wanted.Link, network); len(left) > 0 {
		return 0, ocf.Errorf(ocf.ErrGeneric, "%s was removed from %s and is there again", s.wanted.IP, left[0].Address.Link)
	}
	req.Log.Info("address removed", "address", s.wanted.IP)
	return ocf.Success, nil
}
