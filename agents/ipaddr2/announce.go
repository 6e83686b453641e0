package main

import (
	"context"
	"net"
	"net/netip"
	"time"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

// The kinds of announcements, and the names of their notes.
const (
	afterStart = "announce"
	refresh    = "refresh"
)

// announceStart lets the address be announced in the background. It is in service whatever
// comes of that: most clients ask anew.
func (a *agent) announceStart(ctx context.Context, req *ocf.Request, place plan.Place, s announcements) {
	if s.late > 0 {
		if err := a.notes.SetLate(req.Resource(), time.Now().Add(s.late)); err != nil {
			req.Log.Warn("there will be no second burst of announcements", "error", err)
		}
	}
	a.tell(ctx, req, place, s, announcement{kind: afterStart, count: s.count})
}

// announceAgain is what a monitor does: the second burst after a start when its time has
// come, and what the operator wants of each.
func (a *agent) announceAgain(ctx context.Context, req *ocf.Request, place plan.Place, s announcements) {
	due, err := a.notes.TakeLate(req.Resource(), time.Now())
	if err != nil {
		req.Log.Warn("the second burst of announcements is left out", "error", err)
	}
	if due {
		a.tell(ctx, req, place, s, announcement{kind: afterStart, count: s.count})
	}
	if s.refresh > 0 {
		a.tell(ctx, req, place, s, announcement{kind: refresh, count: s.refresh})
	}
}

func (a *agent) tell(ctx context.Context, req *ocf.Request, place plan.Place, s announcements, what announcement) {
	if place.Link.Loopback || place.Link.NoARP || len(place.Link.HardwareAddr) != 6 {
		return // nobody there keeps a neighbour table
	}
	what.resource, what.link, what.ip = req.Resource(), place.Link, place.Prefix.Addr()
	what.interval, what.peers = s.interval, a.peers(ctx, req, place, s)
	if err := a.announce.Announce(what); err != nil {
		req.Log.Warn("the address was not announced", "error", err)
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

// announcement is one order to announce an address.
type announcement struct {
	resource string
	kind     string
	link     plan.Link
	ip       netip.Addr
	peers    []net.HardwareAddr // told directly, too
	count    int
	interval time.Duration
}
