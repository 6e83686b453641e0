package main

import (
	"strconv"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journalctl"
)

// TestProbes: the time that a client gives counts if it can be right, and an entry that does
// not say what was answered is nothing.
func TestProbes(t *testing.T) {
	said := time.Date(2026, 11, 23, 12, 0, 10, 0, time.UTC)
	for _, c := range []struct {
		name, answer, at string
		kind             incident.Kind
		want             time.Time
	}{
		{"without a time", "bad", "", incident.ProbeBad, said},
		{"its own time", "good", strconv.FormatInt(said.Add(-time.Second).UnixMicro(), 10), incident.ProbeGood, said.Add(-time.Second)},
		{"the future", "good", strconv.FormatInt(said.Add(time.Second).UnixMicro(), 10), incident.ProbeGood, said},
		{"long ago", "bad", strconv.FormatInt(said.Add(-time.Hour).UnixMicro(), 10), incident.ProbeBad, said},
		{"no number", "bad", "12:00", incident.ProbeBad, said},
		{"no answer", "perhaps", "", "", time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := journalctl.Line{At: said, Monotonic: time.Hour, Message: "timeout", MessageID: probeEntry,
				Fields: map[string]string{probeAnswer: c.answer, probeAt: c.at, probeName: "shop"}}
			events := newTranslator("db1", stillMachine{}).spoken(observation{sourceJournal, said, l}, l)
			if c.kind == "" {
				if len(events) != 0 {
					t.Fatalf("%v", events)
				}
				return
			}
			if len(events) != 1 {
				t.Fatalf("%d events", len(events))
			}
			e := events[0]
			if e.Kind != c.kind || !e.At.Wall.Equal(c.want) || e.Source != incident.FromProbe || e.At.Mono != time.Hour-said.Sub(c.want) || e.Change.Name != "shop" {
				t.Errorf("%+v", e)
			}
		})
	}
}
