package sla

import (
	"slices"
	"time"

	"holdfast/crmbridge/incident"
)

// sides is how far apart the two sides of a network that broke notice it.
const sides = 30 * time.Second

// own leaves out the other side of a cut network: a node that lost quorum, and of which
// others say that it was lost. What the service did is on their side.
func own(records []incident.Record) []incident.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r incident.Record) bool {
		return r.Cause.Kind == incident.QuorumGone && slices.ContainsFunc(records, func(o incident.Record) bool {
			return (o.Cause.Kind == incident.NodeLost || o.Cause.Kind == incident.NodeFenced) && o.Cause.Node == r.Cause.Node &&
				o.Begin.At.Sub(r.Begin.At).Abs() <= sides
		})
	})
}

// Outages are the times without service, by the ID of the record that says so. One that
// has no end in its own record ends when a later one says that the service is back, or
// not before now.
func Outages(records []incident.Record, now time.Time) map[string][]Span {
	sorted := slices.SortedFunc(slices.Values(own(records)), func(a, b incident.Record) int { return a.Begin.At.Compare(b.Begin.At) })
	outages := map[string][]Span{}
	for i, r := range sorted {
		switch {
		case r.Interruption > 0:
			outages[r.ID] = []Span{{r.ServiceBack.At.Add(-r.Interruption), r.ServiceBack.At}}
		case (r.Outcome == incident.Down || r.Outcome == incident.Halted) && r.Occurrence.Known():
			outages[r.ID] = []Span{{r.Occurrence.At, backAfter(sorted[i+1:], r.Occurrence.At, now)}}
		}
	}
	return outages
}

func backAfter(later []incident.Record, since, now time.Time) time.Time {
	for _, r := range later {
		if r.ServiceBack.Known() && r.ServiceBack.At.After(since) {
			return r.ServiceBack.At
		}
	}
	return now
}

// union sorts spans and joins those that overlap.
func union(spans []Span) []Span {
	var joined []Span
	for _, s := range slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return a.From.Compare(b.From) }) {
		if last := len(joined) - 1; last >= 0 && !s.From.After(joined[last].To) {
			if s.To.After(joined[last].To) {
				joined[last].To = s.To
			}
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// clip is what of the spans lies in a window.
func clip(spans []Span, window Span) []Span {
	var inside []Span
	for _, s := range spans {
		if s.From.Before(window.From) {
			s.From = window.From
		}
		if s.To.After(window.To) {
			s.To = window.To
		}
		if s.Length() > 0 {
			inside = append(inside, s)
		}
	}
	return inside
}

func length(spans []Span) time.Duration {
	var sum time.Duration
	for _, s := range spans {
		sum += s.Length()
	}
	return sum
}
