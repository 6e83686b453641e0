package incident

import "slices"

// givesUp says whether with a view the database let go of a member that it lost without a word.
// Until then nobody can commit: a write is certified by all members of the last view (Galera's
// documentation, "evs.suspect_timeout"). One that leaves in order is missed by nobody.
//
// If the database meanwhile had no primary component at all, it gave up more than that, and what
// its members did first when they had one again is something else.
func (c *course) givesUp(e Event) bool {
	if _, lost := c.first(func(o Event) bool {
		return o.Kind == ViewChanged && o.Node == e.Node && o.View.Status != "Primary" && o.At.Wall.Before(e.At.Wall)
	}); lost {
		return false
	}
	switch c.cause.Kind {
	case DatabaseDied, DatabaseHung, NodeLost, NodeFenced:
		return e.View.Members > 0 && e.View.Members < c.before.databases()
	default:
		return false
	}
}

// databases are how many of the database run on nodes that are there.
func (s *state) databases() int {
	n := 0
	for i := range s.roles {
		if s.isDatabase(i.resource) && s.live(i.node) {
			n++
		}
	}
	return n
}

// waitForView lets the interruption last until the database could write again, if that was later
// than the return of the address, or if the address stayed. A record of one node knows when its
// own database could, which is hardly another moment; the merged one that of the node that has
// the address. The phases still add up.
func (r *Record) waitForView() {
	view, ok := r.awaited()
	writes := r.index(PhaseWrites)
	asked := r.index(PhaseClient) >= 0 // and then the client knows best
	switch {
	case !ok || asked || !view.End.After(r.Occurrence.At):
	case writes >= 0 && view.End.After(r.Phases[writes].Begin):
		r.back(&r.Phases[writes], view)
	case writes >= 0:
	case r.Interruption > 0 && view.End.After(r.ServiceBack.At):
		if since := r.gone(view); since.At.After(r.Occurrence.At) {
			r.served()
			r.wait(since, view)
		} else {
			r.wait(r.ServiceBack, view)
		}
	case r.Outcome == Unaffected && r.From != "" && r.From == r.To && r.To != r.Cause.Node:
		r.Outcome = Waited
		r.wait(r.gone(view), view)
	}
}

// index is where the first phase of a name is, or -1.
func (r *Record) index(name PhaseName) int {
	return slices.IndexFunc(r.Phases, func(p Phase) bool { return p.Name == name })
}

// served takes the interruption back that was reckoned with: the address was on two nodes until
// the one that the cluster had given up was fenced, and clients of either were served.
func (r *Record) served() {
	for i := range r.Phases {
		r.Phases[i].Path = false
	}
	r.Interruption = 0
}

// awaited is the phase that writes waited for.
func (r *Record) awaited() (Phase, bool) {
	var last Phase
	for _, p := range r.Phases {
		switch {
		case !p.Waited:
		case p.Node == r.To:
			return p, true
		case p.End.After(last.End):
			last = p
		}
	}
	return last, last.Waited
}

// gone is since when the database missed a member. A node that the cluster gave up may have had one
// that worked until it was fenced: then the others gave it up after that.
func (r *Record) gone(view Phase) Point {
	begin := r.Occurrence
	for _, p := range r.Phases {
		if p.Name == PhaseFencing && p.Node == r.Cause.Node && p.End.After(begin.At) && p.End.Before(view.End) {
			begin = Point{At: p.End, Basis: Estimated}
		}
	}
	return begin
}

// wait makes the last part of the path.
func (r *Record) wait(since Point, view Phase) {
	after := 0
	for i, p := range r.Phases {
		if p.Path {
			after = i + 1
		}
	}
	r.Phases = slices.Insert(r.Phases, after, phase(PhaseWrites, since, since, true))
	r.back(&r.Phases[after], view)
}

// back moves the return of the service to the end of a view. What the cluster had seen of the
// address before is no proof of the service.
func (r *Record) back(writes *Phase, view Phase) {
	r.Interruption += view.End.Sub(writes.End)
	r.ServiceBack = Point{At: view.End, Basis: Logged, How: view.Note}
	writes.End, writes.Duration, writes.Note = view.End, view.End.Sub(writes.Begin), view.Note
	writes.Basis = worse(writes.Basis, Logged)
	r.Phases = slices.DeleteFunc(r.Phases, func(p Phase) bool { return p.Name == PhaseVerify && p.End.Before(view.End) })
	for i := range r.Phases {
		if p := &r.Phases[i]; p.Name == PhaseVerify {
			p.Begin, p.Duration = view.End, p.End.Sub(view.End)
		}
	}
}

// AddressBack is when the address was up again. The zero Point says that it stayed, is not back,
// or that nobody could tell.
func (r Record) AddressBack() Point {
	if r.index(PhaseWrites) < 0 {
		return r.ServiceBack
	}
	if i := slices.IndexFunc(r.Phases, func(p Phase) bool { return p.Path && p.Name == PhaseRecovery }); i >= 0 {
		return Point{At: r.Phases[i].End, Basis: r.Phases[i].Basis, How: r.Phases[i].Note}
	}
	return Point{}
}
