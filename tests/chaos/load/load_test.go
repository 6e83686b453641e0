package load_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/tests/chaos/load"
)

const ms = time.Millisecond

// play runs a schedule of n ticks in a bubble of fake time; took says how long
// the operation of a tick takes unless its deadline ends it.
func play(t *testing.T, n, inFlight int, took func(tick uint64) time.Duration) []load.Attempt[bool] {
	t.Helper()
	var all []load.Attempt[bool]
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*10*ms-ms)
		defer cancel()
		out := make(chan load.Attempt[bool])
		go load.Run(ctx, load.Schedule{Origin: time.Now(), Interval: 10 * ms, Deadline: 250 * ms, InFlight: inFlight},
			func(ctx context.Context, tick uint64) bool {
				select {
				case <-time.After(took(tick)):
					return true
				case <-ctx.Done():
					return false
				}
			}, out)
		for a := range out {
			all = append(all, a)
		}
	})
	slices.SortFunc(all, func(a, b load.Attempt[bool]) int { return int(a.Tick) - int(b.Tick) })
	return all
}

func TestSlowAnswersDoNotDelayTheSchedule(t *testing.T) {
	all := play(t, 100, 1000, func(tick uint64) time.Duration {
		if tick >= 20 && tick < 60 {
			return time.Hour
		}
		return 2 * ms
	})
	if len(all) != 100 {
		t.Fatalf("%d attempts in 100 ticks", len(all))
	}
	for i, a := range all {
		intended := time.Duration(i) * 10 * ms
		slow := i >= 20 && i < 60
		took := 2 * ms
		if slow {
			took = 250 * ms // the deadline
		}
		want := load.Attempt[bool]{Tick: uint64(i), Intended: intended, Started: intended, Done: intended + took, Answer: !slow}
		if a != want {
			t.Errorf("tick %d: got %+v, want %+v", i, a, want)
		}
	}
}

func TestOverflowFailsInsteadOfWaiting(t *testing.T) {
	all := play(t, 10, 3, func(uint64) time.Duration { return time.Hour })
	if len(all) != 10 {
		t.Fatalf("%d attempts in 10 ticks", len(all))
	}
	for i, a := range all {
		if wantOverflow := i >= 3; a.Overflow != wantOverflow {
			t.Errorf("tick %d: overflow is %v", i, a.Overflow)
		}
		if a.Started != a.Intended {
			t.Errorf("tick %d: started at %v instead of %v", i, a.Started, a.Intended)
		}
	}
}

func TestWhatIsUnderWayAtTheEndIsObserved(t *testing.T) {
	all := play(t, 5, 10, func(uint64) time.Duration { return 200 * ms })
	for _, a := range all {
		if !a.Answer || a.Done-a.Started != 200*ms {
			t.Errorf("tick %d was cut short: %+v", a.Tick, a)
		}
	}
}

// A reader that does not read must not hold up the ticks, overflow or not.
func TestSlowReaderDoesNotDelayTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 95*ms)
		defer cancel()
		out := make(chan load.Attempt[bool])
		go load.Run(ctx, load.Schedule{Origin: time.Now(), Interval: 10 * ms, Deadline: 250 * ms, InFlight: 2},
			func(context.Context, uint64) bool { return true }, out)
		time.Sleep(time.Second)
		count := 0
		for a := range out {
			count++
			if a.Started != a.Intended {
				t.Errorf("tick %d: started at %v instead of %v", a.Tick, a.Started, a.Intended)
			}
		}
		if count != 10 {
			t.Errorf("%d attempts in 10 ticks", count)
		}
	})
}
