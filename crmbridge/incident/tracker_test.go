package incident

import (
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
