package outage

import (
	"slices"
	"time"
)

// Latency is how long acknowledged writes took, counted from the time the
// schedule intended, so that a client that was held up does not flatter the
// service (see "coordinated omission", github.com/giltene/wrk2).
type Latency struct {
	Median, P99, Max time.Duration
}

// LatencyOf returns the latencies of answers; zero without any.
func LatencyOf(answers []Answer) Latency {
	if len(answers) == 0 {
		return Latency{}
	}
	took := make([]time.Duration, len(answers))
	for i, a := range answers {
		took[i] = a.At - a.Intended
	}
	slices.Sort(took)
	rank := func(percent int) time.Duration { return took[(len(took)-1)*percent/100] }
	return Latency{Median: rank(50), P99: rank(99), Max: rank(100)}
}
