package main

import (
	"testing"
	"time"

	"holdfast/tests/chaos/outage"
)

// service answers every 10 ms within the given [from, to) pairs of milliseconds.
type service [][2]int

// follow plays a course over a service and returns what it did and when.
func follow(c course, s service, faultTakes time.Duration) map[step]time.Duration {
	did := map[step]time.Duration{}
	streak := outage.Streak{Threshold: 100 * time.Millisecond}
	for tick := range 20000 {
		now := time.Duration(tick) * 10 * time.Millisecond
		for _, up := range s {
			if ms := tick * 10; ms >= up[0] && ms < up[1] {
				streak.Answer(now)
			}
		}
		if c.phase == faultRunning && now >= c.started+faultTakes {
			c.faultReturned(now)
		}
		switch next := c.next(now, streak); next {
		case carryOn:
		case startFault:
			did[next] = now
			c.faultStarted(now)
		default:
			did[next] = now
			return did
		}
	}
	return did
}

func TestCourse(t *testing.T) {
	const s = time.Second
	withFault := course{before: 3 * s, after: 5 * s, limit: 60 * s, hasFault: true}
	never := 1 << 30
	tests := []struct {
		name       string
		course     course
		service    service
		faultTakes time.Duration
		want       map[step]time.Duration
	}{
		{"lost and back", withFault, service{{0, 3010}, {5000, never}}, 0,
			map[step]time.Duration{startFault: 3 * s, finish: 10 * s}},
		{"a gap before the fault starts the wait again", withFault, service{{0, 2000}, {2500, 6000}, {7000, never}}, 0,
			map[step]time.Duration{startFault: 5500 * time.Millisecond, finish: 12 * s}},
		{"a gap after the recovery starts the wait again", withFault, service{{0, 3010}, {5000, 8000}, {8500, never}}, 0,
			map[step]time.Duration{startFault: 3 * s, finish: 13500 * time.Millisecond}},
		{"the wait counts from the command's return", withFault, service{{0, never}}, 7 * s,
			map[step]time.Duration{startFault: 3 * s, finish: 15 * s}},
		{"never steady", withFault, service{{500, 1000}, {1500, 2000}}, 0,
			map[step]time.Duration{giveUpUnsteady: 60 * s}},
		{"never back", withFault, service{{0, 3010}}, 0,
			map[step]time.Duration{startFault: 3 * s, giveUpSilent: 63 * s}},
		{"back just within the limit", withFault, service{{0, 3010}, {62900, never}}, 0,
			map[step]time.Duration{startFault: 3 * s, finish: 67900 * time.Millisecond}},
		{"flapping for ever", withFault, flapping(3010, 100000), 0,
			map[step]time.Duration{startFault: 3 * s, giveUpSilent: 63 * s}},
		{"without a fault, for a time", course{duration: 4 * s}, service{{0, 1000}}, 0,
			map[step]time.Duration{finish: 4 * s}},
		{"without a fault, until a signal", course{}, service{{0, never}}, 0,
			map[step]time.Duration{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := follow(test.course, test.service, test.faultTakes)
			for next, want := range test.want {
				if at, done := got[next]; !done || (at-want).Abs() > 200*time.Millisecond {
					t.Errorf("step %d at %v (%v), want %v", next, at, done, want)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("did %v, want %v", got, test.want)
			}
		})
	}
}

// flapping is steady until from and then answers for 300 ms of every 600.
func flapping(from, to int) service {
	s := service{{0, from}}
	for at := from; at < to; at += 600 {
		s = append(s, [2]int{at + 300, at + 600})
	}
	return s
}
