package main

import (
	"testing"

	"holdfast/ocf"
)

// The state of a member that is no full one is shown, and taken back.
func TestConditionIsShown(t *testing.T) {
	for name, c := range map[string]struct {
		status Wsrep
		want   string
	}{
		"donor":     {Wsrep{State: donor, Comment: "Donor/Desynced"}, "Donor/Desynced: may lag behind the cluster"},
		"joined":    {Wsrep{State: joined, Comment: "Joined"}, "Joined: lags behind the cluster"},
		"joining":   {Wsrep{State: joining}, "Joining: lags behind the cluster"},
		"unknown":   {Wsrep{State: -1}, "unknown state: not Synced"},
		"not ready": {Wsrep{State: synced, NotReady: true}, "not ready: refuses queries (wsrep_ready=OFF)"},
		"read-only": {Wsrep{State: synced, ReadOnly: true}, "read-only: refuses writes; run SET GLOBAL read_only=0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			n := s.node("db1")
			n.status = c.status
			n.status.ClusterStatus = primary
			for _, want := range []string{c.want, ""} {
				if code, reason := s.act("db1", "monitor"); code != ocf.RunningPromoted {
					t.Errorf("%v %q", code, reason)
				}
				if got := s.attrs["db1"]["galera-state"]; got != want {
					t.Errorf("shown: %q, want %q", got, want)
				}
				n.status = Wsrep{}
			}
		})
	}
}

// A monitor that has nothing new to show asks nothing of the cluster.
func TestConditionCostsNothingWhileItLasts(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	n := s.node("db1")
	n.status = Wsrep{ClusterStatus: primary, State: donor}
	s.act("db1", "monitor")
	delete(s.attrs["db1"], "galera-state")
	s.act("db1", "monitor")
	if got := s.attrs["db1"]["galera-state"]; got != "" {
		t.Errorf("published again: %q", got)
	}
}

// An agent may be killed in the middle of telling, and what it told must not stay for ever.
func TestARemarkOfAnAgentThatWasKilledIsTakenBack(t *testing.T) {
	for fuse := 1; fuse < 40; fuse++ {
		s := newSite(t)
		s.pacemaker()
		s.node("db3").free = 0
		s.fuse = fuse
		s.watch("db3")
		s.fuse = 0
		s.node("db3").free = 1 << 30
		s.watch("db3")
		if s.attrs["db3"]["galera-unfit"] != "" || s.attrs["db3"]["galera-state"] != "" {
			t.Fatalf("killed at call %d, it leaves\n%s", fuse, s)
		}
	}
}
