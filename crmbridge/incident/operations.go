package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// parts are the phases that lie among those of the path: operations, fencing,
// membership, the database's views and what clients saw.
func (c *course) parts() []Phase {
	phases := slices.Concat(c.operations(), c.arrivals(), c.fencing(), c.membership(), c.views(), c.clients())
	slices.SortStableFunc(phases, func(a, b Phase) int {
		return cmp.Or(a.Begin.Compare(b.Begin), a.End.Compare(b.End), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Node, b.Node))
	})
	return phases
}

func (c *course) operations() []Phase {
	var phases []Phase
	begun := map[action]Event{}
	monitored := map[instance]bool{}
	for _, e := range c.events {
		at := action{instance{e.Op.Resource, e.Node}, e.Op.Action}
		switch {
		case e.Op.Action == "" || e.Op.Probe() || e.Op.Action == "notify" || !c.after.interesting(e.Op.Resource):
			continue
		case e.Kind == OperationBegun:
			begun[at] = e
			continue
		}
		begin, seen := begun[at]
		delete(begun, at)
		if e.Op.Action == "monitor" {
			// Only the first one after a start is a phase; the others are every few seconds.
			if !seen || monitored[at.instance] || !c.after.isAddress(e.Op.Resource) {
				continue
			}
			monitored[at.instance] = true
		}
		phases = append(phases, c.operation(begin, seen, e))
	}
	for at, e := range begun {
		if c.after.interesting(at.resource) {
			phases = append(phases, Phase{
				Name: PhaseUnfinished, Node: at.node, Resource: at.resource, Begin: e.At.Wall, End: c.now, Duration: c.now.Sub(e.At.Wall),
				Basis: e.Basis, Note: Tell(e) + ", and no end of it was seen",
			})
		}
	}
	return phases
}

// operation is the phase of one that ended. If its begin was not seen, what Pacemaker
// says of its length is left.
func (c *course) operation(begin Event, seen bool, end Event) Phase {
	p := Phase{
		Name: c.phaseOf(end.Op), Node: end.Node, Resource: end.Op.Resource, Begin: begin.At.Wall, End: end.At.Wall,
		Basis: worse(begin.Basis, end.Basis), Failed: end.Op.Failed,
	}
	if end.Op.Failed {
		p.Note = Tell(end)
	}
	if late := max(begin.Op.Late, end.Op.Late); late > 0 && p.Note == "" {
		p.Note = belated(late, end.Node)
	}
	if !seen {
		p.Begin, p.Basis, p.Note = end.At.Wall.Add(-end.Op.Exec), Estimated, "its begin was not seen"
	}
	p.Duration = p.End.Sub(p.Begin)
	return p
}

// belated says that the CIB told of something too late.
func belated(late time.Duration, node string) string {
	return "told of up to " + late.String() + " late, by the clock of " + node
}

func (c *course) phaseOf(o Operation) PhaseName {
	if c.after.isAddress(o.Resource) {
		switch o.Action {
		case "stop":
			return PhaseRelease
		case "start":
			return PhaseAddress
		}
	}
	return PhaseName(o.Action)
}

func (c *course) fencing() []Phase {
	var phases []Phase
	begun := map[string]Event{}
	for _, e := range c.events {
		switch e.Kind {
		case FencingRequested:
			if _, again := begun[e.Node]; !again {
				begun[e.Node] = e
			}
		case FencingEnded:
			p := Phase{Name: PhaseFencing, Node: e.Node, End: e.At.Wall, Basis: e.Basis, Failed: e.Fencing.Failed, Note: "by " + e.Fencing.Delegate}
			if e.Fencing.Failed {
				p.Note = cmp.Or(e.Fencing.Reason, "it failed")
			}
			if b, ok := begun[e.Node]; ok {
				p.Begin, p.Basis = b.At.Wall, worse(b.Basis, e.Basis)
				delete(begun, e.Node)
			} else {
				p.Begin, p.Basis, p.Note = e.At.Wall, Estimated, p.Note+"; its begin was not seen"
			}
			p.Duration = p.End.Sub(p.Begin)
			phases = append(phases, p)
		default:
		}
	}
	for node, e := range begun {
		phases = append(phases, Phase{
			Name: PhaseUnfinished, Node: node, Begin: e.At.Wall, End: c.now, Duration: c.now.Sub(e.At.Wall), Basis: e.Basis,
			Note: Tell(e) + ", and no end of it was seen",
		})
	}
	return phases
}

// membership is what Corosync took from the loss of the token to a new membership.
func (c *course) membership() []Phase {
	token, ok := c.first(func(e Event) bool { return e.Kind == TokenLost })
	left, ok2 := c.first(func(e Event) bool { return e.Kind == NodeLeft })
	if !ok || !ok2 || left.At.Wall.Before(token.At.Wall) {
		return nil
	}
	p := phase(PhaseMembership, point(token, ""), point(left, Tell(left)), false)
	p.Node = left.Node
	if at, known := silentSince(token); known && left.At.Wall.Sub(token.At.Wall) <= inPassing {
		p.Heard = at
	}
	return []Phase{p}
}

// views are how long the database on the other nodes took to a new primary view, in which they
// could write. That of the node that failed comes when it joins again.
func (c *course) views() []Phase {
	if !c.occurrence.Known() {
		return nil
	}
	var phases []Phase
	seen := map[string]bool{}
	for i, e := range c.events {
		if e.Kind != ViewChanged || e.View.Status != "Primary" || seen[e.Node] || e.Node == c.cause.Node && c.cause.Kind.Failure() {
			continue
		}
		if seen[e.Node] = true; e.At.Wall.Before(c.occurrence.At) {
			continue
		}
		end := c.applied(i)
		p := phase(PhaseView, c.occurrence, point(end, Tell(end)), false)
		if p.Node, p.Waited = e.Node, c.givesUp(e); p.Waited {
			p.Heard = c.heard(e)
		}
		phases = append(phases, p)
	}
	return phases
}

// applied is the event that says that the database of a node could write in a view, which is one of
// the events: the view itself, if nothing says more.
func (c *course) applied(i int) Event {
	view := c.events[i]
	for _, e := range c.events[i+1:] {
		switch {
		case e.Kind != ViewChanged || e.Node != view.Node || e.View == view.View:
		case e.View.Applied:
			return e
		default:
			return view // another one came before
		}
	}
	return view
}

// clients is how long a client was not served.
func (c *course) clients() []Phase {
	bad, ok := c.first(func(e Event) bool { return e.Kind == ProbeBad })
	good, ok2 := c.final(func(e Event) bool { return e.Kind == ProbeGood })
	if !ok || !ok2 || good.At.Wall.Before(bad.At.Wall) {
		return nil
	}
	p := phase(PhaseClient, point(bad, ""), point(good, ""), false)
	p.Node = bad.Node
	return []Phase{p}
}

// transitions are the plans that operations belonged to, with the files they came from.
func (c *course) transitions() []TransitionRef {
	var all []TransitionRef
	find := func(number int) *TransitionRef {
		for i := range all {
			if all[i].Number == number {
				return &all[i]
			}
		}
		all = append(all, TransitionRef{Number: number})
		return &all[len(all)-1]
	}
	for _, e := range c.events {
		switch e.Kind {
		case OperationBegun, OperationEnded:
			// A failure carries the number of the plan that once started the monitor.
			if !e.Op.Failed && e.Op.Transition >= 0 && e.Op.Key != "" && c.after.interesting(e.Op.Resource) {
				find(e.Op.Transition)
			}
		case TransitionBegun, TransitionEnded:
			t := find(e.Transition.Number)
			t.DC = cmp.Or(t.DC, e.Node)
			t.PEInput = cmp.Or(t.PEInput, e.Transition.PEInput)
			t.Outcome = cmp.Or(e.Transition.Outcome, t.Outcome)
		default:
		}
	}
	return all
}

// actions are what administrators did.
func (c *course) actions() []Action {
	var all []Action
	byHand := c.fencedByHand()
	for _, e := range slices.Concat(c.events, c.afterwards) {
		switch e.Kind {
		case ConstraintSet, ConstraintCleared, StandbySet, StandbyCleared, MaintenanceSet, MaintenanceCleared, SettingChanged, ShutdownRequested:
			all = append(all, Action{e.At.Wall, e.By, Tell(e)})
		case FencingRequested:
			if byHand[e.Node] {
				all = append(all, Action{e.At.Wall, e.Fencing.Client, Tell(e)})
			}
		case OperationEnded:
			if e.Op.Injected {
				all = append(all, Action{e.At.Wall, e.By, Tell(e)})
			}
		default:
		}
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// blind are the times in which sources saw nothing, as far as they touch an incident.
func blind(gaps []Event, from, to time.Time) []Blind {
	var all []Blind
	for _, g := range gaps {
		// A gap that has ended was announced when it began, too.
		ended := slices.ContainsFunc(gaps, func(o Event) bool {
			return g.Until.IsZero() && o.Source == g.Source && o.Observer == g.Observer && o.Until.After(g.At.Wall)
		})
		until := g.Until
		if ended || g.At.Wall.After(to) || !until.IsZero() && until.Before(from) {
			continue
		}
		all = append(all, Blind{Observer: g.Observer, Source: g.Source, From: g.At.Wall, Until: until, What: g.Change.Value})
	}
	return all
}
