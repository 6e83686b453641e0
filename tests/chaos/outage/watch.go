package outage

import "time"

// Watch follows a service for as long as one likes and keeps only its
// interruptions. [Measure] sees more, but needs every answer at the end.
//
// What it can tell apart is a service that was away and an observer who was: a
// gap in which nothing failed, because nothing was tried, proves nothing.
type Watch struct {
	Threshold time.Duration

	last   time.Duration
	failed int // attempts since the last answer
	gaps   []watched
	stalls []Gap
}

// watched is a gap with what was tried in it.
type watched struct {
	gap    Gap
	failed int
}

// Answer takes an answer.
func (w *Watch) Answer(at time.Duration) {
	if at <= w.last {
		return // goroutines may report slightly out of order
	}
	if at-w.last >= w.Threshold {
		w.add(Gap{From: w.last, To: at})
	}
	w.last, w.failed = at, 0
}

// Failure takes an attempt that was not answered.
func (w *Watch) Failure() { w.failed++ }

// Late takes how late an attempt was started: the observer was held up.
func (w *Watch) Late(intended, started time.Duration) {
	if started-intended < w.Threshold {
		return
	}
	if n := len(w.stalls); n > 0 && intended <= w.stalls[n-1].To && started >= w.stalls[n-1].From {
		w.stalls[n-1].From = min(w.stalls[n-1].From, intended)
		w.stalls[n-1].To = max(w.stalls[n-1].To, started)
		return
	}
	w.stalls = append(w.stalls, Gap{From: intended, To: started})
}

// add joins gaps with less than the threshold of service between them.
func (w *Watch) add(g Gap) {
	if n := len(w.gaps); n > 0 && g.From-w.gaps[n-1].gap.To < w.Threshold {
		w.gaps[n-1].gap.To, w.gaps[n-1].gap.Open = g.To, g.Open
		w.gaps[n-1].failed += w.failed
		return
	}
	w.gaps = append(w.gaps, watched{gap: g, failed: w.failed})
}

// Seen is what the watch amounts to when it ends at the given time:
// interruptions, and for how long nobody was looking.
func (w *Watch) Seen(end time.Duration) (interruptions []Gap, unmeasured time.Duration) {
	all := w.gaps
	if end-w.last >= w.Threshold {
		copied := Watch{Threshold: w.Threshold, failed: w.failed, gaps: append([]watched(nil), w.gaps...)}
		copied.add(Gap{From: w.last, To: end, Open: true})
		all = copied.gaps
	}
	for _, g := range all {
		if g.failed == 0 && w.stalled(g.gap) >= g.gap.Length()-2*w.Threshold {
			unmeasured += g.gap.Length()
			continue
		}
		interruptions = append(interruptions, g.gap)
	}
	return interruptions, unmeasured
}

// stalled is for how much of a gap the observer was held up.
func (w *Watch) stalled(g Gap) time.Duration {
	var sum time.Duration
	for _, s := range w.stalls {
		sum += max(0, min(s.To, g.To)-max(s.From, g.From))
	}
	return sum
}
