package agree

import (
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
	brief  gap // the longest time without an answer since the injection, if none was an interruption
}

// gap is a time in which the service did not answer. A write takes its time: that the service is
// back is known of some moment between when the write was begun, from which on each one was answered,
// and its answer. In the middle of an interruption some may be, of those that had waited, which ends the
// gap, while others that wait fail; and the monitor joins two gaps with little between them.
type gap struct{ from, to, begun, answered time.Time }

func (g gap) length() time.Duration { return g.to.Sub(g.from) }

// How a stroke is known.
const (
	byNode   = "struck"      // whoever did it said when
	byClient = "last answer" // a client was answered the last time
	byMark   = "injected"    // the command for it was begun: it struck somewhat later
)

func measure(f result.Fault, e expectation) measured {
	m := measured{Fault: f, expectation: e, stroke: f.Injected, by: byMark}
	m.gaps, m.brief = interruptions(f)
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
// for each write, as far as they ended after the injection. Its dots are every attempt, so
// they are found as the monitor finds them, and not only the longest one. If there is none, it tells of the longest
// time without an answer, as the monitor does.
func interruptions(f result.Fault) (all []gap, brief gap) {
	i := slices.IndexFunc(f.Clients, func(c result.Client) bool { return c.Kind == "new-connection" })
	if i < 0 {
		return nil, gap{}
	}
	var answers []outage.Answer
	var failed []time.Duration // when they were begun
	for _, d := range f.Clients[i].Dots {
		begun := (d.At - f.From).Duration()
		if d.Verdict == "acknowledged" {
			answers = append(answers, outage.Answer{Intended: begun, At: begun + d.Latency.Duration(), Node: d.Node})
		} else {
			failed = append(failed, begun)
		}
	}
	figures := outage.Measure(outage.Observation{Answers: answers, Fault: (-f.From).Duration(), End: (f.To - f.From).Duration()}, ordinary)
	start := f.Injected.Add(f.From.Duration())
	known := func(g outage.Gap) gap {
		first := restored(answers, failed, g)
		return gap{start.Add(g.From), start.Add(g.To), start.Add(first.Intended), start.Add(first.At)}
	}
	for _, g := range figures.Gaps {
		if start.Add(g.To).After(f.Injected) {
			all = append(all, known(g))
		}
	}
	if len(all) == 0 && figures.Interruption != (outage.Gap{}) {
		brief = known(figures.Interruption)
	}
	return all, brief
}

// restored is the write from which on each one was answered: the first one begun after the last one that failed of
// those that were begun in a gap; if none failed, the one whose answer ends the gap.
func restored(answers []outage.Answer, failed []time.Duration, g outage.Gap) outage.Answer {
	lastFailed := time.Duration(-1)
	for _, begun := range failed {
		if begun > g.From && begun < g.To {
			lastFailed = max(lastFailed, begun)
		}
	}
	first, found := outage.Answer{Intended: g.To, At: g.To}, false // it stays so if the gap has no end
	for _, a := range answers {
		switch {
		case lastFailed < 0 && a.At != g.To, a.Intended <= lastFailed, found && a.Intended >= first.Intended:
		default:
			first, found = a, true
		}
	}
	return first
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
