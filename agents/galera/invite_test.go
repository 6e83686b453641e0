package main

import (
	"testing"

	"holdfast/ocf"
)

// What is ordered after the promotion of the first node, like the address, must not wait for
// those of the others: they may stand for promotion only when it is over, from the first
// monitor on, and one after the other.
func TestTheFirstNodeServesBeforeTheOthersJoin(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"db1", "db2", "db3"} {
		if code, reason := s.act(name, "start"); code != ocf.Success {
			t.Fatalf("start on %s: %s %s", name, code, reason)
		}
		s.node(name).role = "Unpromoted"
	}
	first := ""
	for _, n := range s.nodes {
		if s.attrs[n.name]["master-galera"] != "" {
			first = n.name
		}
	}
	if first == "" {
		t.Fatalf("nobody was elected:\n%s", s)
	}
	if code, reason := s.act(first, "promote"); code != ocf.Success {
		t.Fatalf("promote on %s: %s %s", first, code, reason)
	}
	s.node(first).role = "Promoted"
	scores := func() (n int) {
		for _, attributes := range s.attrs {
			if attributes["master-galera"] != "" {
				n++
			}
		}
		return n
	}
	if scores() != 1 {
		t.Errorf("others may be promoted in the same transition:\n%s", s)
	}
	s.act(first, "monitor")
	if scores() != 2 {
		t.Errorf("not exactly one other node is invited:\n%s", s)
	}
	s.act(first, "monitor")
	if scores() != 2 {
		t.Errorf("another node is invited while one joins:\n%s", s)
	}
	for _, n := range s.nodes {
		if n.name != first && s.attrs[n.name]["master-galera"] != "" {
			if code, reason := s.act(n.name, "promote"); code != ocf.Success {
				t.Fatalf("promote on %s: %s %s", n.name, code, reason)
			}
			n.role = "Promoted"
		}
	}
	s.act(first, "monitor")
	if scores() != 3 {
		t.Errorf("the last one is not invited:\n%s", s)
	}
	s.pacemaker()
	s.wantCluster()
	s.act(first, "monitor") // there is nobody left
	before := s.looks
	s.act(first, "monitor")
	if s.looks != before {
		t.Error("the cluster is looked at once more, though all have joined")
	}
}
