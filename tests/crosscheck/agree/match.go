package agree

import (
	"cmp"
	"slices"
	"time"

	"holdfast/crmbridge/incident"
)

// early is by how much a record may begin before the fault it belongs to: an occurrence
// may be an estimate.
const early = time.Second

// match is a repetition and the records that belong to it.
type match struct {
	measured
	survivors []string // the nodes that have to record it
	records   []incident.Record
	// first is the record of the fault itself; nil without one. interrupted is the one of
	// its records that tells of the interruption: a fault in several steps has several.
	first, interrupted *incident.Record
	right              bool // first tells the right cause
}

// matches finds the records of each repetition. A record belongs to the last one that had
// begun when the record says that something happened.
func matches(c Campaign) ([]match, error) {
	nodes := nodesOf(c.Writings)
	var all []match
	for _, f := range c.Repetitions {
		e, known := expected(f.Name)
		if !known {
			return nil, unknownFault(f.Name)
		}
		all = append(all, match{measured: measure(f, e), survivors: survivors(nodes, f.Targets, e)})
	}
	for _, r := range c.Records {
		if i := owner(all, r); i >= 0 {
			all[i].records = append(all[i].records, r)
		}
	}
	for i := range all {
		all[i].choose()
	}
	return all, nil
}

func owner(all []match, r incident.Record) int {
	at := begin(r)
	for i, m := range slices.Backward(all) {
		if !at.Before(m.stroke.Add(-early)) {
			if at.After(m.end()) {
				return -1
			}
			return i
		}
	}
	return -1
}

// begin is when a record says that it happened.
func begin(r incident.Record) time.Time {
	if r.Occurrence.Known() {
		return r.Occurrence.At
	}
	return r.Begin.At
}

func nodesOf(writings []Writing) []string {
	var nodes []string
	for _, w := range writings {
		nodes = append(nodes, w.Node)
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

func survivors(nodes, targets []string, e expectation) []string {
	if !e.lost {
		return nodes
	}
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return slices.Contains(targets, n) })
}

// choose picks the record of the fault itself: one with the right cause, told by the nodes
// that were left, by as many as possible, and that began closest to it.
func (m *match) choose() {
	sorted := slices.Clone(m.records)
	slices.SortStableFunc(sorted, func(a, b incident.Record) int {
		return cmp.Or(m.rank(a)-m.rank(b), len(b.Observers)-len(a.Observers), cmp.Compare(m.away(a), m.away(b)))
	})
	if len(sorted) == 0 || m.rank(sorted[0]) > chosen {
		return
	}
	m.first, m.right = &sorted[0], m.expectation.right(sorted[0], m.Targets)
	m.interrupted = m.first
	for i, r := range sorted {
		if m.first.Interruption == 0 && r.Interruption > 0 && m.right && m.expectation.right(r, m.Targets) && !m.otherSide(r) {
			m.interrupted = &sorted[i]
			return
		}
	}
}

// away is how far from the stroke a record begins.
func (m *match) away(r incident.Record) time.Duration { return r.Begin.At.Sub(m.stroke).Abs() }

// The last rank of a record that can be of the fault itself.
const chosen = 2

// rank orders records by how likely they are of the fault itself.
func (m *match) rank(r incident.Record) int {
	switch {
	case m.expectation.right(r, m.Targets) && !m.otherSide(r):
		return 0
	case m.expectation.right(r, m.Targets):
		return 1
	case !m.allowed(r, m.Targets) && !m.silent && begin(r).Sub(m.stroke) < recovered && !m.otherSide(r):
		return chosen
	}
	return chosen + 1
}

// recovered is how long after a fault a record with another cause is still taken for a
// wrong account of it, and not for one of what followed.
const recovered = 3 * time.Second

// otherSide says whether only nodes that were lost told of it.
func (m *match) otherSide(r incident.Record) bool {
	return len(m.survivors) > 0 && !slices.ContainsFunc(r.Observers, func(o string) bool { return slices.Contains(m.survivors, o) })
}

// strays are the records that nothing in the fault explains.
func (m *match) strays() []incident.Record {
	return slices.DeleteFunc(slices.Clone(m.records), func(r incident.Record) bool {
		return m.first != nil && r.ID == m.first.ID || m.allowed(r, m.Targets)
	})
}

// missing are the nodes that should have written the record of the fault and did not.
func (m *match) missing() []string {
	return slices.DeleteFunc(slices.Clone(m.survivors), func(n string) bool { return slices.Contains(m.first.Observers, n) })
}

// swallowed is a record of something earlier that was not over when the fault struck.
func swallowed(m match, all []incident.Record) (incident.Record, bool) {
	for _, r := range all {
		if begin(r).Before(m.stroke.Add(-early)) && r.End.At.After(m.stroke) {
			return r, true
		}
	}
	return incident.Record{}, false
}
