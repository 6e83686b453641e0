package main

import (
	"context"
	"errors"
	"time"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

type agent struct {
	kernel   kernel
	announce announcer
	notes    notes
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

// settings reads the parameters and enters the address's network namespace. As with
// settingsOf, there are settings beside an error if ip could be understood.
func (a *agent) settings(req *ocf.Request) (settings, error) {
	s, problem := settingsOf(req.Params, req.Meta)
	if s.namespace == "" {
		return s, problem
	}
	err := a.kernel.Enter(s.namespace)
	if errors.Is(err, errNoNamespace) {
		// 5 and not 6: it is this node that lacks it.
		err = ocf.Errorf(ocf.ErrInstalled, "%w; make it with ip netns add %s", err, s.namespace)
	}
	if err != nil {
		return s, err
	}
	return s, problem
}

func (a *agent) validate(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := a.settings(req)
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
