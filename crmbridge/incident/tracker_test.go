package incident

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// A gap that has ended is nothing that a later record may doubt itself for.
func TestAGapThatHasEndedIsForgotten(t *testing.T) {
	for range 50 { // the events are kept in a map
		tracker := NewTracker("db2")
		for _, e := range peaceful() {
			tracker.Observe(e)
		}
		at := func(after time.Duration) Moment { return Moment{Wall: midnight().Add(after)} }
		for _, source := range []Source{FromCorosync, FromFencer, FromJournal} {
			gap := Event{Kind: Gap, Source: source, Observer: "db2", Node: "db2", Basis: Measured, At: at(0), Seen: at(0)}
			tracker.Observe(gap)
			gap.Until, gap.Seen = midnight().Add(2*time.Second), at(2*time.Second)
			tracker.Observe(gap)
		}
		tracker.Advance(midnight().Add(10 * time.Minute))
		lost := Event{Kind: NodeChanged, Source: FromCIB, Observer: "db2", Node: "db3", CIB: "0.5.99", Basis: Measured, At: at(11 * time.Minute), Seen: at(11 * time.Minute)}
		lost.State = NodeState{Expected: "down"}
		tracker.Observe(lost)
		for _, r := range tracker.Advance(midnight().Add(12 * time.Minute)) {
			if len(r.Gaps) > 0 {
				t.Fatalf("the record of %s doubts itself: %+v", r.Cause.Kind, r.Gaps)
			}
		}
	}
}

// What cannot run stays so until its reason is gone, and the service is there: the record of what
// happened does not wait for that.
func TestARestingClusterIsRecordedAtOnce(t *testing.T) {
	tracker := NewTracker("db2")
	events := append(peaceful(), parseEvent(t, "0.000 attribute galera-unfit db1 true", 20))
	for i, line := range []string{
		"0.050 begun vip stop db1", "0.100 ended vip stop db1", "0.110 begun vip start db2", "0.120 address+ db2", "0.150 ended vip start db2",
	} {
		events = append(events, parseEvent(t, line, 21+i))
	}
	for _, e := range events {
		tracker.Observe(e)
	}
	records := tracker.Advance(midnight().Add(150*time.Millisecond + settle))
	if len(records) != 1 {
		t.Fatalf("%d records when the service was back and nothing more happened", len(records))
	}
	if r := records[0]; !r.Open || r.Outcome != Restored || r.Interruption == 0 {
		t.Errorf("open %v, %s, interruption %v: wanted one that is open, for the database is unfit, with the service restored", r.Open, r.Outcome, r.Interruption)
	}
	cleared := parseEvent(t, "20.000 attribute galera-unfit db1", 40)
	tracker.Observe(cleared)
	records = tracker.Advance(cleared.Seen.Wall.Add(settle))
	if len(records) != 1 || records[0].Open || records[0].Revision != 2 {
		t.Errorf("when the database is fit again: %+v", records)
	}
}

// What was only skimmed is the state in which the next incident begins.
func TestSkimmedEventsAreTheStateOfTheNext(t *testing.T) {
	events := peaceful()
	for i, line := range []string{
		"0.000 failed vip monitor db1", "0.060 begun vip stop db1", "0.100 ended vip stop db1",
		"0.110 begun vip start db3", "0.120 address+ db3", "0.150 ended vip start db3",
		"900.000 left db3", "900.050 lost db3", "900.100 begun vip start db2", "900.120 address+ db2", "900.150 ended vip start db2",
	} {
		events = append(events, parseEvent(t, line, 20+i))
	}
	first := len(events) - 5
	replayed := NewTracker("db2")
	before := replayed.Replay(events[:first])
	before = append(before, replayed.advanceUntil(events[first].Seen.Wall)...)
	wanted := append(replayed.Replay(events[first:]), replayed.Unfinished()...)
	if len(before) == 0 || len(wanted) == 0 {
		t.Fatalf("%d records before and %d after", len(before), len(wanted))
	}
	skimmed := NewTracker("db2")
	skimmed.Skim(events[:first])
	got := append(skimmed.Replay(events[first:]), skimmed.Unfinished()...)
	got = slices.DeleteFunc(got, func(r Record) bool { return r.ID == before[0].ID }) // not yet forgotten
	if !reflect.DeepEqual(got, wanted) {
		t.Errorf("after skimming:\n%+v\nwanted:\n%+v", got, wanted)
	}
}

// An incident that was over after the next had begun is forgotten with it, not in halves.
func TestHalfAnIncidentIsNotForgotten(t *testing.T) {
	tracker := NewTracker("db2")
	events := peaceful()
	for i, line := range []string{
		"0.000 token 267", "0.500 left db1", "0.550 lost db1", "0.600 fence db1", "0.700 begun vip start db2", "0.710 address+ db2",
		"0.750 ended vip start db2", "3.000 fenced db1", "3.010 down db1", "4.000 link- db1", "4.100 plan 31 pe-input-26",
		"4.200 begun vip monitor db2", "4.250 ended vip monitor db2", "5.000 joined db1", "5.100 joining db1", "5.500 member db1",
		"6.000 begun galera start db1", "14.000 ended galera start db1", "14.100 begun galera promote db1", "14.200 ended galera promote db1",
		"14.300 begun galera monitor db1", "14.400 ended galera monitor db1",
	} {
		events = append(events, parseEvent(t, line, 20+i))
	}
	records := newest(tracker.Replay(events))
	end := events[len(events)-1].Seen.Wall
	records = newest(append(records, tracker.advanceUntil(end.Add(10*time.Second))...))
	if len(records) != 2 || !records[1].Begin.At.Before(records[0].End.At) {
		t.Fatalf("not two incidents of which one begins before the other ends: %+v", records)
	}
	for after := 10 * time.Second; after < 5*time.Minute; after += time.Second {
		for _, r := range tracker.Advance(end.Add(after)) {
			t.Errorf("%v later: a new record of %s", after, r.Cause.Kind)
		}
	}
	if len(tracker.events) > 0 {
		t.Errorf("%d events are kept for ever", len(tracker.events))
	}
}

// Who stops watching in the middle says what is going on, and nothing twice.
func TestLastWords(t *testing.T) {
	events := peaceful()
	for i, line := range []string{"0.000 failed vip monitor db1", "0.060 begun vip stop db1", "0.100 ended vip stop db1", "0.110 begun vip start db3"} {
		events = append(events, parseEvent(t, line, 20+i))
	}
	tracker := NewTracker("db2")
	if given := tracker.Replay(events); len(given) > 0 {
		t.Fatalf("given too early: %+v", given)
	}
	words := tracker.Unfinished()
	if len(words) != 1 || !words[0].Open || words[0].Revision != 1 || words[0].Cause.Kind != AddressLost {
		t.Fatalf("the last words are %+v", words)
	}
	end := events[len(events)-1].Seen.Wall.Add(10 * time.Second)
	if given := tracker.advanceUntil(end); len(given) != 1 {
		t.Fatalf("%d records afterwards: %+v", len(given), given)
	}
	if words := tracker.Unfinished(); len(words) > 0 {
		t.Errorf("said again: %+v", words)
	}
}

// The record is there in time although the word of what came after its last phase was long on its way.
func TestAPromiseIsKeptWhileWordsAreLate(t *testing.T) {
	events := peaceful()
	for i, line := range []string{
		"0.000 failed vip monitor db1", "0.060 begun vip stop db1", "0.100 ended vip stop db1",
		"0.110 begun vip start db3", "0.120 address+ db3", "0.150 ended vip start db3", "0.200 plan 31 pe-input-26",
	} {
		events = append(events, parseEvent(t, line, 20+i))
	}
	late := &events[len(events)-1].Seen
	late.Wall, late.Mono = late.Wall.Add(800*time.Millisecond), late.Mono+800*time.Millisecond
	tracker := NewTracker("db2")
	if given := tracker.Replay(events); len(given) > 0 {
		t.Fatalf("given too early: %+v", given)
	}
	phase := midnight().Add(150 * time.Millisecond)
	given := tracker.advanceUntil(phase.Add(promised + time.Millisecond))
	if len(given) != 1 || !given[0].LastPhase().Equal(phase) {
		t.Errorf("%v after the last phase there is %+v", promised, given)
	}
}

// The last words about an incident are forgotten with it: they are not the first sign of the next.
func TestLastWordsAreForgottenWithTheirIncident(t *testing.T) {
	tracker := NewTracker("db2")
	events := peaceful()
	for i, line := range []string{
		"0.000 failed vip monitor db1", "0.060 begun vip stop db1", "0.100 ended vip stop db1", "0.110 begun vip start db3", "0.120 address+ db3",
		"0.150 ended vip start db3", "0.300 view db2 primary 2", "1.500 lost db1",
	} {
		events = append(events, parseEvent(t, line, 20+i))
	}
	records := newest(tracker.Replay(events))
	end := events[len(events)-1].Seen.Wall
	records = newest(append(records, tracker.advanceUntil(end.Add(10*time.Second))...))
	if len(records) != 2 {
		t.Fatalf("not two incidents: %+v", records)
	}
	for after := 110 * time.Second; after < 3*time.Minute; after += 50 * time.Millisecond {
		for _, r := range tracker.Advance(end.Add(after)) {
			t.Errorf("%v later: a new record of %s from %v", after, r.Cause.Kind, r.Begin)
		}
	}
}

// The resources of another cluster are known from when they are told, also after the change of clusters itself was forgotten.
func TestForgettingTheClusterBeforeKeepsTheResources(t *testing.T) {
	at := func(s int) Moment { return Moment{Wall: midnight().Add(time.Duration(s) * time.Second)} }
	tracker := NewTracker("db2")
	tracker.Observe(Event{Kind: AnotherCluster, Source: FromCIB, Observer: "db2", At: at(0), Seen: at(0), CIB: "0.1.0"})
	tracker.Observe(Event{Kind: ResourceKnown, Source: FromCIB, Observer: "db2", At: at(20), Seen: at(20), CIB: "0.2.0", Known: Known{Resource: "galera", Role: RoleDatabase}})
	tracker.fold(at(10).Wall)
	unfit := Event{Kind: AttributeChanged, Source: FromCIB, Observer: "db2", Node: "db1", At: at(30), CIB: "0.2.1", Change: Change{Name: "galera-unfit", Value: "true"}}
	if !tracker.relevant(unfit) {
		t.Error("the words of an agent count for nothing")
	}
}
