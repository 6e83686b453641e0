package outage

import "time"

// Streak follows the answers while they arrive and knows for how long the
// service has been without a gap. It serves the course of a run; the figures
// come from [Measure], which sees the answers in their true order.
type Streak struct {
	Threshold time.Duration

	answered    bool
	since, last time.Duration
}

// Answer records an answer at the given time. One that is older than the last
// changes nothing: goroutines may report slightly out of order.
func (s *Streak) Answer(at time.Duration) {
	if s.answered && at <= s.last {
		return
	}
	if !s.answered || at-s.last >= s.Threshold {
		s.since = at
	}
	s.answered, s.last = true, at
}

// Unbroken is how long, up to the last answer, the service has been without a
// gap, counted from the given time at the earliest.
func (s *Streak) Unbroken(from time.Duration) time.Duration {
	if !s.answered {
		return 0
	}
	return max(0, s.last-max(s.since, from))
}

// Silent is how long there has been no answer.
func (s *Streak) Silent(now time.Duration) time.Duration { return now - s.last }
