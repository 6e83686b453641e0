package main

import (
	"context"
	"errors"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

func (a *agent) monitor(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := a.settings(req)
	if errors.Is(err, errNoNamespace) {
		return ocf.NotRunning, nil // with the namespace everything in it is gone
	}
	if err != nil {
		return notServed(req, err)
	}
	if !req.Probe() && len(req.Problems) > 0 {
		return 0, req.Problems[0]
	}
	look := a.kernel.Network
	if s.wanted.Complete() {
		look = a.kernel.Addresses
	}
	network, err := look(ctx, s.wanted.IP)
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
		a.announceAgain(ctx, req, place, s.announce)
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
