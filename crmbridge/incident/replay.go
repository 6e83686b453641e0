package incident

import "time"

// Replay takes recorded events as they came: what was due between them is given first, as when they were
// observed. It gives the records that are complete by then.
func (t *Tracker) Replay(events []Event) []Record {
	var records []Record
	for i, e := range events {
		// A clock that is set makes no timer fire: only what has passed counts.
		until := e.Seen.Wall
		if i > 0 && e.Seen.Mono != 0 && events[i-1].Seen.Mono != 0 {
			until = events[i-1].Seen.Wall.Add(e.Seen.Mono - events[i-1].Seen.Mono)
		}
		records = append(records, t.advanceUntil(until)...)
		records = append(records, t.Observe(e)...)
	}
	return records
}

// advanceUntil gives the records that become complete before a time, when nothing more happens.
func (t *Tracker) advanceUntil(until time.Time) []Record {
	var records []Record
	for !t.Deadline().IsZero() && t.Deadline().Before(until) {
		records = append(records, t.Advance(t.Deadline())...)
	}
	return records
}

// Skim takes recorded events for the state that what comes after them begins in: much faster than Replay,
// for it makes no records. Of the incidents among them, those of the last two minutes may still be given
// afterwards; one that had begun before and goes on is not understood.
func (t *Tracker) Skim(events []Event) {
	var folded time.Time
	for _, e := range events {
		t.take(e)
		if t.newest.Sub(folded) > memory {
			folded = t.newest
			t.fold(folded.Add(-memory))
		}
	}
}
