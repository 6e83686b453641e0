package main

import (
	"testing"

	"holdfast/crmbridge/incident"
)

// Only a node that was in the cluster to the end knows where the address was in the end.
func TestTakesPart(t *testing.T) {
	member := incident.NodeState{Member: true, Online: true, Join: "member", Expected: "member"}
	but := func(change func(*incident.NodeState)) incident.Event {
		s := member
		change(&s)
		return incident.Event{Kind: incident.NodeChanged, Node: "db1", State: s}
	}
	for name, c := range map[string]struct {
		newest incident.Event
		want   bool
	}{
		"a member":              {but(func(*incident.NodeState) {}), true},
		"asked to leave":        {incident.Event{Kind: incident.ShutdownRequested, Node: "db1"}, false},
		"to be gone":            {but(func(s *incident.NodeState) { s.Expected = "down" }), false},
		"joining":               {but(func(s *incident.NodeState) { s.Join = "down" }), false},
		"without a controller":  {but(func(s *incident.NodeState) { s.Online = false }), false},
		"not in the membership": {but(func(s *incident.NodeState) { s.Member = false }), false},
	} {
		if got := takesPart(c.newest); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
