package ocf

import (
	"context"
	"sync"
	"time"
)

// deadline is context.WithTimeout without its timer until somebody waits for it: a timer
// brings the runtime's poller and another thread with it, and most monitors have their
// answer without ever waiting.
type deadline struct {
	context.Context // the parent
	at              time.Time

	mu     sync.Mutex
	timed  context.Context // nil until somebody waits
	cancel context.CancelFunc
}

func withDeadline(parent context.Context, limit time.Duration) *deadline {
	return &deadline{Context: parent, at: time.Now().Add(limit)}
}

func (d *deadline) begin() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.cancel = context.WithDeadline(d.Context, d.at)
	}
	return d.timed
}

// end ends the context, for good.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.cancel = context.WithCancel(d.Context)
	}
	d.cancel()
}

// Deadline implements [context.Context].
func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Done implements [context.Context].
func (d *deadline) Done() <-chan struct{} { return d.begin().Done() }

// Err implements [context.Context]: after the deadline it is an error even if nobody has
// waited.
func (d *deadline) Err() error {
	d.mu.Lock()
	timed := d.timed
	d.mu.Unlock()
	if timed == nil && time.Now().Before(d.at) {
		return d.Context.Err()
	}
	return d.begin().Err()
}
