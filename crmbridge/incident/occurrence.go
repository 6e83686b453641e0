package incident

import (
	"fmt"
	"strings"
	"time"
)

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
		return c.seen(e)
	}
	if e, ok := c.first(func(e Event) bool { return e.Kind == TokenLost }); ok && (c.cause.Kind == NodeLost || c.cause.Kind == QuorumGone) {
		p := Point{At: e.At.Wall, Basis: Estimated, How: "the token was lost before"}
		if at, ok := silentSince(e); ok {
			p.At, p.How = at, tokenStopped+", "+e.Change.Value+" before Corosync missed it"
			c.between(&p)
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

// between takes into account when the database had last heard of the lost node, if that was a little before the
// token stopped: neither is exact, so it was in the middle. One that was heard later may only be deaf itself.
func (c *course) between(token *Point) {
	var heard Event
	since := token.At
	for _, e := range c.events {
		at, known := silentSince(e)
		if known && e.Kind == PeerSuspected && e.Node != c.cause.Node && at.Before(since) && token.At.Sub(at) <= inexact {
			heard, since = e, at
		}
	}
	if before := token.At.Sub(since); before > 0 {
		token.At = token.At.Add(-before / 2)
		token.How += fmt.Sprintf("; the database on %s had heard nothing of it for %d ms then", heard.Node, before.Milliseconds())
	}
}

// inexact is how far the token and what the database had last heard may differ about one loss of a node: the
// token goes round a broken ring once more, 67 ms later, and a member is suspected 0.5 to 0.6 s after its last word.
const inexact = 150 * time.Millisecond

// seen is when something happened that somebody saw. The end of a process that was killed is seen when the
// kernel has taken its memory back, and until then it has not written any more: it died in between.
func (c *course) seen(e Event) Point {
	p, dead := point(e, Tell(e)), time.Duration(0)
	if e.Kind != UnitDied {
		return p
	}
	for _, o := range c.events {
		if o.Kind != OperationEnded || o.Node != e.Node || o.Op.Resource != c.cause.Resource {
			continue
		}
		at, told := wroteLast(o.Op.Reason)
		if since := e.At.Wall.Sub(at); told && since > 0 && (dead == 0 || since < dead) {
			dead = since
		}
	}
	if dead = min(dead, ending); dead > 0 {
		p.At, p.Basis = p.At.Add(-dead/2), worse(p.Basis, Logged)
		p.How += fmt.Sprintf("; it died up to %d ms before", dead.Milliseconds())
	}
	return p
}

// ending is what it may take from the death of a process until its end is seen: 20 to 80 ms of a small
// database. What was seldom written to may not have written for much longer.
const ending = 100 * time.Millisecond

// lastWritten is when a database that waits for its disk last wrote to it, if its agent could tell.
func (c *course) lastWritten() Point {
	for _, e := range c.events {
		if e.Kind != AttributeChanged || e.Node != c.cause.Node {
			continue
		}
		word, database := c.after.word(e.Change.Name)
		when, told := wroteLast(e.Change.Value)
		if told && word == wordState && database == c.cause.Resource {
			return Point{At: when, Basis: Estimated, How: "the last write of the database to its disk"}
		}
	}
	return Point{}
}

// wroteLast is the time of the last write in what ocf:holdfast:galera says of a database that waits for
// its disk, or that crashed.
func wroteLast(said string) (time.Time, bool) {
	_, at, told := strings.Cut(said, ", and its last write was at ")
	at, _, _ = strings.Cut(at, "Z")
	when, err := time.Parse(time.RFC3339, at+"Z")
	return when, told && err == nil
}

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
