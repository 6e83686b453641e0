package main

import (
	"testing"

	"holdfast/ocf"
)

// The address starts elsewhere when the demotion of a crashed database is over, which therefore
// leaves the search for its position to the start that follows.
func TestDemoteOfACrashedDatabaseIsQuick(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	s.commit(3)
	s.node("db2").kill()
	if code, reason := s.act("db2", "demote"); code != ocf.Success {
		t.Fatalf("demote: %s %s", code, reason)
	}
	if left := s.attrs["db2"]; len(left) > 0 {
		t.Errorf("after the demotion the cluster has %v of db2", left)
	}
	if found := s.node("db2").notes[noteRecovered]; found != "" {
		t.Errorf("the demotion looked for the position and found %s", found)
	}
	// Should no stop follow, the next monitor makes the report.
	if code, reason := s.act("db2", "monitor"); code != ocf.Success || s.attrs["db2"]["galera-position"] == "" {
		t.Errorf("monitor: %s %s, attributes %v", code, reason, s.attrs["db2"])
	}
	s.act("db2", "stop")
	if code, _ := s.act("db2", "monitor"); code != ocf.NotRunning {
		t.Errorf("monitor says %s of a stopped database", code)
	}
	if code, reason := s.act("db2", "start"); code != ocf.Success || !s.node("db2").primary {
		t.Errorf("start: %s %s, and it is no member of the cluster", code, reason)
	}
}

// A node whose promotion found no cluster is demoted too, and its report is still wanted.
func TestDemoteOfAnUnneededCandidateReports(t *testing.T) {
	s := newSite(t)
	s.node("db1").crashed(historyA, 10)
	s.node("db2").crashed(historyA, 12)
	s.node("db3").online = false
	s.act("db1", "start")
	if code, reason := s.act("db1", "demote"); code != ocf.Success || s.attrs["db1"]["galera-position"] == "" {
		t.Errorf("demote: %s %s, attributes %v", code, reason, s.attrs["db1"])
	}
}
