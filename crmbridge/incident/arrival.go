package incident

import "time"

// addresses are where the addresses are while the events of an incident are gone through: a node, or "" if it is
// stopped.
type addresses map[string]string

func (c *course) addresses() addresses {
	at := addresses{}
	for name := range c.after.known {
		if c.after.isAddress(name) {
			at[name] = c.before.where(name)
		}
	}
	return at
}

func (a addresses) has(resource string) bool {
	_, ok := a[resource]
	return ok
}

// comes says whether with an event an address is on a node. When Pacemaker loses the history of a node, as with a CIB
// manager that is killed, nobody is told of the start there: then a probe finds it.
func (a addresses) comes(e Event) bool {
	if e.Kind != OperationEnded || !a.has(e.Op.Resource) || e.Op.Failed && !e.Op.Probe() {
		return false
	}
	switch {
	case e.Op.Action == "stop":
		a[e.Op.Resource] = ""
		return false
	case e.Op.Action == "start":
	case !e.Op.Probe() || e.Op.RC != ocfOK || a[e.Op.Resource] != "":
		return false
	}
	a[e.Op.Resource] = e.Node
	return true
}

// lastingStart is the first start of an address after which it stayed, or was served from until it was
// moved once more, or the last of all: what is done with it later has another reason.
func (c *course) lastingStart() (start Event, ok bool) {
	stopped, at := false, c.addresses()
	for _, e := range c.events {
		starts, stops := at.comes(e), e.Kind == OperationBegun && e.Op.Action == "stop" && at.has(e.Op.Resource)
		if !starts && !stops {
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
// before the operation has ended, and may say so before the CIB says that it has begun.
func (c *course) up(start Event) Point {
	if start.Op.Probe() {
		return c.foundUp(start)
	}
	begun, ok := c.final(func(e Event) bool {
		return e.Kind == OperationBegun && e.Op.Action == "start" && e.Op.Resource == start.Op.Resource && e.Node == start.Node &&
			!e.At.Wall.After(start.At.Wall)
	})
	added, seen := c.added(start)
	if ok && seen && begun.follows(added) && added.At.Wall.Before(start.At.Wall) {
		return point(added, Tell(added))
	}
	return point(start, Tell(start))
}

// added is when the kernel of the observer had added the address of an operation on its node, if the observer is that
// node and the address was still there then.
func (c *course) added(op Event) (Event, bool) {
	last, seen := c.kernelTold(op)
	return last, seen && last.Kind == AddressAdded
}

// kernelTold is the kernel's last word about the address of an operation on its node, until that was told.
func (c *course) kernelTold(op Event) (Event, bool) {
	return c.final(func(e Event) bool {
		return (e.Kind == AddressAdded || e.Kind == AddressRemoved) && e.Node == op.Node &&
			address(e.Address.Prefix) == c.after.known[op.Op.Resource].IP && !e.At.Wall.After(op.At.Wall)
	})
}

// down is since when an address is away that began to be stopped: since the kernel told, if it told before the CIB.
func (c *course) down(stop Event) Point {
	if last, ok := c.kernelTold(stop); ok && last.Kind == AddressRemoved && stop.follows(last) {
		return point(last, Tell(last))
	}
	return point(stop, Tell(stop))
}

// foundUp is when an address was there that a probe found: when the kernel of the observer, if it has the address, says
// so, and at the latest then.
func (c *course) foundUp(probe Event) Point {
	if added, seen := c.added(probe); seen {
		return point(added, Tell(added))
	}
	return Point{At: probe.At.Wall, Basis: Estimated, How: "nobody saw it start; at the latest then: " + Tell(probe)}
}

// arrivals are the starts of addresses that nobody saw: in between they were stopped where they were and found
// elsewhere.
func (c *course) arrivals() []Phase {
	var phases []Phase
	at := c.addresses()
	since := c.root
	for _, e := range c.events {
		if e.Kind == OperationEnded && e.Op.Action == "stop" && at.has(e.Op.Resource) {
			since = e
		}
		if !at.comes(e) || !e.Op.Probe() {
			continue
		}
		up := c.foundUp(e)
		p := phase(PhaseAddress, point(since, ""), up, false)
		p.Node, p.Resource = e.Node, e.Op.Resource
		phases = append(phases, p)
	}
	return phases
}
