package main

import (
	"strings"
	"testing"
	"time"

	"holdfast/ocf"
)

// twoOfThree is a cluster whose third node is about to be started.
func twoOfThree(t *testing.T) (*site, *machine) {
	t.Helper()
	s := newSite(t)
	s.node("db3").online = false
	s.node("db1").has(historyA, 10, true)
	s.node("db2").has(historyA, 10, false)
	s.pacemaker()
	n := s.node("db3")
	n.online = true
	return s, n
}

// Pacemaker takes an older failure for the last word when a demotion follows a promotion, and
// restarts the instance that has just joined.
func TestANodeThatReturnsJoinsBeforeItIsPromoted(t *testing.T) {
	for name, test := range map[string]struct {
		transfer time.Duration
		score    string // after the start
	}{
		"at once":           {0, promotable},
		"after a long copy": {time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, n := twoOfThree(t)
			n.transfer = test.transfer
			before := s.now
			if code, reason := s.act("db3", "start"); code != ocf.Success || !n.running {
				t.Fatalf("start: %v %s, running %v", code, reason, n.running)
			}
			if took := s.now.Sub(before); took > 2*startPatience {
				t.Errorf("the start took %v", took)
			}
			if score := s.attrs["db3"]["master-galera"]; score != test.score {
				t.Errorf("after the start the score is %q", score)
			}
			n.role = "Unpromoted"
			if code, reason := s.act("db3", "start"); code != ocf.Success {
				t.Errorf("a second start: %v %s", code, reason)
			}
			if code, reason := s.act("db3", "monitor"); code != ocf.Success {
				t.Errorf("monitor: %v %s", code, reason)
			}
			s.now = s.now.Add(2 * test.transfer)
			s.pacemaker()
			s.wantCluster()
			if n.demoted != 0 {
				t.Errorf("demoted %d times", n.demoted)
			}
		})
	}
}

// Pacemaker decides nothing while a start is under way.
func TestAStartEndsWhenAnotherNodeIsInTrouble(t *testing.T) {
	for name, trouble := range map[string]func(s *site){
		"its database failed":              func(s *site) { s.node("db1").failed = true },
		"it is lost":                       func(s *site) { s.node("db1").online = false },
		"clients are better off elsewhere": func(s *site) { s.attrs["db1"]["galera-unfit"] = "true" },
	} {
		t.Run(name, func(t *testing.T) {
			s, n := twoOfThree(t)
			n.transfer = time.Hour
			began := s.now
			s.later = func() {
				if s.now.Sub(began) > 3*time.Second {
					trouble(s)
				}
			}
			if code, reason := s.act("db3", "start"); code != ocf.Success || !n.running {
				t.Fatalf("start: %v %s, running %v", code, reason, n.running)
			}
			if took := s.now.Sub(began); took > 3*time.Second+2*peerPause {
				t.Errorf("the start went on for %v", took)
			}
		})
	}
}

// A start that fails would ban the node.
func TestAJoinThatFailsIsThePromotionsBusiness(t *testing.T) {
	s, n := twoOfThree(t)
	n.broken = "WSREP: SST failed"
	if code, reason := s.act("db3", "start"); code != ocf.Success || n.running {
		t.Fatalf("start: %v %s, running %v", code, reason, n.running)
	}
	n.role = "Unpromoted"
	if s.attrs["db3"]["galera-position"] == "" || s.attrs["db3"]["master-galera"] != promotable {
		t.Errorf("it is not to be promoted:\n%s", s)
	}
	if code, reason := s.act("db3", "promote"); code != ocf.ErrGeneric || !strings.Contains(reason, "SST failed") {
		t.Errorf("promote: %v %s", code, reason)
	}
}

// fewerPromoted is a clone in which not every instance may be promoted: those that are not do
// not run.
func fewerPromoted(n *machine) { n.env["OCF_RESKEY_CRM_meta_clone_max"] = "4" }

// joinsLong is a cluster of two whose third node has to copy everything, which takes
// longer than a promotion may.
func joinsLong(t *testing.T) (*site, *machine) {
	t.Helper()
	s, n := twoOfThree(t)
	fewerPromoted(n)
	n.transfer = time.Hour
	s.act("db3", "start")
	n.role = "Unpromoted"
	before := s.now
	if code, reason := s.act("db3", "promote"); code != ocf.Success {
		t.Fatalf("promote: %v %s", code, reason)
	}
	if took := s.now.Sub(before); took > 2*joinPatience {
		t.Errorf("the promotion took %v, in which no failover could have happened", took)
	}
	n.role = "Promoted"
	return s, n
}

func TestLongJoinOutlastsThePromotion(t *testing.T) {
	s, n := joinsLong(t)
	if score := s.attrs["db3"]["master-galera"]; score != "" {
		t.Errorf("the score is %q, so that Pacemaker takes it for promoted", score)
	}
	if code, reason := s.act("db3", "demote"); code != ocf.Success {
		t.Fatalf("demote: %v %s", code, reason)
	}
	n.role = "Unpromoted"
	if !n.running {
		t.Fatal("demote ended the join")
	}
	code, reason := s.act("db3", "monitor")
	if code != ocf.Success {
		t.Errorf("monitor: %v %s", code, reason)
	}
	if state := s.attrs["db3"]["galera-state"]; !strings.HasPrefix(state, "joining since ") || !strings.Contains(state, "123 MB received") {
		t.Errorf("the cluster shows the state %q", state)
	}
	s.now = s.now.Add(2 * time.Hour)
	if code, reason := s.act("db3", "monitor"); code != ocf.Success {
		t.Errorf("monitor after the join: %v %s", code, reason)
	}
	s.pacemaker()
	s.wantCluster()
	if state := s.attrs["db3"]["galera-state"]; state != "" || n.notes[noteJoining] != "" {
		t.Errorf("left behind: %q, %v", state, n.notes)
	}
}

func TestLongJoinAndItsEnds(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*site, *machine)
		code    ocf.Code
		reason  string
		runs    bool
	}{
		"the server dies": {func(_ *site, n *machine) { n.kill(); n.broken = "WSREP SST failed" }, ocf.ErrGeneric, "WSREP SST failed", false},
		"the cluster is gone": {func(s *site, _ *machine) {
			for _, name := range []string{"db1", "db2"} {
				s.node(name).kill()
				s.node(name).online, s.node(name).role = false, "Stopped"
			}
		}, ocf.Success, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, n := joinsLong(t)
			s.act("db3", "demote")
			n.role = "Unpromoted"
			c.happens(s, n)
			code, reason := s.act("db3", "monitor")
			if code != c.code || !strings.Contains(reason, c.reason) || n.running != c.runs {
				t.Errorf("%v %q running=%v, want %v %q running=%v", code, reason, n.running, c.code, c.reason, c.runs)
			}
		})
	}
}

// Galera closes its connection when a state transfer fails, and the server goes on
// without a cluster: it never comes back by itself. Which status it has then depends on how far it was.
func TestJoinThatGaleraGaveUp(t *testing.T) {
	for _, status := range []string{disconnected, "non-Primary"} {
		t.Run(status, func(t *testing.T) {
			s, n := twoOfThree(t)
			fewerPromoted(n)
			n.left = status
			s.act("db3", "start")
			n.role = "Unpromoted"
			before := s.now
			code, reason := s.act("db3", "promote")
			if code != ocf.ErrGeneric || !strings.Contains(reason, "gave the cluster up while joining") {
				t.Errorf("promote: %v %q", code, reason)
			}
			if took := s.now.Sub(before); took > 10*time.Second {
				t.Errorf("promote waited %v for a server that does not come back", took)
			}
			n.failed, n.left = true, ""
			s.pacemaker()
			s.wantCluster()
		})
	}
}

func TestLongJoinThatGaleraGaveUp(t *testing.T) {
	for _, status := range []string{disconnected, "non-Primary"} {
		t.Run(status, func(t *testing.T) {
			s, n := joinsLong(t)
			s.act("db3", "demote")
			n.role = "Unpromoted"
			s.now = s.now.Add(2 * time.Hour)
			n.left = status
			code, reason := s.act("db3", "monitor")
			if code != ocf.ErrGeneric || !strings.Contains(reason, "gave the cluster up while joining") {
				t.Errorf("monitor: %v %q", code, reason)
			}
		})
	}
}

// TestWhatSaysThatGaleraLeft is as a real server answered whose state transfer had failed while it applied
// the write-sets, and one that was joining.
func TestWhatSaysThatGaleraLeft(t *testing.T) {
	left := map[string]string{"wsrep_cluster_status": "non-Primary", "wsrep_local_state": "1", "wsrep_local_state_comment": "Joining"}
	if !readStatus(left).apart() {
		t.Error("a server whose group communication is closed counts as a member")
	}
	left["wsrep_evs_state"] = "OPERATIONAL"
	if readStatus(left).apart() {
		t.Error("a server that is joining counts as one that gave up")
	}
}

func TestStopEndsALongJoin(t *testing.T) {
	s, n := joinsLong(t)
	s.act("db3", "demote")
	if code, reason := s.act("db3", "stop"); code != ocf.Success || n.running || n.notes[noteJoining] != "" {
		t.Errorf("stop: %v %s, running=%v, notes %v", code, reason, n.running, n.notes)
	}
}

// The survivor of a split is stopped in order, but it was no member any more.
func TestSurvivorOfASplitThatWasStoppedInOrder(t *testing.T) {
	s := newSite(t)
	s.nodes = s.nodes[:2]
	for _, n := range s.nodes {
		n.env["OCF_RESKEY_wsrep_cluster_address"] = "gcomm://db1,db2"
		n.env["OCF_RESKEY_two_node_mode"] = "true"
	}
	s.node("db1").has(historyA, 10, true)
	s.node("db2").has(historyA, 10, false)
	s.pacemaker()
	s.commit(5)
	lost, n := s.node("db2"), s.node("db1")
	lost.kill()
	lost.online, lost.role = false, "Stopped" // fenced
	n.primary, n.status = false, Wsrep{ClusterStatus: "non-Primary", State: 0}
	if code, _ := s.act("db1", "monitor"); code != ocf.ErrGeneric {
		t.Errorf("monitor of a node that is not primary: %v", code)
	}
	s.pacemaker()
	if !n.running || !n.primary || n.innodb.Seqno != 15 {
		t.Errorf("db1 does not go on alone: %v\n%s", n.notes, s)
	}
}

func TestPreparedTransactionsAreRolledBack(t *testing.T) {
	s := newSite(t)
	n := s.node("db1")
	n.crashed(historyA, 10)
	n.prepared = true
	if code, reason := s.act("db1", "start"); code != ocf.Success {
		t.Fatalf("start: %v %s", code, reason)
	}
	if n.grastate != "" || s.attrs["db1"]["galera-no-grastate"] != "true" || s.attrs["db1"]["galera-position"] != historyA+":10" {
		t.Errorf("grastate %q, attributes %v", n.grastate, s.attrs["db1"])
	}
}

func TestCreation(t *testing.T) {
	for _, set := range []bool{true, false} {
		s := newSite(t)
		n := s.node("db1")
		n.empty = true
		if set {
			n.env["OCF_RESKEY_enable_creation"] = "1"
		}
		s.act("db1", "start")
		if n.empty == set {
			t.Errorf("enable_creation=%v: the datadir is empty: %v", set, n.empty)
		}
	}
}
