package incident

import (
	"slices"
	"strings"
	"time"
)

// givesUp says whether with a view the database let go of a member that it lost without a word.
// Until then nobody can commit: a write is certified by all members of the last view (Galera's
// documentation, "evs.suspect_timeout"). One that leaves in order is missed by nobody, as one that
// its agent stops: of a database that still ran when it failed only a suspicion tells.
//
// If the database meanwhile had no primary component at all, it gave up more than that, and what
// its members did first when they had one again is something else. (A server that joins writes both views at
// once, and the journal gives them one time.)
func (c *course) givesUp(e Event) bool {
	if _, lost := c.first(func(o Event) bool {
		return o.Kind == ViewChanged && o.Node == e.Node && o.View.Status != "Primary" && !o.At.Wall.After(e.At.Wall)
	}); lost {
		return false
	}
	fewer := e.View.Members > 0 && e.View.Members < c.before.databases()
	switch c.cause.Kind {
	case DatabaseDied, DatabaseHung, NodeLost, NodeFenced:
		return fewer
	case DatabaseFailed, DatabaseUnfit:
		return fewer && !c.heard(e).IsZero()
	default:
		return false
	}
}

// heard is when the database that made a view had last heard of the member that it suspected before;
// zero if it did not, or does not say for how long it waited.
func (c *course) heard(view Event) time.Time {
	var at time.Time
	for _, e := range c.events {
		if since, known := silentSince(e); known && e.Kind == PeerSuspected && e.Node == view.Node && !e.At.Wall.After(view.At.Wall) {
			at = since
		}
	}
	return at
}

// gaveUp says whether the database on another node let go of the one that failed.
func (c *course) gaveUp() bool {
	_, ok := c.first(func(e Event) bool {
		return e.Kind == ViewChanged && e.View.Status == "Primary" && e.Node != c.cause.Node && c.givesUp(e)
	})
	return ok
}

// rejoined is when a node that was lost with the address was there again with it, before the cluster
// moved it: when all of the database were together again, or else the nodes.
func (c *course) rejoined() (Event, bool) {
	return c.final(func(e Event) bool {
		whole := e.Kind == ViewChanged && e.View.Applied && e.View.Members >= c.before.databases()
		return whole || e.Kind == NodeJoined && e.Node == c.cause.Node
	})
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
// than the return of the address, or if the address stayed. It begins when the database missed a
// member, if that was later than the failure. A record of one node knows when its own database could,
// which is hardly another moment; the merged one that of the node that has the address. The phases
// still add up.
func (r *Record) waitForView() {
	view, ok := r.awaited()
	if asked := r.index(PhaseClient) >= 0; !ok || asked || !r.Occurrence.Known() || !view.End.After(r.Occurrence.At) { // a client knows best
		return
	}
	since, told := r.gone(view)
	writes, late := r.index(PhaseWrites), view.End.After(r.ServiceBack.At)
	switch {
	case writes >= 0 && view.End.After(r.Phases[writes].Begin):
		r.back(&r.Phases[writes], view)
	case writes >= 0:
	case r.Interruption > 0 && late:
		r.wait(r.ServiceBack, view)
	case r.Outcome == Unaffected && r.From != "" && r.From == r.To && r.To != r.Cause.Node:
		r.Outcome = Waited
		r.wait(since, view)
	}
	if told {
		r.waitedSince(since)
	}
	if told || late {
		r.clip(since)
	}
}

// waitedSince lets writes that are all that was waited for have waited from when another node has told
// that the member was missed, and the interruption by the loss of a node begin then, of which a node that had
// missed nobody knows no more than when the token stopped, or the end of the fencing.
func (r *Record) waitedSince(since Point) {
	first := slices.IndexFunc(r.Phases, func(p Phase) bool { return p.Path })
	if first < 0 || !since.At.Before(r.Phases[first].Begin) {
		return
	}
	if p := &r.Phases[first]; p.Name == PhaseWrites || r.Cause.Kind == NodeLost || r.Cause.Kind == NodeFenced {
		r.Interruption += p.begins(since)
	}
}

// begins has a phase begin at another moment, and tells by how much it is longer for that.
func (p *Phase) begins(at Point) time.Duration {
	longer := p.Begin.Sub(at.At)
	p.Begin, p.Duration, p.Basis = at.At, p.End.Sub(at.At), worse(p.Basis, at.Basis)
	return longer
}

// served says whether clients were served until the address was taken away: its agent had foreseen that, or its node
// had only lost its Pacemaker.
func (c *course) served() bool {
	return c.release.Known() && (c.foreseen() || c.kept())
}

// kept says whether a node that had only lost its Pacemaker had the address until it was taken away: it was found there
// meanwhile, or its kernel took it away only then.
func (c *course) kept() bool {
	if c.cause.Kind != NodeLost || c.gone(c.cause.Node) {
		return false
	}
	its := func(e Event) bool { return e.Node == c.cause.Node && e.At.Wall.After(c.detection.At) }
	_, removed := c.first(func(e Event) bool {
		return e.Kind == AddressRemoved && its(e) && !e.At.Wall.Before(c.release.At)
	})
	return removed || slices.ContainsFunc(c.found, func(e Event) bool { return its(e) && e.At.Wall.Before(c.release.At) })
}

// foreseen says whether clients were served until the address was taken away: the agent said that they
// would be better off elsewhere, as with a full disk, and not that the database did not answer. What became of the
// database after that does not matter.
func (c *course) foreseen() bool {
	warned := false
	for _, e := range c.events {
		word, database := c.after.word(e.Change.Name)
		switch {
		case e.Kind != AttributeChanged || e.Node != c.cause.Node:
		case word == wordState && strings.Contains(e.Change.Value, "not answer"):
			return false
		case word == wordUnfit && database == c.cause.Resource && e.Change.Value != "" && !e.At.Wall.After(c.release.At):
			warned = true
		}
	}
	return warned && c.sound(c.cause.Node, c.release.At)
}

// index is where the first phase of a name is, or -1.
func (r *Record) index(name PhaseName) int {
	return slices.IndexFunc(r.Phases, func(p Phase) bool { return p.Name == name })
}

// clip takes from the interruption what was before a time until which clients were served: the address
// may have been on two nodes until the one that the cluster had given up was fenced, and clients of
// either were.
func (r *Record) clip(since Point) {
	if r.Interruption == 0 || !since.At.After(r.Occurrence.At) {
		return
	}
	for i := range r.Phases {
		switch p := &r.Phases[i]; {
		case !p.Path:
		case !p.End.After(since.At):
			p.Path = false
			r.Interruption -= p.Duration
		case p.Begin.Before(since.At):
			r.Interruption += p.begins(since)
		}
	}
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
// that worked until it was fenced: then the others gave it up after that. Whoever missed it first has
// told when it had last heard of it. Without that it is when the token stopped, until which the node was there, and
// else the end of the fencing, which may come some time after the node is off.
func (r *Record) gone(view Phase) (begin Point, told bool) {
	begin = r.Occurrence
	for _, p := range r.Phases {
		if !p.Waited || p.Heard.IsZero() || p.Heard.After(view.End) {
			continue
		}
		if told = true; p.Heard.After(r.Detection.At) && p.Heard.After(begin.At) {
			begin = Point{At: p.Heard, Basis: Estimated}
		}
	}
	if told {
		return begin, true
	}
	for _, p := range r.Phases {
		switch {
		case p.Node != r.Cause.Node:
		case p.Name == PhaseMembership && p.Heard.After(r.Detection.At) && p.Heard.Before(view.End):
			return Point{At: p.Heard, Basis: Estimated}, true
		case p.Name == PhaseFencing && p.End.After(begin.At) && p.End.Before(view.End):
			begin = Point{At: p.End, Basis: Estimated}
		}
	}
	return begin, false
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
	if i := r.index(PhaseRecovery); i >= 0 {
		return Point{At: r.Phases[i].End, Basis: r.Phases[i].Basis, How: r.Phases[i].Note}
	}
	return Point{}
}
