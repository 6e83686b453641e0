package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Merge brings the records of several nodes together: those with one ID are one
// incident. Of each node its newest revision counts. The result is in the order of time.
//
// What only one node could see, as the end of a process, is taken from it; a point that
// several nodes know is taken from who knows it best, and then from who saw it first.
func Merge(records []Record) []Record {
	byID := map[string][]Record{}
	for _, r := range records {
		byID[r.ID] = append(byID[r.ID], r)
	}
	var merged []Record
	for _, id := range sortedKeys(byID) {
		for _, same := range together(byID[id]) {
			merged = append(merged, merge(newestOf(same)))
		}
	}
	merged = withOwnReturns(merged)
	slices.SortStableFunc(merged, func(a, b Record) int { return a.Begin.At.Compare(b.Begin.At) })
	return merged
}

// withOwnReturns joins what a node records of its own return with what the others do of it: it
// learns of it only later, so that it cannot derive the same ID.
func withOwnReturns(records []Record) []Record {
	isOwn := func(r Record) bool {
		return r.Cause.Kind == NodeReturned && len(r.Observers) == 1 && r.Observers[0] == r.Cause.Node
	}
	var own, rest []Record
	for _, r := range records {
		if isOwn(r) {
			own = append(own, r)
		} else {
			rest = append(rest, r)
		}
	}
	for _, o := range own {
		i := slices.IndexFunc(rest, func(r Record) bool {
			return r.Cause.Kind == NodeReturned && r.Cause.Node == o.Cause.Node && !slices.Contains(r.Observers, o.Cause.Node) &&
				!o.Begin.At.Add(inPassing).Before(r.Begin.At) && !o.Begin.At.After(r.End.At)
		})
		if i < 0 {
			rest = append(rest, o)
			continue
		}
		rest[i].Observers = sorted(append(slices.Clone(rest[i].Observers), o.Observers...))
		o.Gaps = nil // the others saw what it could not
		rest[i].take(o)
	}
	return rest
}

// anew is how far apart the begins of two incidents are that have one ID because the
// cluster was set up again, and its CIB counts from the start.
const anew = 10 * time.Minute

// together splits records of one ID into those of one incident.
func together(records []Record) [][]Record {
	slices.SortStableFunc(records, func(a, b Record) int { return a.Begin.At.Compare(b.Begin.At) })
	var groups [][]Record
	for i, r := range records {
		if i == 0 || r.Begin.At.Sub(records[i-1].Begin.At) > anew {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], r)
	}
	return groups
}

// newestOf keeps the newest revision of each record of each observer, in an order that
// does not depend on the one given.
func newestOf(records []Record) []Record {
	newest := map[string]Record{}
	for _, r := range records {
		key := r.ID + " " + strings.Join(r.Observers, " ")
		if old, ok := newest[key]; !ok || r.Revision > old.Revision {
			newest[key] = r
		}
	}
	var kept []Record
	for _, key := range sortedKeys(newest) {
		kept = append(kept, newest[key])
	}
	return kept
}

// merge makes one record of those of several nodes about one incident. The one that
// knows most is the base: by who was there to the end, then that with the fewest estimates and gaps, then that
// to which it happened first. When it happened is settled before the phases are added, because what was over
// before it is no part of it.
func merge(all []Record) Record {
	there := longestThere(all)
	slices.SortStableFunc(all, func(a, b Record) int {
		return cmp.Or(there(a, b), cmp.Compare(estimates(a), estimates(b)), cmp.Compare(len(a.Gaps), len(b.Gaps)),
			a.Occurrence.At.Compare(b.Occurrence.At), cmp.Compare(a.Observers[0], b.Observers[0]))
	})
	m := all[0]
	m.Phases, m.Gaps, m.Clocks = slices.Clone(m.Phases), slices.Clone(m.Gaps), slices.Clone(m.Clocks)
	m.Cause.Evidence = slices.Clone(m.Cause.Evidence)
	for _, r := range all[1:] {
		if r.Cause.outweighs(m.Cause) { // only the node itself sees a process end
			m.Cause.Kind = r.Cause.Kind
		}
	}
	for _, r := range all[1:] {
		m.earlierNotice(r)
	}
	for _, r := range all[1:] {
		m.Observers = sorted(append(slices.Clone(m.Observers), r.Observers...))
		m.Revision = max(m.Revision, r.Revision)
		m.Planned = m.Planned && r.Planned
		m.take(r)
	}
	for _, r := range all[1:] {
		m.closer(r)
	}
	m.waitForView()
	slices.SortStableFunc(m.Phases, func(a, b Phase) int {
		first := func(p Phase) bool { return !p.Path && p.Name != PhaseVerify }
		if order := boolean(first(a), first(b)); order != 0 || !first(a) {
			return order
		}
		return cmp.Or(a.Begin.Compare(b.Begin), a.End.Compare(b.End))
	})
	return m
}

// longestThere orders records by how much of the incident their nodes were there for: those that saw its end
// first, but before them one that sees the service away after that, as when all nodes leave one after another; who
// is cut off is no such witness. A node that was a member until the cluster was lost knows more than one that had left it.
func longestThere(all []Record) func(a, b Record) int {
	var over time.Time
	for _, r := range all {
		if !r.Open {
			over = later(over, r.End.At)
		}
	}
	goesOn := func(r Record) bool {
		return r.Open && r.End.At.After(over) && (r.Outcome == Halted || r.Outcome == Down) && !r.tells(QuorumGone)
	}
	return func(a, b Record) int {
		order := cmp.Or(boolean(!goesOn(a), !goesOn(b)), boolean(a.Open, b.Open), boolean(a.tells(ClusterStarted), b.tells(ClusterStarted)))
		if order == 0 && a.Open {
			order = b.End.At.Compare(a.End.At)
		}
		return order
	}
}

// closer takes the return of the service from the node that has the address now: it
// sees the address, and the others the end of an operation. The phases still add up.
func (r *Record) closer(o Record) {
	up, late := o.AddressBack(), r.AddressBack()
	if len(o.Observers) != 1 || o.Observers[0] != r.To || r.Interruption == 0 || !up.Known() ||
		up.Basis.rank() > late.Basis.rank() || !up.At.Before(late.At) {
		return
	}
	first := slices.IndexFunc(r.Phases, func(p Phase) bool { return p.Path })
	if first < 0 || !up.At.After(r.Phases[first].Begin) {
		return
	}
	if late == r.ServiceBack { // nothing was waited for afterwards
		r.Interruption -= late.At.Sub(up.At)
		r.ServiceBack = up
	}
	for i, p := range r.Phases {
		switch {
		case p.Path && p.Name != PhaseWrites: // others may hear of the decision after that
			if p.Name == PhaseRecovery {
				p.Note = up.How
			}
			p.Begin, p.End = earlier(p.Begin, up.At), earlier(p.End, up.At)
		case p.Name == PhaseWrites && p.Begin.Equal(late.At):
			p.Begin = up.At
		case p.Name == PhaseVerify && r.ServiceBack == up:
			p.Begin = up.At
		}
		p.Duration = p.End.Sub(p.Begin)
		r.Phases[i] = p
	}
}

// earlierNotice takes the occurrence from who saw it happen, or else from who first noticed it: that says no more
// than that it was not later. The node of a database that fell silent, for one, does not miss it. And
// a member between the representative, which holds the token, and the lost one gets the token once
// more: the ring is broken and nobody knows yet. What tells of the token and what does not are no
// notices of the same.
func (r *Record) earlierNotice(o Record) {
	byToken := func(p Point) bool { return strings.HasPrefix(p.How, tokenStopped) }
	was, is := r.Occurrence, o.Occurrence
	if is.Known() && was.Known() && is.Basis.rank() < was.Basis.rank() && o.Cause.Kind == r.Cause.Kind && o.Cause.Node == r.Cause.Node {
		r.occurred(is) // it saw it happen
		return
	}
	if byToken(was) == byToken(is) && was.Basis == Estimated && is.Basis == Estimated && is.At.Before(was.At) {
		r.occurred(is)
	}
}

// occurred takes another occurrence. The phases still add up.
func (r *Record) occurred(at Point) {
	begins := func(p Phase) bool { return p.Begin.Equal(r.Occurrence.At) }
	first := slices.IndexFunc(r.Phases, func(p Phase) bool { return p.Path && begins(p) })
	if first >= 0 && r.Phases[first].End.Before(at.At) || first < 0 && r.Interruption > 0 {
		return
	}
	moved := false
	for i, p := range r.Phases {
		if begins(p) && !p.End.Before(at.At) && (!p.Path || !moved) {
			moved = moved || p.Path
			r.Phases[i].Begin, r.Phases[i].Duration = at.At, p.End.Sub(at.At)
		}
	}
	if r.Interruption > 0 {
		r.Interruption -= at.At.Sub(r.Occurrence.At)
	}
	r.Occurrence = at
}

// take adds what another node knows and this record does not.
func (r *Record) take(o Record) {
	if o.Cause.Kind == r.Cause.Kind && o.Cause.Node == r.Cause.Node {
		for _, e := range o.Cause.Evidence {
			// Everybody sees the CIB, and each at its own time.
			if !slices.ContainsFunc(r.Cause.Evidence, func(x Evidence) bool { return x.What == e.What }) {
				r.Cause.Evidence = append(r.Cause.Evidence, e)
			}
		}
		slices.SortStableFunc(r.Cause.Evidence, func(a, b Evidence) int { return a.At.Compare(b.At) })
	}
	for _, p := range o.Phases {
		if p.Name == PhaseView { // its begin is the occurrence, which the other may not know
			if p.End.Before(r.Occurrence.At) {
				continue
			}
			p.Begin, p.Duration, p.Basis = r.Occurrence.At, p.End.Sub(r.Occurrence.At), worse(r.Occurrence.Basis, Logged)
		}
		same := func(x Phase) bool { return x.Name == p.Name && x.Node == p.Node && x.Resource == p.Resource }
		if !p.Path && p.Name != PhaseUnfinished && p.Name != PhaseVerify && !slices.ContainsFunc(r.Phases, same) {
			r.Phases = append(r.Phases, p)
		}
	}
	for _, t := range o.Transitions {
		i := slices.IndexFunc(r.Transitions, func(x TransitionRef) bool { return x.Number == t.Number })
		if i < 0 {
			r.Transitions = append(r.Transitions, t)
		} else if r.Transitions[i].PEInput == "" {
			r.Transitions[i] = t
		}
	}
	for _, c := range o.Clocks {
		if !slices.ContainsFunc(r.Clocks, func(x ClockState) bool { return x.Node == c.Node }) {
			r.Clocks = append(r.Clocks, c)
		}
	}
	r.Gaps = append(r.Gaps, o.Gaps...)
	r.Nodes = sorted(slices.Concat(r.Nodes, o.Nodes))
	r.Resources = sorted(slices.Concat(r.Resources, o.Resources))
}

// estimates counts what is not measured of the answers that matter.
func estimates(r Record) int {
	n := 0
	for _, p := range []Point{r.Occurrence, r.Detection, r.ServiceBack} {
		if p.Known() {
			n += p.Basis.rank()
		}
	}
	return n
}

// boolean orders false before true.
func boolean(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
