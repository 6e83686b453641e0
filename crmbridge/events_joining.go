package main

import (
	"slices"

	"holdfast/cib"
	"holdfast/crmbridge/incident"
)

// deciders are the DC before and after changes of the CIB, if they change that.
func deciders(changes []cib.Change) (before, after string) {
	for _, c := range changes {
		b, ok1 := c.Before.(cib.Cluster)
		a, ok2 := c.After.(cib.Cluster)
		if ok1 && ok2 {
			return b.DC, a.DC
		}
	}
	return "", ""
}

// parted says whether the CIB that was read after a blind time is that of a node which left
// the cluster: it has no DC any more.
func parted(changes []cib.Change) bool {
	before, after := deciders(changes)
	return before != "" && after == ""
}

// another says whether a CIB is that of another cluster than the one that it was read of before, as when Debian's
// own of a single node makes room for the real one: none of the nodes is left. That there are no nodes at all only says
// so if it counts anew. One that its node has lost some changes of, because it was killed, still has its nodes.
func another(was cib.Version, told []cib.Fact, now *cib.Document) bool {
	before, after := nodesIn(told), nodesIn(now.Facts())
	shared := slices.ContainsFunc(after, func(name string) bool { return slices.Contains(before, name) })
	anew := now.Version().Configuration().Compare(was.Configuration()) < 0
	return len(before) > 0 && !shared && (anew || len(after) > 0)
}

func nodesIn(facts []cib.Fact) []string {
	var names []string
	for _, f := range facts {
		if n, ok := f.(cib.Node); ok {
			names = append(names, n.Name)
		}
	}
	return names
}

// joined says whether a patchset is the one with which a node becomes a part of the
// cluster: until then the CIB was its own, without a DC, and now it is that of all.
func joined(changes []cib.Change) bool {
	before, after := deciders(changes)
	return before == "" && after != ""
}

// joining says whether a node whose CIB was read for the first time has the one of all, but no part
// in the cluster yet: what it is told until then was before its time, as when it had none of its own.
func joining(facts []cib.Fact, node string) bool {
	var cluster, outside bool
	for _, f := range facts {
		switch f := f.(type) {
		case cib.Cluster:
			cluster = f.DC != ""
		case cib.NodeState:
			outside = outside || f.Name == node && f.Join != joinMember
		}
	}
	return cluster && outside
}

// joinMember is what the join of a node says that takes part (Pacemaker Explained, "join" of node_state).
const joinMember = "member"

// notOwn says whether an event is not what this node says of itself: of one that is not a part of the
// cluster, only that is new.
func (t *translator) notOwn(e incident.Event) bool {
	return e.Kind != incident.NodeChanged || e.Node != t.node
}

// found makes of events what was so before: a node that joins is told the history of all
// others at once. Failures of the past are none of now.
func found(events []incident.Event, old func(incident.Event) bool) []incident.Event {
	events = slices.DeleteFunc(events, func(e incident.Event) bool { return old(e) && e.Kind == incident.OperationEnded && e.Op.Failed })
	for i, e := range events {
		events[i].Initial = e.Initial || old(e)
	}
	return events
}
