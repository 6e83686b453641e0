package outage

import (
	"slices"
	"time"
)

// Answer is one acknowledged write.
type Answer struct {
	Intended time.Duration // when the schedule wanted the write to start
	At       time.Duration // when the answer was complete
	Node     string        // who answered
}

// Gap is the time between two answers.
type Gap struct {
	From, To time.Duration
	Before   string // node of the answer at From; empty when there was none
	After    string // node of the answer at To; empty when the gap is open
	Open     bool   // no answer came before the observation ended at To
}

// Length is the duration of the gap; of an open one, as far as it was observed.
func (g Gap) Length() time.Duration { return g.To - g.From }

// Observation is everything that is known when a run is over. The order of
// Answers does not matter.
type Observation struct {
	Answers []Answer
	Fault   time.Duration // just before the fault was started; 0 when there was none
	End     time.Duration // when the last attempt was over
}

// Figures is what an observation amounts to.
type Figures struct {
	// Interruption is the longest gap that ended after the fault was started,
	// from the last answered write before it to the first answered after it. An
	// open gap counts as longer than any other. It can be shorter than the
	// threshold: then the fault did not interrupt the service.
	Interruption Gap
	// Gaps are all interruptions of at least the threshold, in order of time.
	Gaps []Gap
	// Dark is the sum of Gaps.
	Dark time.Duration
}

// Back says whether the service was there at the end.
func (f Figures) Back() bool {
	return !f.Interruption.Open && (len(f.Gaps) == 0 || !f.Gaps[len(f.Gaps)-1].Open)
}

// Measure computes the figures of an observation. Gaps shorter than threshold
// are ordinary latency.
func Measure(o Observation, threshold time.Duration) Figures {
	all := gaps(o, threshold)
	f := Figures{Gaps: merge(all, threshold)}
	for _, g := range f.Gaps {
		f.Dark += g.Length()
	}
	f.Interruption = longestSince(f.Gaps, o.Fault)
	if f.Interruption == (Gap{}) {
		f.Interruption = longestSince(all, o.Fault)
	}
	return f
}

// gaps lists every gap between two answers, the silence before the first answer
// and, when it reaches threshold, the silence after the last.
func gaps(o Observation, threshold time.Duration) []Gap {
	answers := slices.Clone(o.Answers)
	slices.SortFunc(answers, func(a, b Answer) int { return int(a.At - b.At) })

	var all []Gap
	var last Answer
	for _, a := range answers {
		all = append(all, Gap{From: last.At, To: a.At, Before: last.Node, After: a.Node})
		last = a
	}
	// The trailing silence of a healthy run is one interval and an answer time.
	if o.End-last.At >= threshold {
		all = append(all, Gap{From: last.At, To: o.End, Before: last.Node, Open: true})
	}
	return all
}

// merge keeps the gaps of at least threshold and joins those with less than
// threshold of service between them.
func merge(all []Gap, threshold time.Duration) []Gap {
	var merged []Gap
	for _, g := range all {
		if g.Length() < threshold {
			continue
		}
		if n := len(merged); n > 0 && g.From-merged[n-1].To < threshold {
			merged[n-1].To, merged[n-1].After, merged[n-1].Open = g.To, g.After, g.Open
			continue
		}
		merged = append(merged, g)
	}
	return merged
}

// longestSince is the longest gap that ended after fault, an open one first;
// the zero Gap when there is none.
func longestSince(all []Gap, fault time.Duration) Gap {
	var longest Gap
	for _, g := range all {
		switch {
		case g.To <= fault && !g.Open:
		case g.Open, !longest.Open && g.Length() > longest.Length():
			longest = g
		}
	}
	return longest
}

// Silence is how long there had been no answer when the observation ended.
func (f Figures) Silence() time.Duration {
	if n := len(f.Gaps); n > 0 && f.Gaps[n-1].Open {
		return f.Gaps[n-1].Length()
	}
	return 0
}
