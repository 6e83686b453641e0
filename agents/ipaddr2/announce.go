package main

import (
	"context"
	"net"
	"time"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

// firstAnnouncement sends the first announcement and leaves the rest to the monitors.
// The address is in service whatever comes of it: most clients ask anew.
func (a *agent) firstAnnouncement(ctx context.Context, req *ocf.Request, place plan.Place, s settings) {
	if err := a.announce.Announce(place.Link.Name, place.Prefix.Addr(), a.peers(ctx, req, place, s.announce)); err != nil {
		req.Log.Warn("the address was not announced", "error", err)
	}
	p := pending{now: s.announce.count - 1}
	if s.announce.late > 0 {
		p.late, p.at = s.announce.count, time.Now().Add(s.announce.late)
	}
	if p.none() {
		return
	}
	if err := a.notes.SetPending(req.Resource(), p); err != nil {
		req.Log.Warn("the address will be announced only once", "error", err)
	}
}

// announcePending sends what start has left over and is due, and the refreshes.
func (a *agent) announcePending(ctx context.Context, req *ocf.Request, place plan.Place, s announcements) {
	p, err := a.notes.TakePending(req.Resource())
	if err != nil {
		req.Log.Warn("announcements are left out", "error", err)
	}
	send, left := p.due(time.Now())
	if !left.none() {
		if err := a.notes.SetPending(req.Resource(), left); err != nil {
			req.Log.Warn("later announcements are left out", "error", err)
		}
	}
	if send = max(send, s.refresh); send == 0 {
		return
	}
	peers := a.peers(ctx, req, place, s)
	for range send {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.interval):
		}
		if err := a.announce.Announce(place.Link.Name, place.Prefix.Addr(), peers); err != nil {
			req.Log.Warn("the address was not announced", "error", err)
			return
		}
	}
}

// peers are the machines that are told directly, as far as this node knows them.
func (a *agent) peers(ctx context.Context, req *ocf.Request, place plan.Place, s announcements) []net.HardwareAddr {
	if place.Prefix.Addr().Is6() {
		return nil // an unsolicited advertisement to all nodes is heard by routers too
	}
	known, err := a.kernel.Neighbours(ctx, place.Link.Name, s.peers)
	if err != nil {
		req.Log.Warn("machines are not told directly", "error", err)
	}
	return known
}
