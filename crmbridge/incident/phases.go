package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// findOccurrence is when it happened: what somebody saw at that moment, or what is left
// to calculate.
func (c *course) findOccurrence() Point {
	if !c.cause.Kind.Failure() {
		return point(c.root, Tell(c.root))
	}
	if c.cause.Kind == ClusterLost {
		return Point{At: c.before.served.at, Basis: Estimated, How: c.lastSign().What}
	}
	noticed := c.findDetection()
	if e, ok := c.first(c.sawIt); ok && !e.At.Wall.After(noticed.At) {
		return point(e, Tell(e))
	}
	if e, ok := c.first(func(e Event) bool { return e.Kind == TokenLost }); ok && (c.cause.Kind == NodeLost || c.cause.Kind == QuorumGone) {
		p := Point{At: e.At.Wall, Basis: Estimated, How: "the token was lost before"}
		if at, ok := silentSince(e); ok {
			p.At, p.How = at, tokenStopped+", "+e.Change.Value+" before Corosync missed it"
		}
		if !p.At.After(noticed.At) { // a link that flaps is noticed before the ring breaks
			return p
		}
	}
	for _, p := range []Point{c.lastWritten(), c.lastHeard()} {
		if p.Known() && !p.At.After(noticed.At) {
			return p
		}
	}
	if e, ok := c.first(c.gaveWay); ok && e.At.Wall.Before(noticed.At) {
		return Point{At: e.At.Wall, Basis: Estimated, How: "at the latest when the database on " + e.Node + " had a view without it"}
	}
	how := "nobody saw it; at the latest when it was noticed"
	if e, ok := c.first(c.noticed); ok && e.Op.Interval > 0 {
		how = "nobody saw it; at most " + e.Op.Interval.String() + ", the interval of the monitor, before it was noticed"
	}
	return Point{At: noticed.At, Basis: Estimated, How: how}
}

// lastWritten is when a database that waits for its disk last wrote to it, if its agent could tell.
func (c *course) lastWritten() Point {
	for _, e := range c.events {
		if e.Kind != AttributeChanged || e.Node != c.cause.Node {
			continue
		}
		word, database := c.after.word(e.Change.Name)
		_, at, told := strings.Cut(e.Change.Value, lastWrite)
		when, err := time.Parse(time.RFC3339, at)
		if told && err == nil && word == wordState && database == c.cause.Resource {
			return Point{At: when, Basis: Estimated, How: "the last write of the database to its disk"}
		}
	}
	return Point{}
}

// lastWrite is before the time in what ocf:holdfast:galera says of a database that waits for its disk.
const lastWrite = ", and its last write was at "

// lastHeard is when another member last heard of the database that failed, if one suspected it.
func (c *course) lastHeard() Point {
	switch c.cause.Kind {
	case DatabaseDied, DatabaseHung, DatabaseFailed, DatabaseUnfit:
	default:
		return Point{}
	}
	e, ok := c.first(func(e Event) bool { return e.Kind == PeerSuspected && e.Node != c.cause.Node })
	at, known := silentSince(e)
	if !ok || !known {
		return Point{}
	}
	return Point{At: at, Basis: Estimated, How: fmt.Sprintf("%s, %s before the database on %s suspected it", lastWord, e.Change.Value, e.Node)}
}

// silentSince is since when nothing had been heard of what somebody missed; false if that is not known.
func silentSince(e Event) (time.Time, bool) {
	d, err := time.ParseDuration(strings.ReplaceAll(e.Change.Value, " ", ""))
	return e.At.Wall.Add(-d), err == nil
}

// leaving is the state of a database that leaves the others in order.
const leaving = "Disconnecting"

// lastWord is how the failure of a database is known when only its silence tells of it.
const lastWord = "the last that another member heard of it"

// tokenStopped is how the loss of a node is known when only the token tells of it.
const tokenStopped = "the token stopped going round"

// sawIt says whether an event is the failure itself, as it happened.
func (c *course) sawIt(e Event) bool {
	switch e.Kind {
	case UnitDied:
		return c.cause.Node == e.Node && c.cause.Kind == DatabaseDied
	case AddressRemoved:
		return c.cause.Node == e.Node && c.cause.Kind == AddressLost
	case DatabaseChanged: // the first that a server does when it is told to end
		return c.cause.Node == e.Node && e.Change.Value == leaving && (c.cause.Kind == DatabaseDied || c.cause.Kind == DatabaseFailed)
	case ProbeBad:
		return true
	case FencingRequested: // it may take long, and does its work at an unknown moment in between
		return c.cause.Kind == NodeFenced && c.cause.Node == e.Node
	default:
		return false
	}
}

// gaveWay says whether an event is the database on another node noticing.
func (c *course) gaveWay(e Event) bool {
	switch c.cause.Kind {
	case DatabaseDied, DatabaseHung, DatabaseFailed, DatabaseUnfit:
		return e.Kind == ViewChanged && e.Node != c.cause.Node
	default:
		return false
	}
}

// noticed says whether with an event the cluster knew.
func (c *course) noticed(e Event) bool {
	switch e.Kind {
	case OperationEnded:
		return e.Op.Failed && !e.Op.Probe()
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
		return !e.State.Member && c.cause.Node == e.Node
	default:
		return false
	}
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
			c.release = point(e, Tell(e))
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

// moves says whether the address did not simply stay where it was.
func (c *course) moves(name string) bool {
	if c.before.where(name) != c.after.where(name) {
		return true
	}
	_, touched := c.first(func(e Event) bool {
		return e.Kind == OperationEnded && e.Op.Resource == name && (e.Op.Failed || e.Op.Action == "stop" || e.Op.Action == "start") && !e.Op.Probe()
	})
	return touched
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
	if !ok { // the address stayed, and the database there came back
		start, ok = c.final(func(e Event) bool {
			return e.Kind == OperationEnded && !e.Op.Failed && e.Op.Action == "promote" && e.Node == c.cause.Node
		})
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

// lastingStart is the first start of an address after which it stayed, or was served from until it was
// moved once more, or the last of all: what is done with it later has another reason.
func (c *course) lastingStart() (start Event, ok bool) {
	stopped := false
	for _, e := range c.events {
		starts, stops := e.Kind == OperationEnded && !e.Op.Failed && e.Op.Action == "start", e.Kind == OperationBegun && e.Op.Action == "stop"
		if !starts && !stops || !c.after.isAddress(e.Op.Resource) {
			continue
		}
		if ok && !stopped && (e.At.Wall.Sub(start.At.Wall) > acceptance || stops && c.sound(start.Node, e.At.Wall)) {
			return start, true
		}
		if stopped = stops; starts {
			start, ok = e, true
		}
	}
	return start, ok
}

// sound says whether the database of a node was promoted until a time, and nothing failed there, as far
// as anybody found out.
func (c *course) sound(node string, until time.Time) bool {
	promoted := false
	for i, role := range c.before.roles {
		promoted = promoted || i.node == node && c.after.isDatabase(i.resource) && role == RolePromoted
	}
	for _, e := range c.events {
		switch database := c.after.isDatabase(e.Op.Resource); {
		case e.Node != node || e.At.Wall.After(until):
		case e.Kind == UnitDied && !e.Unit.Job, e.Kind == OperationEnded && e.Op.Failed && c.after.interesting(e.Op.Resource),
			database && e.Kind == OperationBegun && (e.Op.Action == "stop" || e.Op.Action == "demote"):
			promoted = false
		case database && e.Kind == OperationEnded && (e.Op.Action == "promote" || e.Op.RC == ocfPromoted):
			promoted = true
		}
	}
	return promoted
}

// up is when the address was there, of an operation that brought it: the kernel knows it
// before the operation has ended.
func (c *course) up(start Event) Point {
	begun, ok := c.final(func(e Event) bool {
		return e.Kind == OperationBegun && e.Op.Action == "start" && e.Op.Resource == start.Op.Resource && e.Node == start.Node &&
			!e.At.Wall.After(start.At.Wall)
	})
	added, seen := c.final(func(e Event) bool {
		return e.Kind == AddressAdded && e.Node == start.Node && address(e.Address.Prefix) == c.after.known[start.Op.Resource].IP &&
			!e.At.Wall.After(start.At.Wall)
	})
	if ok && seen && !added.At.Wall.Before(begun.At.Wall) && added.At.Wall.Before(start.At.Wall) {
		return point(added, Tell(added))
	}
	return point(start, Tell(start))
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
		if end.At.Before(at.At) { // two observers, or two sources of one, are not that exact
			end.At = at.At
		}
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
