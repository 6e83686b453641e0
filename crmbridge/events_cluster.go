package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/pacemaker"
)

// fencingView is what the translator remembers of fencing: which operations run, by
// what identifies them before they have an id.
type fencingView struct {
	running map[pacemaker.Fencing]bool
	began   bool      // the history was seen
	newest  time.Time // the newest completion in it
}

func newFencingView() fencingView { return fencingView{running: map[pacemaker.Fencing]bool{}} }

// request is a fencing operation without what becomes of it.
func request(f pacemaker.Fencing) pacemaker.Fencing {
	return pacemaker.Fencing{Target: f.Target, Action: f.Action, Origin: f.Origin, Client: f.Client}
}

// fencingSeen tells of operations that began, by the history, and that ended, by the
// event. One that ended while nobody listened is in the history only.
func (t *translator) fencingSeen(o observation, s fencingSeen) []incident.Event {
	again := t.resynced(sourceFencer, t.fencing.began)
	var events []incident.Event
	if f := s.ended; f != nil {
		delete(t.fencing.running, request(*f))
		events = append(events, t.event(o, fencing(incident.FencingEnded, *f, s.status != 0, s.reason)))
	}
	running, newest := map[pacemaker.Fencing]bool{}, t.fencing.newest
	for _, f := range s.history {
		switch f.State {
		case pacemaker.FencingQuery, pacemaker.FencingExecuting, pacemaker.FencingDuplicate:
			running[request(f)] = true
			if !t.fencing.running[request(f)] {
				e := fencing(incident.FencingRequested, f, false, "")
				if e.Initial = !t.fencing.began; again {
					e.Basis = incident.Estimated
				}
				events = append(events, t.event(o, e))
			}
		case pacemaker.FencingDone, pacemaker.FencingFailed:
			if again && f.Completed.After(newest) {
				e := fencing(incident.FencingEnded, f, f.State == pacemaker.FencingFailed, "")
				e.At, e.Basis = incident.Moment{Wall: f.Completed.UTC()}, incident.Logged
				events = append(events, t.event(o, e))
			}
			if f.Completed.After(t.fencing.newest) {
				t.fencing.newest = f.Completed
			}
		}
	}
	t.fencing.running, t.fencing.began = running, true
	return events
}

func fencing(kind incident.Kind, f pacemaker.Fencing, failed bool, reason string) incident.Event {
	e := incident.Event{Kind: kind, Node: f.Target, Fencing: incident.Fencing{
		Operation: f.Operation, Action: f.Action, Origin: f.Origin, Delegate: f.Delegate, Client: f.Client, Failed: failed,
	}}
	if failed {
		e.Fencing.Reason = strings.TrimSpace(reason)
	}
	return e
}

// corosyncView is what the translator remembers of Corosync.
type corosyncView struct {
	names   map[uint32]string
	members []uint32 // nil before the first membership
	quorate *bool
	hold    time.Duration // corosync.Settings.Hold
}

func (v *corosyncView) learn(s corosync.Settings) {
	v.hold = s.Hold
	v.names = map[uint32]string{}
	for _, n := range s.Nodes {
		v.names[n.ID] = n.Name
	}
}

func (v *corosyncView) name(id uint32) string {
	if name := v.names[id]; name != "" {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

// membership tells what is different from before, also when following began again:
// Corosync's own lists only know of the last change.
func (t *translator) membership(o observation, c corosync.Event) []incident.Event {
	v := &t.corosync
	first := v.members == nil
	again := t.resync[sourceQuorum] && !first
	// Corosync writes the ring so in its log: CS_PRI_RING_ID in include/corosync/corotypes.h.
	ring := fmt.Sprintf("%d.%x", c.Ring.Node, c.Ring.Sequence)
	var events []incident.Event
	add := func(kind incident.Kind, node string, initial bool) {
		e := incident.Event{Kind: kind, Node: node, Ring: ring, Initial: initial}
		if again {
			e.Basis = incident.Estimated
		}
		events = append(events, t.event(o, e))
	}
	switch c.Kind {
	case corosync.Membership:
		for _, id := range c.Members {
			if !slices.Contains(v.members, id) {
				add(incident.NodeJoined, v.name(id), first)
			}
		}
		for _, id := range v.members {
			if !slices.Contains(c.Members, id) {
				add(incident.NodeLeft, v.name(id), false)
			}
		}
		v.members = append([]uint32{}, c.Members...)
	case corosync.QuorumChanged:
		t.resynced(sourceQuorum, true) // the second and last of what begins
		if v.quorate != nil && *v.quorate == c.Quorate {
			break
		}
		kind := incident.QuorumLost
		if c.Quorate {
			kind = incident.QuorumGained
		}
		add(kind, t.node, v.quorate == nil)
		v.quorate = &c.Quorate
	}
	return events
}
