package main

import (
	"context"
	"errors"
	"math"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

// stop removes the address from wherever it is and says 0 only when it has looked
// again and not found it. Whatever the parameters are, it does not fail for them.
func (a *agent) stop(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
	s, err := a.settings(req)
	if errors.Is(err, errNoNamespace) || err != nil && !s.wanted.IP.IsValid() {
		req.Log.Warn("nothing to stop", "reason", err)
		return ocf.Success, nil
	}
	if err != nil && ocf.CodeOf(err) != ocf.ErrConfigured {
		return 0, err // the namespace cannot be looked into
	}
	// First of all: an address that is up elsewhere must not be announced from here.
	if err := a.notes.Silence(req.Resource()); err != nil {
		req.Log.Warn("the address may be announced until it is gone", "error", err)
	}
	network, err := a.kernel.Addresses(ctx, s.wanted.IP)
	if err != nil {
		return 0, err
	}
	steps := plan.Stop(s.wanted.IP, s.wanted.Link, network)
	if len(steps) == 0 {
		return ocf.Success, a.restoreLoopbacks(req.Resource())
	}
	// The reset reaches the other side only while the address is still here.
	a.endConnections(req, s)
	if err := a.carryOut(steps, s.options); err != nil {
		return 0, err
	}
	a.endConnections(req, s) // those that came in between
	if s.addressLabel {
		if err := a.kernel.Unlabel(s.wanted.IP, s.labelValue); err != nil {
			req.Log.Warn("the address label stays", "error", err)
		}
	}
	if network, err = a.kernel.Addresses(ctx, s.wanted.IP); err != nil {
		return 0, err
	}
	if left := plan.Stop(s.wanted.IP, s.wanted.Link, network); len(left) > 0 {
		return 0, ocf.Errorf(ocf.ErrGeneric, "%s was removed from %s and is there again", s.wanted.IP, left[0].Address.Link)
	}
	req.Log.Info("address removed", "address", s.wanted.IP)
	return ocf.Success, a.restoreLoopbacks(req.Resource())
}

// endConnections never fails a stop: the address is gone without it too.
func (a *agent) endConnections(req *ocf.Request, s settings) {
	if !s.endConnections {
		return
	}
	ended, err := a.kernel.EndConnections(s.wanted.IP)
	if err != nil {
		req.Log.Warn("not all connections were ended", "error", err)
	}
	if ended > 0 {
		req.Log.Info("connections ended", "address", s.wanted.IP, "count", ended)
	}
}

// restoreLoopbacks brings back what start has taken from the real server. Whether
// there is anything is a matter of the note, not of today's parameters.
func (a *agent) restoreLoopbacks(resource string) error {
	copies, err := a.notes.Loopbacks(resource)
	if err != nil {
		return err
	}
	for _, c := range copies {
		if err := a.kernel.Add(c, addressOptions{preferred: math.MaxUint32}); err != nil {
			return err
		}
	}
	return a.notes.ForgetLoopbacks(resource)
}
