package agree

import (
	"cmp"
	"slices"
	"time"

	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/result"
)

const (
	// ordinary is the longest time without an answer that is no interruption; it is the
	// monitor's default.
	ordinary = 100 * time.Millisecond
	// soon is how long after its injection a fault that is felt at once is felt.
	soon = time.Second
)

// measured is what the monitor saw of one repetition, in the times of the clock.
type measured struct {
	result.Fault
	expectation
	stroke time.Time
	by     string // how the stroke is known
	gaps   []gap
	// silences are what the gaps are made of: the monitor joins those with little service between them.
	silences []gap
}

// gap is a time in which the service did not answer. A write takes its time: that the service is
// back is known of some moment between when the write was begun that ends the gap and its answer.
type gap struct{ from, begun, to time.Time }

func (g gap) length() time.Duration { return g.to.Sub(g.from) }

// How a stroke is known.
const (
	byNode   = "struck"      // whoever did it said when
	byClient = "last answer" // a client was answered the last time
	byMark   = "injected"    // the command for it was begun: it struck somewhat later
)

func measure(f result.Fault, e expectation) measured {
	m := measured{Fault: f, expectation: e, stroke: f.Injected, by: byMark}
	m.gaps, m.silences = interruptions(f)
	for _, mark := range f.Marks {
		if mark.Name == result.Struck {
			m.stroke, m.by = m.at(mark.At), byNode
			return m
		}
	}
	if e.atOnce && len(m.gaps) > 0 && m.gaps[0].from.Sub(f.Injected) <= soon {
		m.stroke, m.by = m.gaps[0].from, byClient
	}
	return m
}

func (m measured) at(offset result.Milliseconds) time.Time {
	return m.Injected.Add(offset.Duration())
}
func (m measured) end() time.Time { return m.at(m.To) }

// mark is when something was seen, or the zero time.
func (m measured) mark(name string) time.Time {
	for _, mark := range m.Marks {
		if mark.Name == name {
			return m.at(mark.At)
		}
	}
	return time.Time{}
}

// interruptions are the times without an answer to the writer that makes a new connection
// for each write, as far as they ended after the injection, and the silences that they consist
// of. Its dots are every attempt, so they are found as the monitor finds them, and not only the
// longest one.
func interruptions(f result.Fault) (gaps, silences []gap) {
	i := slices.IndexFunc(f.Clients, func(c result.Client) bool { return c.Kind == "new-connection" })
	if i < 0 {
		return nil, nil
	}
	var answers []outage.Answer
	for _, d := range f.Clients[i].Dots {
		if d.Verdict == "acknowledged" {
			answers = append(answers, outage.Answer{Intended: (d.At - f.From).Duration(), At: (d.At + d.Latency - f.From).Duration(), Node: d.Node})
		}
	}
	start := f.Injected.Add(f.From.Duration())
	add := func(all []gap, from, to time.Duration) []gap {
		if !start.Add(to).After(f.Injected) {
			return all
		}
		return append(all, gap{start.Add(from), start.Add(begun(answers, to)), start.Add(to)})
	}
	figures := outage.Measure(outage.Observation{Answers: answers, Fault: (-f.From).Duration(), End: (f.To - f.From).Duration()}, ordinary)
	for _, g := range figures.Gaps {
		gaps = add(gaps, g.From, g.To)
	}
	slices.SortFunc(answers, func(a, b outage.Answer) int { return cmp.Compare(a.At, b.At) })
	for i := 1; i < len(answers); i++ {
		if from, to := answers[i-1].At, answers[i].At; to-from >= ordinary {
			silences = add(silences, from, to)
		}
	}
	return gaps, silences
}

// earlierEnds are an interruption as far as to each of its ends but the last: where the service was back
// for longer than two moments may differ, and never again away for longer than a commit may take.
func (m measured) earlierEnds(whole gap, differ time.Duration) []gap {
	var ends []gap
	again := whole.to // when the service was away the next time
	for _, s := range slices.Backward(m.silences) {
		if s.from.Before(whole.from) || s.to.After(whole.to) {
			continue
		}
		if s.to.Before(whole.to) && again.Sub(s.to) > differ {
			ends = append(ends, gap{whole.from, s.begun, s.to})
		}
		if s.length() > noticeable {
			break
		}
		again = s.from
	}
	return ends
}

// begun is when the write was begun that was answered at a time; of several the last.
func begun(answers []outage.Answer, at time.Duration) time.Duration {
	latest := time.Duration(-1)
	for _, a := range answers {
		if a.At == at {
			latest = max(latest, a.Intended)
		}
	}
	if latest < 0 {
		return at // nobody answered: the gap has no end
	}
	return latest
}

// during is the interruption that shares the longest time with the one from a moment to
// another; the zero gap if none does.
func (m measured) during(from, to time.Time) gap {
	var best gap
	var most time.Duration
	for _, g := range m.gaps {
		begin, end := g.from, g.to
		if from.After(begin) {
			begin = from
		}
		if to.Before(end) {
			end = to
		}
		if shared := end.Sub(begin); shared > most {
			best, most = g, shared
		}
	}
	return best
}

// longest is the longest interruption; the zero gap if there was none.
func (m measured) longest() gap {
	var longest gap
	for _, g := range m.gaps {
		if g.length() > longest.length() {
			longest = g
		}
	}
	return longest
}
