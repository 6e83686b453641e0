package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

const (
	probes    = 2
	probeWait = time.Second
)

func (a *agent) start(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := a.settings(req)
	if err != nil {
		return 0, err
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
	if s.realServer {
		if err := a.clearLoopbacks(req.Resource(), s.wanted.IP, network); err != nil {
			return 0, err
		}
	}
	if s.addressLabel {
		// An address without its label serves as well; it only gets chosen as a source.
		if err := a.kernel.Label(s.wanted.IP, s.labelValue); err != nil {
			req.Log.Warn("the address has no label", "error", err)
		}
	}
	if err := a.carryOut(steps, s.options); err != nil {
		return 0, err
	}
	if err := a.verify(ctx, place, s); err != nil {
		return 0, err
	}
	a.announceStart(ctx, req, place, s.announce)
	req.Log.Info("address added", "address", place.Prefix, "interface", place.Link.Name)
	return ocf.Success, nil
}

// clearLoopbacks takes the real server's copies of the address away and notes them
// first: what is noted comes back with stop, also after a crash in between.
func (a *agent) clearLoopbacks(resource string, ip netip.Addr, network plan.Network) error {
	copies := plan.LoopbackHosts(ip, network)
	if len(copies) == 0 {
		return nil
	}
	if err := a.notes.SetLoopbacks(resource, copies); err != nil {
		return err
	}
	for _, c := range copies {
		if err := a.kernel.Remove(c); err != nil {
			return err
		}
	}
	return nil
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
func (a *agent) verify(ctx context.Context, place plan.Place, s settings) (err error) {
	ip := place.Prefix.Addr()
	if ip.Is4() || s.options.noDAD {
		_, err := a.look(ctx, place)
		return err
	}
	changes, err := a.kernel.Watch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, changes.Close()) }()
	for {
		tentative, err := a.look(ctx, place)
		if err != nil || !tentative {
			return err
		}
		if err := changes.Wait(ctx); err != nil {
			return fmt.Errorf("wait for duplicate address detection of %s: %w", ip, err)
		}
	}
}

// look says whether the kernel still checks that nobody else has the address, and fails
// if it is not where it was added.
func (a *agent) look(ctx context.Context, place plan.Place) (tentative bool, err error) {
	ip := place.Prefix.Addr()
	network, err := a.kernel.Addresses(ctx, ip)
	if err != nil {
		return false, err
	}
	for _, at := range network.Having(ip) {
		if at.Link != place.Link.Name {
			continue
		}
		if at.DADFailed {
			err := a.kernel.Remove(at)
			return false, errors.Join(ocf.Errorf(ocf.ErrGeneric, "another machine has %s (IPv6 duplicate address detection); not taking it", ip), err)
		}
		tentative = at.Tentative
	}
	if !plan.Served(place, network) {
		return false, ocf.Errorf(ocf.ErrGeneric, "%s was added to %s and is not there; somebody removes it", place.Prefix, place.Link.Name)
	}
	return tentative, nil
}
