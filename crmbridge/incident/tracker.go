package incident

import "time"

// Tracker collects events and gives records of what is over. One goroutine may use it.
type Tracker struct{ node string }

// NewTracker makes a tracker for the records of a node.
func NewTracker(node string) *Tracker { return &Tracker{node: node} }

// Observe takes an event, and gives the records that are complete by its time.
func (t *Tracker) Observe(Event) []Record { return nil }

// Advance gives the records that are complete at a time, when nothing more happens.
func (t *Tracker) Advance(time.Time) []Record { return nil }

// Deadline is when to call Advance if no event comes before; zero for never.
func (t *Tracker) Deadline() time.Time { return time.Time{} }
