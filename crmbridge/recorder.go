package main

import (
	"time"

	"holdfast/crmbridge/incident"
)

// output is where events and records go. It returns when they are safe.
type output interface {
	WriteEvent(e incident.Event) error
	WriteRecord(r incident.Record) error
}

// recorder is the consumer that makes records: of observations events, and of events,
// in the tracker, records.
type recorder struct {
	translator *translator
	tracker    *incident.Tracker
	out        output
}

var _ consumer = (*recorder)(nil)

func (r *recorder) take(o observation) (time.Time, error) {
	err := r.observe(r.translator.events(o))
	return r.tracker.Deadline(), err
}

// missed says since when nobody watched, and what was before.
func (r *recorder) missed(b before, now time.Time) error {
	return r.observe(append(r.translator.missed(b.since, now), r.translator.lastKnown(b, now)...))
}

// observe writes events before anything is made of them.
func (r *recorder) observe(events []incident.Event) error {
	for _, e := range events {
		if err := r.out.WriteEvent(e); err != nil {
			return err
		}
		if err := r.write(r.tracker.Observe(e)); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) wake(now time.Time) (time.Time, error) {
	err := r.write(r.tracker.Advance(now))
	return r.tracker.Deadline(), err
}

// finish writes what is not over, or was not quite when the watch ended.
func (r *recorder) finish() error { return r.write(r.tracker.Unfinished()) }

func (r *recorder) write(records []incident.Record) error {
	for _, record := range records {
		if err := r.out.WriteRecord(record); err != nil {
			return err
		}
	}
	return nil
}
