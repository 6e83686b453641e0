package load

import (
	"context"
	"sync"
	"time"

	"holdfast/tests/chaos/wait"
)

// Schedule says when operations start.
type Schedule struct {
	Origin   time.Time     // when tick 0 starts; all offsets count from here
	Interval time.Duration // between two ticks
	Deadline time.Duration // of one operation, from its start
	InFlight int           // most operations at the same time
}

// Attempt is the operation of one tick. Intended, Started and Done are offsets
// from the schedule's origin on the monotonic clock.
type Attempt[T any] struct {
	Tick     uint64
	Intended time.Duration
	Started  time.Duration
	Done     time.Duration
	Overflow bool // not started, because InFlight operations were under way
	Answer   T    // what the operation returned; the zero value on Overflow
}

// Run starts do once per tick until ctx is done, waits for the operations under
// way, and closes out. The context of an operation ends at its own deadline and
// not with ctx: what was started is also observed to its end. When the machine
// held the client up, the ticks that were missed start at once, with the times
// that were intended.
func Run[T any](ctx context.Context, s Schedule, do func(ctx context.Context, tick uint64) T, out chan<- Attempt[T]) {
	defer close(out)
	var underway sync.WaitGroup
	defer underway.Wait()

	slots := make(chan struct{}, s.InFlight)
	for tick := uint64(0); ; tick++ {
		a := Attempt[T]{Tick: tick, Intended: time.Duration(tick) * s.Interval}
		if !wait.For(ctx, time.Until(s.Origin.Add(a.Intended))) {
			return
		}
		// Each in a goroutine of its own, an overflow too: a slow reader of out
		// must not delay the schedule.
		select {
		case slots <- struct{}{}:
			underway.Go(func() {
				a.Started = time.Since(s.Origin)
				opCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Deadline)
				a.Answer = do(opCtx, tick)
				a.Done = time.Since(s.Origin)
				cancel()
				<-slots
				out <- a
			})
		default:
			underway.Go(func() {
				a.Overflow = true
				a.Started = time.Since(s.Origin)
				a.Done = a.Started
				out <- a
			})
		}
	}
}
