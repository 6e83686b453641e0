package qb

import (
	"context"
	"sync"
	"time"
)

// Event is a message that the server sent by itself.
type Event struct {
	Data     []byte    // the whole message, header included
	Received time.Time // when it was taken from the transport; has a monotonic reading
}

// queue holds events between the goroutine that takes them from the transport and
// whoever asks for them. It is bounded by the bytes it holds.
type queue struct {
	limit int

	mu     sync.Mutex
	events []Event
	bytes  int
	err    error // set once: nothing comes after what is queued
	stats  Stats
	// changed is closed, and replaced, at every change that somebody may wait for.
	changed chan struct{}
}

// Stats are what a connection has seen so far.
type Stats struct {
	Events  uint64 // delivered by the server
	Bytes   uint64 // in those events
	Queued  int    // events that Event has not returned yet
	Peak    int    // the most bytes ever queued
	Stalled uint64 // times that the queue was full and the server had to wait
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, changed: make(chan struct{})}
}

// put appends an event. While the queue is full it blocks, until it is not or until
// abort is closed: then it gives false.
func (q *queue) put(e Event, abort <-chan struct{}) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	// One event always fits, however large.
	for full := false; q.bytes > 0 && q.bytes+len(e.Data) > q.limit; full = true {
		if !full {
			q.stats.Stalled++
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
			q.mu.Lock()
		case <-abort:
			q.mu.Lock()
			return false
		}
	}
	q.events = append(q.events, e)
	q.bytes += len(e.Data)
	q.stats.Events++
	q.stats.Bytes += uint64(len(e.Data))
	q.stats.Peak = max(q.stats.Peak, q.bytes)
	q.wakeAll()
	return true
}

// finish says that nothing comes after what is queued, and why.
func (q *queue) finish(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
		q.wakeAll()
	}
}

// get removes the oldest event, and waits for one until ctx ends.
func (q *queue) get(ctx context.Context) (Event, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.events) == 0 {
		if q.err != nil {
			return Event{}, q.err
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
			q.mu.Lock()
		case <-ctx.Done():
			q.mu.Lock()
			return Event{}, context.Cause(ctx)
		}
	}
	e := q.events[0]
	q.events[0] = Event{}
	if q.events = q.events[1:]; len(q.events) == 0 {
		q.events = nil // a burst must not keep its memory
	}
	q.bytes -= len(e.Data)
	q.wakeAll()
	return e, nil
}

func (q *queue) wakeAll() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) snapshot() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Queued = len(q.events)
	return s
}
