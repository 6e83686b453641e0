package main

import (
	"testing"

	"holdfast/ocf"
)

// What is ordered after the promotion of the first node, like the address, must not wait for
// those of the others: they may stand for promotion only when it is over, from the first
// monitor on.
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
	if scores() != 3 {
		t.Errorf("the others are not invited:\n%s", s)
	}
	before := s.looks
	s.act(first, "monitor")
	if s.looks != before {
		t.Error("the cluster is looked at once more, though all have been invited")
	}
	s.pacemaker()
	s.wantCluster()
}
