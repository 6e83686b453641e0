package incident

import (
	"slices"
	"testing"
	"time"
)

// TestWhoMissedTheMemberSaysSinceWhen: a node that was lost, and whose database went on until it was fenced,
// is missed from then on. The node with the address did not miss it itself, and knows only when the fencing was over.
func TestWhoMissedTheMemberSaysSinceWhen(t *testing.T) {
	at := func(ms int) time.Time { return midnight().Add(time.Duration(ms) * time.Millisecond) }
	record := func(observer string, gaps int, writes int, heard time.Time) Record {
		view := at(2230 + 10*gaps)
		return Record{
			ID: "x", Observers: []string{observer}, Cause: Cause{Kind: NodeLost, Node: "db1"}, From: "db2", To: "db2", Outcome: Waited,
			Begin: Point{At: at(267)}, Occurrence: Point{At: at(0), Basis: Estimated}, Detection: Point{At: at(267), Basis: Logged},
			Interruption: view.Sub(at(writes)), ServiceBack: Point{At: view, Basis: Logged}, Gaps: make([]Blind, gaps),
			Phases: []Phase{
				{Name: PhaseWrites, Begin: at(writes), End: view, Duration: view.Sub(at(writes)), Path: true},
				{Name: PhaseFencing, Node: "db1", Begin: at(832), End: at(2132), Duration: 1300 * time.Millisecond},
				{Name: PhaseView, Node: observer, Begin: at(0), End: view, Duration: view.Sub(at(0)), Waited: true, Heard: heard},
			},
		}
	}
	m := Merge([]Record{record("db2", 0, 2132, time.Time{}), record("db3", 1, 1480, at(1480))})[0]
	if m.Interruption != 750*time.Millisecond || !m.Phases[0].Begin.Equal(at(1480)) {
		t.Errorf("interruption %v, %+v", m.Interruption, m.Phases[0])
	}
}

// TestWhoMissedTheMemberKnowsBetterThanTheToken: a node whose database missed nobody lets the interruption begin
// when the token stopped; another one, whose database did, says since when, whichever of the two is the base.
func TestWhoMissedTheMemberKnowsBetterThanTheToken(t *testing.T) {
	record := func(observer, missed string) Record {
		lines := []string{
			"0.500 silent db1", "3.800 fence db1", "9.730 token 267", "10.000 view " + observer + " Primary 2", "10.001 applied " + observer + " Primary 2",
			"10.090 left db1", "10.140 fenced db1", "10.360 down db1", "10.500 begun vip start db2", "10.600 ended vip start db2",
		}
		events := peaceful()
		for i, line := range lines {
			events = append(events, parseEvent(t, line, i))
		}
		if missed != "" {
			events = append(events, parseEvent(t, "9.895 suspects "+observer+" "+missed, 0))
		}
		for i := range events {
			events[i].Observer = observer
		}
		return newest(track(events))[0]
	}
	knows := record("db3", "525")
	if knows.Interruption != 1230*time.Millisecond {
		t.Errorf("interruption %v by the one that missed it", knows.Interruption)
	}
	for gaps := range 2 {
		token := record("db2", "")
		if token.Interruption != 1137*time.Millisecond {
			t.Errorf("interruption %v by the token", token.Interruption)
		}
		knows.Gaps, token.Gaps = make([]Blind, gaps), make([]Blind, 1-gaps)
		m := Merge([]Record{token, knows})[0]
		var sum time.Duration
		for _, p := range m.Phases {
			if p.Path {
				sum += p.Duration
			}
		}
		if m.Interruption != 1230*time.Millisecond || sum != m.Interruption || len(m.Observers) != 2 {
			t.Errorf("interruption %v, phases %v, by %v", m.Interruption, sum, m.Observers)
		}
	}
}

// TestItsOwnNodeSawTheDatabaseDie: the others were only told of a monitor that failed, and one of them saw the incident
// to its end. What and when it was is known by the node on which systemd saw it.
func TestItsOwnNodeSawTheDatabaseDie(t *testing.T) {
	at := func(ms int) time.Time { return midnight().Add(time.Duration(ms) * time.Millisecond) }
	record := func(observer string, kind CauseKind, died int, basis Basis, what string) Record {
		occurrence := Point{At: at(died), Basis: basis, How: what}
		return Record{
			ID: "x", Observers: []string{observer}, Open: observer == "db1",
			Cause:      Cause{Kind: kind, Node: "db1", Resource: "galera", Evidence: []Evidence{{At: at(died), What: what}}},
			Occurrence: occurrence, Detection: Point{At: at(300), Basis: Measured}, ServiceBack: Point{At: at(900), Basis: Measured},
			Interruption: at(900).Sub(at(died)), From: "db1", To: "db2",
			Phases: []Phase{phase(PhaseDetection, occurrence, Point{At: at(300)}, true), phase(PhaseRecovery, Point{At: at(300)}, Point{At: at(900)}, true)},
		}
	}
	own := record("db1", DatabaseDied, 100, Measured, "the main process ended")
	m := Merge([]Record{record("db2", DatabaseFailed, 50, Estimated, "monitor gave 1"), own})[0]
	if m.Cause.Kind != DatabaseDied || len(m.Cause.Evidence) != 2 || !m.Occurrence.At.Equal(at(100)) || m.Interruption != 800*time.Millisecond || m.Open {
		t.Errorf("%+v", m)
	}
	other := own
	other.Cause.Node = "db3" // another one's death is another thing
	if m := Merge([]Record{record("db2", DatabaseFailed, 50, Estimated, "monitor gave 1"), other})[0]; m.Cause.Kind != DatabaseFailed {
		t.Errorf("%+v", m.Cause)
	}
}

// TestTheOthersKnowWhenADatabaseFellSilent: nobody sees a database hang; who missed it first knows best
// since when, and its own node does not.
func TestTheOthersKnowWhenADatabaseFellSilent(t *testing.T) {
	at := func(ms int) time.Time { return midnight().Add(time.Duration(ms) * time.Millisecond) }
	record := func(observer string, ms int, how string) Record {
		detected := Point{At: at(1000), Basis: Measured}
		return Record{
			ID: "x", Observers: []string{observer}, Interruption: time.Duration(1200-ms) * time.Millisecond, Begin: detected, Detection: detected,
			Occurrence: Point{At: at(ms), Basis: Estimated, How: how}, ServiceBack: Point{At: at(1200), Basis: Measured},
			Phases: []Phase{
				{Name: PhaseDetection, Begin: at(ms), End: at(1000), Duration: time.Duration(1000-ms) * time.Millisecond, Path: true},
				{Name: PhaseDecision, Begin: at(1000), End: at(1030), Duration: 30 * time.Millisecond, Path: true},
				{Name: PhaseRecovery, Begin: at(1030), End: at(1200), Duration: 170 * time.Millisecond, Path: true},
			},
		}
	}
	records := []Record{record("db1", 1000, "nobody saw it"), record("db2", 150, lastWord+", 550 ms before"), record("db3", 50, lastWord+", 550 ms before")}
	for range 2 {
		m := Merge(records)[0]
		if m.Interruption != 1150*time.Millisecond || !m.Occurrence.At.Equal(at(50)) {
			t.Errorf("interruption %v, occurrence %v", m.Interruption, m.Occurrence)
		}
		end := m.Occurrence.At
		for _, p := range m.Phases {
			if !p.Begin.Equal(end) || p.Duration != p.End.Sub(p.Begin) {
				t.Errorf("%+v does not follow the one before", p)
			}
			end = p.End
		}
		slices.Reverse(records)
	}
}
