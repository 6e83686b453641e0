package main

import (
	"testing"

	"holdfast/ocf"
)

const inPromotedRole = "OCF_RESKEY_CRM_meta_role=Promoted"

// watch runs the recurring monitor of the promoted role.
func (s *site) watch(node string) ocf.Code {
	code, _ := s.act(node, "monitor", inPromotedRole)
	return code
}

// A database that fails must not keep the address where it is until it was recovered: without
// its score Pacemaker does not plan to promote it again, and nothing waits for that.
func TestAFailedDatabaseLosesItsScore(t *testing.T) {
	for name, fail := range map[string]func(*machine){
		"killed":      (*machine).kill,
		"hung":        func(n *machine) { n.hung = true },
		"frozen":      func(n *machine) { n.hung, n.frozen = true, true },
		"non-Primary": func(n *machine) { n.primary = false },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			fail(s.node("db2"))
			if code := s.watch("db2"); code == ocf.RunningPromoted || code == ocf.Success {
				t.Fatalf("monitor: %s", code)
			}
			if score := s.attrs["db2"]["master-galera"]; score != "" {
				t.Errorf("the score is still %s", score)
			}
			if len(s.requested) != 1 {
				t.Errorf("the score was waited for, so that Pacemaker may cancel the monitor before its result is there: %v", s.requested)
			}
			if s.attrs["db1"]["master-galera"] == "" || s.attrs["db3"]["master-galera"] == "" {
				t.Errorf("others have lost theirs:\n%s", s)
			}
		})
	}
}

func TestADatabaseThatRecoversUndemotedGetsItsScoreBack(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.node("db2").primary = false
	s.watch("db2")
	s.node("db2").primary = true
	if code := s.watch("db2"); code != ocf.RunningPromoted {
		t.Fatalf("monitor: %s", code)
	}
	if s.attrs["db2"]["master-galera"] != promotable {
		t.Errorf("no score:\n%s", s)
	}
}

// An operator who takes the score away wants the database demoted.
func TestTheScoreOfADatabaseThatIsWellIsLeftAlone(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	delete(s.attrs["db2"], "master-galera")
	s.watch("db2")
	if score := s.attrs["db2"]["master-galera"]; score != "" {
		t.Errorf("the score is back: %s", score)
	}
}

func TestClientsAreBetterOffElsewhere(t *testing.T) {
	for name, test := range map[string]struct {
		ail, heal func(*machine)
		code      ocf.Code
		words     string
	}{
		"disk full": {func(n *machine) { n.free = 0 }, func(n *machine) { n.free = 1 << 30 }, ocf.RunningPromoted,
			"its disk is full: make room in the directory of the database"},
		"no answer": {func(n *machine) { n.hung = true }, func(n *machine) { n.hung = false }, ocf.ErrGeneric, "does not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			test.ail(s.node("db3"))
			if code := s.watch("db3"); code != test.code {
				t.Fatalf("monitor: %s", code)
			}
			if s.attrs["db3"]["galera-unfit"] != "true" || s.attrs["db3"]["galera-state"] != test.words {
				t.Errorf("nobody is told:\n%s", s)
			}
			test.heal(s.node("db3"))
			s.watch("db3")
			if s.attrs["db3"]["galera-unfit"] != "" || s.attrs["db3"]["galera-state"] != "" {
				t.Errorf("it is not taken back:\n%s", s)
			}
		})
	}
}
