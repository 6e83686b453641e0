package main

import (
	"fmt"
	"testing"
	"time"

	"holdfast/ocf"
)

// pacemaker does what Pacemaker would until all online nodes are promoted or
// nothing changes any more.
func (s *site) pacemaker() {
	s.t.Helper()
	for range 30 {
		changed := false
		for _, n := range s.nodes {
			if n.online && s.step(n) {
				changed = true
			}
		}
		if !changed {
			return
		}
	}
	s.t.Fatalf("no rest after 30 rounds:\n%s", s)
}

// step is one decision of Pacemaker for one node; false if there is nothing to do.
func (s *site) step(n *machine) bool {
	if n.role == "Stopped" {
		if code, _ := s.act(n.name, "start"); code != ocf.Success {
			s.act(n.name, "stop")
			return false // a start that fails is not tried again
		}
		n.role = "Unpromoted"
		return true
	}
	before := n.role
	code, _ := s.act(n.name, "monitor", "OCF_RESKEY_CRM_meta_role="+n.role)
	score := s.attrs[n.name]["master-galera"] == "100"
	switch {
	case code == ocf.Success && n.role == "Unpromoted" && n.notes[noteJoining] != "" && !score: // look again later
		s.now = s.now.Add(30 * time.Second)
		return true
	case code == ocf.RunningPromoted && n.role == "Promoted":
		return false
	case n.role == "Promoted":
		n.failed = true // a promoted instance that is not: recovered in full
		if demoted, _ := s.act(n.name, "demote"); demoted == ocf.Success && code == ocf.Success && !score {
			n.role, n.failed = "Unpromoted", false
			return true
		}
		s.restart(n)
	case code != ocf.Success:
		s.restart(n)
	case score:
		code, _ := s.act(n.name, "promote")
		if code != ocf.Success {
			s.act(n.name, "demote")
			s.restart(n)
			return true
		}
		n.role = "Promoted"
	}
	return n.role != before
}

func (s *site) restart(n *machine) {
	if code, reason := s.act(n.name, "stop"); code != ocf.Success {
		s.t.Fatalf("stop on %s failed: %s", n.name, reason)
	}
	n.role, n.failed = "Stopped", false
}

func (s *site) String() string {
	text := ""
	for _, n := range s.nodes {
		text += fmt.Sprintf("%s online=%v %s running=%v %s attrs=%v\n", n.name, n.online, n.role, n.running, n.innodb, s.attrs[n.name])
	}
	return text
}

// wantCluster expects all online nodes promoted, in one cluster of one history.
func (s *site) wantCluster() {
	s.t.Helper()
	for _, n := range s.nodes {
		if n.online && (n.role != "Promoted" || !n.running || !n.primary) {
			s.t.Fatalf("%s is not promoted:\n%s", n.name, s)
		}
		if n.online && n.innodb != s.component()[0].innodb {
			s.t.Fatalf("%s is of another cluster:\n%s", n.name, s)
		}
		for name := range s.attrs[n.name] {
			if n.online && name != "master-galera" {
				s.t.Errorf("%s is promoted and still has the attribute %s", n.name, name)
			}
		}
	}
}

func (s *site) stopAll() {
	s.t.Helper()
	for _, n := range s.nodes {
		for _, action := range []string{"demote", "stop"} {
			if code, reason := s.act(n.name, action); code != ocf.Success {
				s.t.Fatalf("%s on %s: %s %s", action, n.name, code, reason)
			}
		}
		n.role = "Stopped"
		if len(s.attrs[n.name]) > 0 {
			s.t.Errorf("%s left attributes behind: %v", n.name, s.attrs[n.name])
		}
	}
}

func TestFirstBoot(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.wantCluster()
	if s.founded != 1 {
		t.Errorf("bootstrapped %d times", s.founded)
	}
}

func TestOneNodeLostAndBack(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.commit(10)
	s.node("db2").kill()
	s.commit(5)
	s.pacemaker()
	s.wantCluster()
	if s.founded != 1 {
		t.Errorf("bootstrapped %d times; a node that returns has to join", s.founded)
	}
}

func TestWholeStopAndStart(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.commit(10)
	s.stopAll() // db1, db2, db3: db3 leaves last
	if code, reason := s.act("db1", "start"); code != ocf.Success {
		t.Fatalf("start: %s %s", code, reason)
	}
	s.pacemaker()
	s.wantCluster()
	if s.founded != 2 {
		t.Errorf("bootstrapped %d times, want first boot and restart", s.founded)
	}
}

func TestAllKilledWithDifferentPositions(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.commit(10)
	for _, n := range s.nodes {
		n.kill()
	}
	s.node("db2").innodb.Seqno += 3 // committed there, acknowledged to nobody
	s.acked = s.node("db2").innodb.Seqno
	s.pacemaker()
	s.wantCluster()
}

func TestLastToLeaveGoesWithoutTheOthers(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.commit(10)
	s.stopAll()
	s.node("db1").online, s.node("db2").online = false, false
	s.pacemaker()
	s.wantCluster()
	s.node("db1").online, s.node("db2").online = true, true
	s.pacemaker()
	s.wantCluster()
}

func TestWaitsForAnAbsentNodeAfterACrash(t *testing.T) {
	s := newSite(t)
	s.node("db1").crashed(historyA, 10)
	s.node("db2").crashed(historyA, 12)
	s.node("db3").crashed(historyA, 15)
	s.acked = 15
	s.node("db3").online = false
	s.pacemaker()
	if s.founded != 0 {
		t.Fatal("bootstrapped without db3, which has the most")
	}
	s.node("db3").online = true
	s.pacemaker()
	s.wantCluster()
}

// TestMonitorLooksAtWhatIsNew: while an election waits, a monitor reads the whole cluster
// only if something in it has changed, or if that was long ago.
func TestMonitorLooksAtWhatIsNew(t *testing.T) {
	s := newSite(t)
	s.node("db1").crashed(historyA, 10)
	s.node("db2").crashed(historyA, 12)
	s.node("db3").online = false
	s.pacemaker()
	looks := func(what string, want int) {
		t.Helper()
		s.looks = 0
		if code, reason := s.act("db1", "monitor"); code != ocf.Success {
			t.Fatalf("%s: the monitor says %s: %s", what, code, reason)
		}
		if s.looks != want {
			t.Errorf("%s: the monitor looked %d times, not %d", what, s.looks, want)
		}
	}
	s.act("db1", "monitor")
	looks("nothing new", 0)
	s.attrs["db2"]["galera-something"] = "new"
	looks("an attribute", 1)
	looks("nothing new", 0)
	s.now = s.now.Add(sureTime)
	looks("long ago", 1)
	s.node("db3").online = true
	looks("a node is back", 1)
	s.node("db1").notes[noteLooked] = "torn"
	looks("a torn note", 1)
}

func TestOperatorsOverride(t *testing.T) {
	s := newSite(t)
	s.node("db1").crashed(historyA, 10)
	s.node("db2").crashed(historyA, 12)
	s.node("db3").online = false
	s.pacemaker()
	if s.founded != 0 {
		t.Fatal("bootstrapped without db3")
	}
	s.attrs["db1"]["galera-bootstrap"] = "true"
	s.attrs["db1"]["master-galera"] = "100"
	s.pacemaker()
	if n := s.node("db1"); n.role != "Promoted" || s.founded != 1 {
		t.Errorf("the operator's choice was not followed:\n%s", s)
	}
}

func TestMixedHistoriesStayDown(t *testing.T) {
	s := newSite(t)
	s.node("db1").has(historyA, 10, false)
	s.node("db2").has(historyA, 10, true)
	s.node("db3").has("bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb", 900, true)
	s.pacemaker()
	if s.founded != 0 {
		t.Errorf("bootstrapped from mixed data:\n%s", s)
	}
}

// A node that joins a cluster which dies meanwhile must come back to the election:
// Galera itself would wait for the others for ever.
func TestJoiningAClusterThatIsGone(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.commit(10)
	s.node("db3").kill()
	s.act("db3", "demote")
	s.act("db3", "stop")
	fewerPromoted(s.node("db3")) // it joins when it is promoted
	s.act("db3", "start")
	s.node("db3").role = "Unpromoted"
	s.node("db1").kill()
	s.node("db2").kill()
	s.node("db1").failed, s.node("db2").failed = true, true
	if code, _ := s.act("db3", "promote"); code != ocf.Success {
		t.Fatalf("promote: %s", code)
	}
	n := s.node("db3")
	if n.running || s.attrs["db3"]["galera-position"] == "" || s.attrs["db3"]["master-galera"] != "" {
		t.Fatalf("db3 does not report for an election:\n%s", s)
	}
	n.role = "Promoted"
	s.pacemaker()
	s.wantCluster()
}

// Between an election and the promotion a node came that has more.
func TestPromoteDecidesAgain(t *testing.T) {
	s := newSite(t)
	for i, n := range s.nodes {
		n.crashed(historyA, int64(10+i))
		s.act(n.name, "start")
		n.role = "Unpromoted"
	}
	if s.attrs["db3"]["galera-bootstrap"] != historyA+":12" {
		t.Fatalf("db3 was not elected:\n%s", s)
	}
	s.attrs["db1"]["galera-position"] = historyA + ":20"
	code, _ := s.act("db3", "promote")
	if code != ocf.Success || s.node("db3").running || s.attrs["db3"]["master-galera"] != "" {
		t.Errorf("promote: %s; want it to withdraw:\n%s", code, s)
	}
}

// TestKilledAtEveryPoint kills one agent at each of its calls to the outside, in
// each phase of a cluster's life, and lets life go on: no second cluster, nothing
// acknowledged lost, and the cluster comes back.
func TestKilledAtEveryPoint(t *testing.T) {
	lives := map[string]func(s *site){
		"first boot": func(*site) {},
		"after a crash": func(s *site) {
			for i, n := range s.nodes {
				n.crashed(historyA, int64(10+i))
			}
			s.acked = 12
		},
		"after an orderly stop": func(s *site) {
			s.node("db1").has(historyA, 15, false)
			s.node("db2").has(historyA, 17, true)
			s.node("db3").has(historyA, 16, false)
			s.acked = 17
		},
	}
	lives["after the furthest lost its grastate.dat"] = func(s *site) {
		lives["after an orderly stop"](s)
		s.node("db2").grastate = ""
	}
	lives["after all lost their grastate.dat"] = func(s *site) {
		lives["after a crash"](s)
		for _, n := range s.nodes {
			n.grastate = ""
		}
	}
	lives["with prepared transactions"] = func(s *site) {
		lives["after a crash"](s)
		s.node("db3").prepared = true
	}
	lives["with a state transfer that outlasts the promotion"] = func(s *site) {
		lives["after an orderly stop"](s)
		s.node("db3").transfer = 5 * time.Minute
	}
	for name, prepare := range lives {
		t.Run(name, func(t *testing.T) {
			for fuse := 1; ; fuse++ {
				s := newSite(t)
				prepare(s)
				s.fuse = fuse
				s.pacemaker()
				if s.fuse > 0 { // life ended before the fuse
					if fuse < 50 {
						t.Fatalf("only %d calls in a whole life", fuse)
					}
					return
				}
				s.cleanup()
				s.pacemaker()
				s.wantCluster()
				s.commit(1)
				if t.Failed() {
					t.Fatalf("killed at call %d", fuse)
				}
			}
		})
	}
}

// cleanup restarts what a kill left stopped: an operator's cleanup.
func (s *site) cleanup() {
	for _, n := range s.nodes {
		if n.role == "Stopped" {
			s.act(n.name, "stop")
		}
	}
}
