package incident

import (
	"fmt"
	"testing"
	"time"
)

// stormy is a storm of operations on resources of no interest, and of some that fail,
// with the failover of the first scenario in it.
func stormy(n int) []Event {
	var events []Event
	for i := range n {
		at := Moment{Wall: midnight().Add(time.Duration(i) * time.Millisecond), Mono: time.Hour + time.Duration(i)*time.Millisecond, Boot: "b"}
		e := Event{Kind: OperationEnded, Source: FromCIB, Observer: "db2", Node: "db1", At: at, Seen: at, Basis: Measured, CIB: fmt.Sprintf("0.5.%d", 1000+i)}
		e.Op = Operation{Resource: fmt.Sprintf("dummy%d", i%1000), Action: "start", Key: fmt.Sprint(i), Magic: fmt.Sprint("m", i), CallID: i}
		events = append(events, e)
	}
	return events
}

// TestStorm: 20,000 changes of a thousand other resources neither hide a failover nor
// fill the memory.
func TestStorm(t *testing.T) {
	var calm []Event
	for _, s := range stories(t) {
		if s.name == "case: the database is killed and comes back on its node" {
			calm = s.events
		}
	}
	storm := stormy(20000)
	var events []Event
	for len(calm) > 0 || len(storm) > 0 {
		if len(storm) == 0 || len(calm) > 0 && !calm[0].Seen.Wall.After(storm[0].Seen.Wall) {
			events, calm = append(events, calm[0]), calm[1:]
			continue
		}
		events, storm = append(events, storm[0]), storm[1:]
	}
	tracker := NewTracker("db2")
	var records []Record
	for _, e := range events {
		records = append(records, tracker.Observe(e)...)
		if len(tracker.events) > 1000 {
			t.Fatalf("%d events are kept", len(tracker.events))
		}
	}
	records = newest(append(records, tracker.Advance(events[len(events)-1].Seen.Wall.Add(time.Minute))...))
	if len(records) != 1 || records[0].Cause.Kind != DatabaseDied || records[0].Open || records[0].Interruption != 1640*time.Millisecond {
		t.Fatalf("%d records: %+v", len(records), records)
	}
}

// TestMoreThanCanBeKept: when single incidents cannot be told apart any more, the oldest
// events are forgotten, and the records after that say so.
func TestMoreThanCanBeKept(t *testing.T) {
	tracker := NewTracker("db2")
	for _, e := range peaceful() {
		tracker.Observe(e)
	}
	var records []Record
	failures := stormy(3 * most)
	for _, e := range failures {
		e.Op.Failed, e.Op.RC = true, 1
		records = append(records, tracker.Observe(e)...)
		if len(tracker.events) > most+1 {
			t.Fatalf("%d events are kept", len(tracker.events))
		}
	}
	records = newest(append(records, tracker.Advance(failures[len(failures)-1].Seen.Wall.Add(time.Minute))...))
	said := 0
	for _, r := range records {
		if len(r.Gaps) > 0 {
			said++
		}
	}
	if len(records) < 2 || said < len(records)-1 {
		t.Errorf("%d of %d records say that events were forgotten", said, len(records))
	}
}

// BenchmarkTracker is what an event of a storm costs.
func BenchmarkTracker(b *testing.B) {
	storm := stormy(20000)
	for b.Loop() {
		tracker := NewTracker("db2")
		for _, e := range peaceful() {
			tracker.Observe(e)
		}
		for _, e := range storm {
			tracker.Observe(e)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20000, "ns/event")
}

// BenchmarkFailover is what a whole failover costs, from its first event to its record.
func BenchmarkFailover(b *testing.B) {
	events := peaceful()
	for i, line := range []string{
		"0.000 died db1", "1.200 failed galera monitor db1 7", "1.230 begun vip stop db1", "1.250 ended vip stop db1", "1.630 begun vip start db2",
		"1.660 ended vip start db2", "1.670 begun vip monitor db2", "2.500 ended vip monitor db2",
	} {
		events = append(events, parseEvent(&testing.T{}, line, i))
	}
	b.ReportAllocs()
	for b.Loop() {
		track(events)
	}
}
