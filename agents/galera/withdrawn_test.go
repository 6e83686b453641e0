package main

import (
	"testing"
	"time"

	"holdfast/ocf"
)

// failsAgain takes the database out of the primary component, and wants its score gone.
func (s *site) failsAgain(n *machine) {
	s.t.Helper()
	n.primary = false
	if s.watch(n.name); s.attrs[n.name]["master-galera"] != "" {
		s.t.Error("it failed again and kept its score")
	}
}

// What may happen to a database while its score is withdrawn. At the end of each life it is well
// and promoted and has its score, and nothing of the withdrawal is left: an operator who takes the
// score away then is not contradicted.
func TestTheWithdrawalOfAScoreIsOverWithItsCause(t *testing.T) {
	const probe = "OCF_RESKEY_CRM_meta_interval=0"
	restart := func(s *site, n *machine, actions ...string) {
		for _, action := range actions {
			if code, reason := s.act(n.name, action); code != ocf.Success {
				s.t.Fatalf("%s: %s %s", action, code, reason)
			}
		}
		n.role = "Stopped"
		s.pacemaker()
	}
	for name, life := range map[string]func(*site, *machine){
		"Pacemaker recovers it": func(s *site, n *machine) { restart(s, n, "demote", "stop") },
		"an operator demotes it by hand": func(s *site, n *machine) {
			n.primary = true
			s.act(n.name, "demote")
			n.role = "Unpromoted"
			s.pacemaker()
		},
		"it is stopped without a demotion": func(s *site, n *machine) { restart(s, n, "stop") },
		"the stop was killed half-way": func(s *site, n *machine) {
			n.kill()
			n.role = "Stopped"
			s.pacemaker()
		},
		"the machine reboots": func(s *site, n *machine) {
			n.kill()
			n.notes, s.attrs[n.name] = map[string]string{}, map[string]string{}
			n.role = "Stopped"
			s.pacemaker()
		},
		"unmanaged, it recovers": func(s *site, n *machine) {
			s.watch(n.name)
			n.primary = true
			s.watch(n.name)
		},
		"it fails again and again": func(s *site, n *machine) {
			for range 3 {
				n.primary = true
				s.watch(n.name)
				s.failsAgain(n)
			}
			n.primary = true
			s.watch(n.name)
		},
		"cleaned up when it is well": func(s *site, n *machine) {
			n.primary = true
			s.act(n.name, "monitor", probe)
		},
		"cleaned up, and it fails again": func(s *site, n *machine) {
			n.primary = true
			s.act(n.name, "monitor", probe)
			s.failsAgain(n)
			n.primary = true
			s.watch(n.name)
		},
		"the resource is made anew while it runs": func(s *site, n *machine) {
			n.primary = true
			delete(s.attrs[n.name], "master-galera")
			s.act(n.name, "monitor", probe)
		},
		"the withdrawal comes after the recovery": func(s *site, n *machine) {
			s.attrs[n.name]["master-galera"] = promotable // it has not come yet
			n.primary = true
			s.watch(n.name)
			delete(s.attrs[n.name], "master-galera")
			s.watch(n.name)
		},
		"the withdrawal never comes": func(s *site, n *machine) {
			s.attrs[n.name]["master-galera"] = promotable
			n.primary = true
			s.watch(n.name)
			s.now = s.now.Add(requestTime)
			s.watch(n.name)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			n := s.node("db2")
			n.primary = false
			if s.watch("db2"); n.notes[noteWithdrawn] == "" || s.attrs["db2"]["master-galera"] != "" {
				t.Fatalf("the score is not withdrawn:\n%s", s)
			}
			life(s, n)
			if code := s.watch("db2"); code != ocf.RunningPromoted || s.attrs["db2"]["master-galera"] != promotable {
				t.Errorf("monitor: %s; it is well and has no score:\n%s", code, s)
			}
			delete(s.attrs["db2"], "master-galera")
			if s.watch("db2"); s.attrs["db2"]["master-galera"] != "" || n.notes[noteWithdrawn] != "" {
				t.Errorf("the operator took the score away, and it is back (%q)", n.notes[noteWithdrawn])
			}
		})
	}
}

// A withdrawal that could not be asked for, or had no effect, is tried again as long as the
// database fails.
func TestAWithdrawalThatFailsIsTriedAgain(t *testing.T) {
	for name, fail := range map[string]func(*site){
		"not even asked for": func(s *site) {
			s.refuses = true
			s.watch("db2")
			s.refuses = false
		},
		"asked for in vain": func(s *site) {
			s.watch("db2")
			s.attrs["db2"]["master-galera"] = promotable
			s.requested = nil
			if s.watch("db2"); len(s.requested) > 0 {
				s.t.Error("it was asked for again at once")
			}
			s.now = s.now.Add(requestTime)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			s.node("db2").primary = false
			fail(s)
			if s.watch("db2"); s.attrs["db2"]["master-galera"] != "" {
				t.Errorf("the score is still there:\n%s", s)
			}
		})
	}
}

// A promotion that leaves its server joining has taken the score back itself.
func TestAJoinIsNoFailure(t *testing.T) {
	s, n := joinsLong(t)
	if code := s.watch("db3"); code != ocf.Success || n.notes[noteWithdrawn] != "" || len(s.requested) > 0 {
		t.Errorf("monitor: %s, withdrawn %q", code, n.notes[noteWithdrawn])
	}
	n.notes[noteWithdrawn] = s.now.Add(-time.Hour).UTC().Format(time.RFC3339)
	if s.act("db3", "demote"); n.notes[noteWithdrawn] != "" {
		t.Error("a withdrawal outlives the demotion")
	}
}

// Whatever an earlier action has noted of a failure is over with one that changes what runs.
func TestEachActionBeginsAnew(t *testing.T) {
	for _, action := range []string{"start", "promote", "demote", "stop"} {
		t.Run(action, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			n := s.node("db2")
			if action == "start" {
				s.act("db2", "stop")
			}
			n.notes[noteWithdrawn] = s.now.UTC().Format(time.RFC3339)
			if action != "promote" {
				n.notes[noteCrashed] = n.notes[noteWithdrawn]
			}
			if code, reason := s.act("db2", action); code != ocf.Success || n.notes[noteWithdrawn]+n.notes[noteCrashed] != "" {
				t.Errorf("%s %s, left behind: %v", code, reason, n.notes)
			}
		})
	}
}
