package main

import (
	"slices"
	"strings"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/internal/crm"
)

// The names of node attributes after the resource's id. All but position are those
// of ocf:heartbeat:galera, because operators' notes and tools know them.
const (
	attrCommitted  = "last-committed"
	attrSafe       = "safe-to-bootstrap"
	attrBootstrap  = "bootstrap"
	attrNoGrastate = "no-grastate"
	attrPosition   = "position" // uuid:seqno, what elections compare

	// attrInterrupted says that the database ended without leaving the cluster.
	attrInterrupted = "interrupted"
	// attrIgnore is set by the operator, on a node that is up: names of nodes that are
	// gone for good, separated by commas.
	attrIgnore = "ignore"
	// attrState says how far a node has got that is joining the cluster.
	attrState = "state"
	// attrUnfit says that clients are better off with another node, as long as there is one:
	// the server does not answer, or its disk is full. A location rule of the address reads it.
	attrUnfit = "unfit"
	// attrDenied says that grastate.dat is there and does not vouch for the data, as
	// after an interrupted state transfer.
	attrDenied = "denied"
)

// overrideValue in the bootstrap attribute is only ever written by a person. An
// election writes the winner's position there, so that the two cannot be confused.
const overrideValue = "true"

// promotable is the score of a node that shall be promoted.
const promotable = "100"

func (c *call) attribute(name string) string { return c.resource + "-" + name }

func (c *call) set(node, name, value string) crm.Change {
	return crm.Change{Node: node, Name: c.attribute(name), Value: value}
}

func (c *call) score(node, value string) crm.Change {
	return crm.Change{Node: node, Name: crm.ScoreName(c.resource), Value: value}
}

// retraction deletes everything that this node has published but its score.
func (c *call) retraction() []crm.Change {
	names := []string{attrBootstrap, attrPosition, attrCommitted, attrSafe, attrNoGrastate, attrDenied, attrInterrupted, attrIgnore, attrState, attrUnfit}
	changes := make([]crm.Change, 0, len(names)+1)
	for _, name := range names {
		changes = append(changes, c.set(c.node, name, ""))
	}
	return changes
}

// publication is the report as attributes.
func (c *call) publication(r report) []crm.Change {
	safe := "0"
	if r.Safe {
		safe = "1"
	}
	return []crm.Change{
		c.set(c.node, attrNoGrastate, mark(r.NoGrastate)),
		c.set(c.node, attrDenied, mark(r.Denied)),
		c.set(c.node, attrInterrupted, mark(r.Interrupted)),
		c.set(c.node, attrSafe, safe),
		c.set(c.node, attrCommitted, formatSeqno(r.Position)),
		c.set(c.node, attrPosition, r.Position.String()), // last: with it the report counts
	}
}

// mark is how ocf:heartbeat:galera writes a flag: true, or not at all.
func mark(set bool) string {
	if set {
		return "true"
	}
	return ""
}

// differing leaves out what the cluster has already: each deletion costs a process.
func differing(s *crm.Status, changes []crm.Change) []crm.Change {
	var rest []crm.Change
	for _, ch := range changes {
		if s.Attribute(ch.Node, ch.Name) != ch.Value {
			rest = append(rest, ch)
		}
	}
	return rest
}

// reported is what a node has published, for the election.
func (c *call) reported(s *crm.Status, node string) bootstrap.Node {
	n := bootstrap.Node{Name: node, State: bootstrap.Offline}
	switch m := s.Node(node); {
	case m.Unclean:
		n.State = bootstrap.Unclean
	case m.Online:
		n.State = bootstrap.Online
	}
	n.Ignored = c.ignored(s, node)
	text := s.Attribute(node, c.attribute(attrPosition))
	if text == "" {
		return n
	}
	p, err := bootstrap.ParsePosition(text)
	if err != nil {
		c.log.Error("a node's position is not readable and counts as not reported", "node", node, "error", err)
		return n
	}
	n.Reported, n.Position = true, p
	n.NoGrastate = s.Attribute(node, c.attribute(attrNoGrastate)) == "true"
	n.Denied = s.Attribute(node, c.attribute(attrDenied)) == "true"
	n.SafeToBootstrap = s.Attribute(node, c.attribute(attrSafe)) == "1"
	n.Interrupted = s.Attribute(node, c.attribute(attrInterrupted)) == "true"
	return n
}

// ignored says whether the operator has declared the node gone, on any other node.
// The word is forgotten when the database of the node that carries it is promoted
// or stopped: it is for one election.
func (c *call) ignored(s *crm.Status, node string) bool {
	for _, carrier := range c.nodes {
		names := strings.Split(s.Attribute(carrier, c.attribute(attrIgnore)), ",")
		if carrier != node && slices.Contains(names, node) {
			return true
		}
	}
	return false
}

// promotedPeer finds another node whose server runs as a member of the cluster. A
// node that is promoted in name only still publishes a position, because its
// server does not run (see promote).
func (c *call) promotedPeer(s *crm.Status) (string, bool) {
	for _, i := range s.Active(c.resource) {
		if i.Promoted && i.Node != c.node && s.Node(i.Node).Online &&
			s.Attribute(i.Node, c.attribute(attrPosition)) == "" {
			return i.Node, true
		}
	}
	return "", false
}
