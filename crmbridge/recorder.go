package main

import (
	"time"

	"holdfast/crmbridge/incident"
)

// output is where events and records go. It returns when they are safe.
type output interface {
	event(e incident.Event) error
	record(r incident.Record) error
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
	for _, e := range r.translator.events(o) {
		if err := r.out.event(e); err != nil {
			return time.Time{}, err
		}
		if err := r.write(r.tracker.Observe(e)); err != nil {
			return time.Time{}, err
		}
	}
	return r.tracker.Deadline(), nil
}

func (r *recorder) wake(now time.Time) (time.Time, error) {
	err := r.write(r.tracker.Advance(now))
	return r.tracker.Deadline(), err
}

func (r *recorder) write(records []incident.Record) error {
	for _, record := range records {
		if err := r.out.record(record); err != nil {
			return err
		}
	}
	return nil
}
