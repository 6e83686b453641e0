package incident

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// assemble makes records of events that begin in a state. now is until when nothing more
// happened, on the same clock as the events.
func assemble(before *state, events []Event, now time.Time) []*candidate {
	events = ordered(events)
	segments, unanswered, after := split(before, events)
	var gaps, steps []Event
	for _, e := range events {
		if e.Kind == Gap {
			gaps = append(gaps, e)
		}
		if e.Kind == ClockChanged && e.Clock.Stepped != 0 {
			steps = append(steps, e)
		}
	}
	for _, e := range unanswered {
		if lonely(e) && now.Sub(e.At.Wall) > lookBack {
			segments = append(segments, alone(e, unanswered, after))
		}
	}
	var all []*candidate
	for _, s := range fold(segments) {
		all = append(all, &candidate{segment: s, record: s.record(gaps, steps, now)})
	}
	return all
}

// candidate is a record that may not be over yet, and what it was made of.
type candidate struct {
	*segment
	record Record
}

// alone is the incident of something that nobody reacted to.
func alone(e Event, unanswered []Event, st *state) *segment {
	s := &segment{root: e, how: fails, before: st, after: st, events: []Event{e}, last: e.At.Wall, acted: true}
	if i := slices.IndexFunc(unanswered, func(o Event) bool { return o.Kind == ProbeGood && o.At.Wall.After(e.At.Wall) }); i >= 0 && e.Kind == ProbeBad {
		s.events, s.last = append(s.events, unanswered[i]), unanswered[i].At.Wall
	}
	return s
}

// lonely says whether something is an incident even if nobody reacts to it.
func lonely(e Event) bool {
	return e.Kind == UnitDied || e.Kind == AddressRemoved || e.Kind == ProbeBad
}

// fold drops segments in which nothing was done. What an administrator said in one
// belongs to the incident before it: a constraint that is lifted when all is done.
func fold(segments []*segment) []*segment {
	var kept []*segment
	for _, s := range segments {
		switch {
		case s.acted:
			kept = append(kept, s)
		case len(kept) > 0 && s.root.At.Wall.Sub(kept[len(kept)-1].last) <= afterglow:
			kept[len(kept)-1].close(s.events)
		}
	}
	return kept
}

// close takes what came after an incident: what a client felt is still of it.
func (s *segment) close(events []Event) {
	for _, e := range events {
		if e.Source == FromProbe {
			s.events = append(s.events, e)
		} else {
			s.afterwards = append(s.afterwards, e)
		}
	}
}

func (s *segment) record(gaps, steps []Event, now time.Time) Record {
	causes := s.causes()
	if e, ok := s.ownReturn(causes[0], gaps); ok {
		causes[0] = Cause{Kind: NodeReturned, Node: e.Observer, Evidence: append([]Evidence{evidence(e)}, causes[0].Evidence...)}
	}
	if s.clusterLost() {
		causes[0] = Cause{Kind: ClusterLost, Node: s.before.served.node, Evidence: append([]Evidence{s.lastSign()}, causes[0].Evidence...)}
	}
	if s.clusterStarted() {
		causes = started(causes)
	}
	planned := s.planned(causes)
	if !s.open { // what had no end then has none: it does not grow until somebody writes it down
		now = s.last
	}
	c := reckon(s, causes[0], planned, now)
	from, length := c.interruption()
	r := Record{
		Schema: 1, ID: s.id(), Observers: []string{s.root.Observer}, Open: s.open,
		Cause: causes[0], Also: causes[1:], Planned: planned, Outcome: c.outcome(),
		Occurrence: c.occurrence, Detection: c.detection, ServiceBack: c.back, Interruption: length,
		From: c.from, To: c.to,
		Phases: slices.Concat(c.path(), c.parts()), Transitions: c.transitions(), Operator: c.actions(),
		DC: s.after.dc,
	}
	if c.affected {
		r.Occurrence = from
	}
	r.Begin, r.End = s.extent()
	r.Nodes, r.Resources, r.CIB = s.involved()
	if c.from != "" && c.affected {
		r.Nodes = sorted(append(r.Nodes, c.from))
	}
	doubt := r.Begin.At.Add(-inDoubt)
	r.Gaps = append(blind(gaps, doubt, r.End.At), c.missing()...)
	r.Clocks = s.clocks(steps, doubt, r.End.At)
	if len(r.Also) == 0 {
		r.Also = nil
	}
	if c.served() {
		r.clip(c.release)
	}
	r.waitForView()
	return r
}

// clocks are the states of the clocks, by node, and by how much they were set in a time.
func (s *segment) clocks(steps []Event, begin, end time.Time) []ClockState {
	var all []ClockState
	for _, node := range slices.Sorted(maps.Keys(s.after.clock)) {
		was := ClockState{Node: node, Clock: s.after.clock[node]}
		was.Stepped = 0
		if node == s.root.Observer && s.root.At.Mono != 0 {
			was.Read = s.root.At
		}
		for _, e := range steps {
			if e.Observer == node && !e.At.Wall.Before(begin) && !e.At.Wall.After(end) {
				was.Stepped += e.Clock.Stepped
			}
		}
		all = append(all, was)
	}
	return all
}

// ownReturn says whether what Pacemaker did and nobody saw a reason for is only what it does with
// a node that has just come back: the observer itself, which saw neither the cluster nor its
// membership before. What it does at once elsewhere is because of that, too: the node may bring quorum.
func (s *segment) ownReturn(cause Cause, gaps []Event) (Event, bool) {
	if cause.Kind != ClusterDecision {
		return Event{}, false
	}
	long := acceptance
	if cause.Node == s.root.Observer {
		long = lookBack
	}
	ended := func(source Source) int {
		return slices.IndexFunc(gaps, func(g Event) bool {
			since := s.root.At.Wall.Sub(g.Until)
			return g.Source == source && g.Observer == s.root.Observer && !g.Until.IsZero() && since >= 0 && since <= long
		})
	}
	i := ended(FromCIB)
	if i < 0 || ended(FromCorosync) < 0 {
		return Event{}, false
	}
	return gaps[i], true
}

// clusterLost says whether an incident is the return of the observer to a cluster of which no node was
// left: there is none that it could join, and the address, which was somewhere when the observer last
// knew, is nowhere.
func (s *segment) clusterLost() bool {
	return s.begun() && s.before.served.node != "" && !s.before.serving()
}

// clusterStarted says the same if the address was nowhere when the observer last knew: the cluster is new, or had
// been stopped in order.
func (s *segment) clusterStarted() bool {
	return s.begun() && s.before.served.node == "" && !s.before.located()
}

// begun says whether an incident begins with the observer in a cluster that there was not before.
func (s *segment) begun() bool {
	return s.formed && s.how == returns && s.root.Observer == s.root.Node && s.before.ring != "" && s.root.State.Expected == "" &&
		!s.met.cluster(s.root.CIB)
}

// started are the causes when a cluster was started: that nodes come, and that they had no quorum before, is what a
// start is.
func started(causes []Cause) []Cause {
	first := Cause{Kind: ClusterStarted}
	var rest []Cause
	for _, c := range causes {
		switch c.Kind {
		case NodeReturned, QuorumGone, ClusterDecision:
			first.Evidence = append(first.Evidence, c.Evidence...)
		default:
			rest = append(rest, c)
		}
	}
	slices.SortStableFunc(first.Evidence, func(a, b Evidence) int { return a.At.Compare(b.At) })
	return append([]Cause{first}, rest...)
}

// met is what a node that comes back is told of others, by the versions of the CIB.
type met struct {
	members map[string]bool // with which another node takes part in a cluster
	dc      string          // with which there is a DC
}

func (m *met) add(e Event) {
	switch {
	case e.Kind == DCChanged && e.Node != "":
		m.dc = e.CIB
	case e.Kind == NodeChanged && e.Node != e.Observer && e.State.Online && e.State.Expected == "member":
		if m.members == nil {
			m.members = map[string]bool{}
		}
		m.members[e.CIB] = true
	}
}

// cluster says whether there was one that the node joined: another node was a member with the version with
// which it first heard of itself, or of a DC. Nodes that form a cluster become members together, and before
// they have a DC.
func (m *met) cluster(first string) bool { return m.members[first] || m.dc != "" && m.members[m.dc] }

// undecided says whether nobody can tell yet if there was a cluster before: the node has not heard of a DC.
func (s *segment) undecided() bool {
	return (s.clusterLost() || s.clusterStarted()) && s.after.dc == ""
}

// lastSign is until when the service may have been there before the cluster was lost.
func (s *segment) lastSign() Evidence {
	return Evidence{
		At: s.before.served.at, Source: FromJournal, Observer: s.root.Observer, Basis: Estimated,
		What: fmt.Sprintf("the last sign of life of %s; the address was on %s", s.root.Observer, s.before.served.node),
	}
}

// outcome is what became of the service.
func (c *course) outcome() Outcome {
	switch {
	case !c.affected:
		return Unaffected
	case c.back.Known():
		return Restored
	case c.after.halted():
		return Halted
	}
	return Down
}

// halted says whether every address that is nowhere is so by an administrator's will, or
// for want of quorum.
func (s *state) halted() bool {
	halted := false
	for name := range s.known {
		if s.isAddress(name) && s.where(name) == "" {
			if halted = s.stopped(name) || !s.quorum || s.ending(); !halted {
				return false
			}
		}
	}
	return halted
}

// extent is when the first and the last thing of the incident was.
func (s *segment) extent() (begin, end Point) {
	begin, end = point(s.root, Tell(s.root)), point(s.root, Tell(s.root))
	for _, e := range s.events {
		if e.At.Wall.Before(begin.At) {
			begin = point(e, Tell(e))
		}
		if e.At.Wall.After(end.At) && e.Source != FromJournal {
			end = point(e, Tell(e))
		}
	}
	return begin, end
}

// involved are the nodes and resources of which something failed or was changed, and the
// versions of the CIB.
func (s *segment) involved() (nodes, resources []string, versions [2]string) {
	for _, e := range s.events {
		if e.CIB != "" && e.Basis != Estimated {
			if versions[0] == "" {
				versions[0] = e.CIB
			}
			versions[1] = e.CIB
		}
		switch e.Kind {
		case OperationBegun, OperationEnded:
			if (e.Op.Failed || s.after.interesting(e.Op.Resource)) && e.Op.Resource != "" {
				resources = append(resources, e.Op.Resource)
				nodes = append(nodes, e.Node)
			}
		case NodeChanged, FencingRequested, FencingEnded, StandbySet, StandbyCleared, UnitDied, AddressRemoved, ShutdownRequested:
			nodes = append(nodes, e.Node)
		case ConstraintSet, ConstraintCleared:
			resources = append(resources, e.Constraint.Resource)
		case SettingChanged:
			resources = append(resources, e.Change.Resource)
		default:
		}
	}
	drop := func(s string) bool { return s == "" }
	return slices.DeleteFunc(sorted(nodes), drop), slices.DeleteFunc(sorted(resources), drop), versions
}

// missing is what must have happened and nobody said.
func (c *course) missing() []Blind {
	var all []Blind
	for _, p := range c.parts() {
		ours := p.Resource != "" || p.Name == PhaseFencing
		if ours && p.Basis == Estimated || p.Name == PhaseUnfinished {
			source := FromCIB
			if p.Resource == "" {
				source = FromFencer
			}
			what := string(p.Name) + " on " + p.Node
			if p.Resource != "" {
				what = string(p.Name) + " of " + p.Resource + " on " + p.Node
			}
			if p.Note != "" {
				what += ": " + p.Note
			}
			all = append(all, Blind{Observer: c.root.Observer, Source: source, From: p.Begin, Until: p.End, What: what})
		}
	}
	return all
}
