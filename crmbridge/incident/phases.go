package incident

import (
	"cmp"
	"slices"
	"time"
)

// course is what is calculated of a segment: when what was.
type course struct {
	*segment
	cause   Cause
	planned bool
	now     time.Time // until when something unfinished has lasted

	occurrence, detection, action, back, verified Point
	from, to                                      string
	release                                       Point // the address began to be stopped
	affected                                      bool
}

func point(e Event, how string) Point { return Point{At: e.At.Wall, Basis: e.Basis, How: how} }

// first is the first event that is wanted, or false.
func (s *segment) first(want func(Event) bool) (Event, bool) {
	if i := slices.IndexFunc(s.events, want); i >= 0 {
		return s.events[i], true
	}
	return Event{}, false
}

// reckon finds the moments that everything else is measured between.
func reckon(s *segment, cause Cause, planned bool, now time.Time) *course {
	c := &course{segment: s, cause: cause, planned: planned, now: now}
	c.occurrence = c.findOccurrence()
	c.detection = c.findDetection()
	since := c.detection.At
	if !c.detection.Known() {
		since = c.occurrence.At
	}
	if e, ok := s.first(func(e Event) bool { return c.acts(e) && !e.At.Wall.Before(since) }); ok {
		c.action = point(e, Tell(e))
	}
	c.followAddress()
	return c
}

// acts says whether an event is the cluster doing something about it.
func (c *course) acts(e Event) bool {
	return e.Kind == FencingRequested || e.Kind == OperationBegun && c.after.interesting(e.Op.Resource) && e.Op.Action != "monitor"
}

// noticed says whether with an event the cluster knew.
func (c *course) noticed(e Event) bool {
	switch e.Kind {
	case OperationEnded:
		return e.Op.Failed && !e.Op.Probe() && c.concerns(e)
	case AttributeChanged:
		word, _ := c.after.word(e.Change.Name)
		return word == wordUnfit && e.Change.Value != "" && e.Node == c.cause.Node
	case TokenLost, QuorumLost:
		return c.cause.Kind == NodeLost || c.cause.Kind == QuorumGone
	case NodeLeft:
		return c.cause.Node == e.Node || c.cause.Kind == QuorumGone
	case FencingRequested:
		return c.cause.Node == e.Node
	case NodeChanged:
		return (!e.State.Member || !e.State.Online) && c.cause.Node == e.Node
	default:
		return false
	}
}

// concerns says whether a failed operation is a sign of the cause, and not of something else that went wrong
// about the same time.
func (c *course) concerns(e Event) bool {
	if c.cause.Kind == QuorumGone || c.cause.Node == "" {
		return true
	}
	return e.Node == c.cause.Node && (c.cause.Resource == "" || e.Op.Resource == c.cause.Resource || c.after.interesting(e.Op.Resource))
}

func (c *course) findDetection() Point {
	if !c.cause.Kind.Failure() {
		return Point{}
	}
	if c.cause.Kind == ClusterLost { // nobody was there to notice
		return point(c.root, Tell(c.root))
	}
	if e, ok := c.first(c.noticed); ok {
		return point(e, Tell(e))
	}
	return Point{}
}

// followAddress finds where the address was, when it went and when it was back.
func (c *course) followAddress() {
	ill := c.cause.Kind.Failure() && c.after.isDatabase(c.cause.Resource)
	lost := c.cause.Kind == ClusterLost
	c.affected = lost || c.cause.Kind == ServiceUnseen
	if lost {
		c.from = c.before.served.node
	}
	for _, e := range c.events {
		if e.Kind == OperationBegun && e.Op.Action == "stop" && c.after.isAddress(e.Op.Resource) && !c.release.Known() {
			c.release = c.down(e)
		}
	}
	for _, name := range sortedKeys(c.after.known) {
		if !c.after.isAddress(name) {
			continue
		}
		c.from, c.to = cmp.Or(c.from, c.before.where(name)), cmp.Or(c.to, c.after.where(name))
		its := c.cause.Node != "" && c.cause.Node == c.before.where(name)
		c.affected = c.affected || c.moves(name) || its && (ill || c.cause.Kind == NodeLost && c.gaveUp())
	}
	if !c.affected {
		return
	}
	c.back, c.verified = c.serviceBack()
}

// moves says whether the address did not simply stay where it was. A node that returns with it has not been given it: only
// the observer did not know of that node.
func (c *course) moves(name string) bool {
	_, touched := c.first(func(e Event) bool {
		return e.Kind == OperationEnded && e.Op.Resource == name && (e.Op.Failed || e.Op.Action == "stop" || e.Op.Action == "start") && !e.Op.Probe()
	})
	returned := c.cause.Kind == NodeReturned && c.after.where(name) == c.cause.Node
	return touched || c.before.where(name) != c.after.where(name) && !returned
}

// serviceBack is when the service could be had again, and when the cluster had seen that.
func (c *course) serviceBack() (back, verified Point) {
	good, served := c.final(func(e Event) bool { return e.Kind == ProbeGood })
	if served {
		back = point(good, "a client was served")
	}
	if len(c.after.known) > 0 && !c.after.serving() {
		return back, Point{}
	}
	start, ok := c.lastingStart()
	if !ok {
		start, ok = c.databaseBack()
	}
	if !ok {
		if e, rejoined := c.rejoined(); rejoined && !served && c.cause.Kind == NodeLost {
			back = point(e, Tell(e))
		}
		return back, Point{}
	}
	if !served {
		back = c.up(start)
	}
	if e, ok := c.first(func(e Event) bool {
		return e.Kind == OperationEnded && !e.Op.Failed && e.Op.Action == "monitor" && e.Op.Resource == start.Op.Resource &&
			e.Node == start.Node && !e.At.Wall.Before(start.At.Wall)
	}); ok {
		verified = point(e, Tell(e))
	}
	return back, verified
}

// databaseBack is how the database came back below an address that stayed: by its recovery, or by itself, if the cluster
// only looked on.
func (c *course) databaseBack() (Event, bool) {
	well := func(e Event) bool { return e.Kind == OperationEnded && !e.Op.Failed && e.Node == c.cause.Node }
	if e, ok := c.final(func(e Event) bool { return well(e) && e.Op.Action == "promote" }); ok {
		return e, true
	}
	return c.first(func(e Event) bool {
		return well(e) && e.Op.Resource == c.cause.Resource && e.Op.Action == "monitor" && e.At.Wall.After(c.detection.At)
	})
}

// final is the last event that is wanted, or false.
func (s *segment) final(want func(Event) bool) (Event, bool) {
	for _, e := range slices.Backward(s.events) {
		if want(e) {
			return e, true
		}
	}
	return Event{}, false
}

// interruption is how long the service was away, and from when.
func (c *course) interruption() (from Point, length time.Duration) {
	from = c.occurrence
	if !c.cause.Kind.Failure() && c.release.Known() {
		from = c.release // until then the service was there
	}
	returned := c.cause.Kind == NodeReturned && !c.release.Known()
	if c.from == "" && c.cause.Kind != ServiceUnseen || returned {
		return from, 0 // it was not there before, and this is not why
	}
	if !c.affected || !c.back.Known() || !from.Known() {
		return from, 0
	}
	return from, max(0, c.back.At.Sub(from.At))
}

// path are the phases that add up, from the occurrence until the service was back, and
// what followed.
func (c *course) path() []Phase {
	marks := []struct {
		name PhaseName
		end  Point
	}{{PhaseDetection, c.detection}, {PhaseDecision, c.action}, {PhaseRecovery, c.back}}
	at, _ := c.interruption()
	if !c.cause.Kind.Failure() {
		marks = marks[2:]
	}
	var phases []Phase
	for _, m := range marks {
		if !c.affected || !at.Known() || !m.end.Known() {
			continue
		}
		end := m.end
		if c.back.Known() && c.back.At.Before(end.At) { // two observers, or two sources of one, are not that exact
			end.At = c.back.At
		}
		end.At = later(at.At, end.At)
		phases = append(phases, phase(m.name, at, end, true))
		at = end
	}
	if c.verified.Known() && c.back.Known() && !c.verified.At.Before(c.back.At) {
		phases = append(phases, phase(PhaseVerify, c.back, c.verified, false))
	}
	return phases
}

func phase(name PhaseName, begin, end Point, path bool) Phase {
	return Phase{
		Name: name, Begin: begin.At, End: end.At, Duration: end.At.Sub(begin.At), Basis: worse(begin.Basis, end.Basis), Path: path, Note: end.How,
	}
}
