package bootstrap

import (
	"fmt"
	"strings"
)

// State is what the cluster knows of a machine.
type State int

// The states of a node.
const (
	Offline State = iota // gone for certain: left in order, or fenced
	Unclean              // lost, and not yet fenced: its database may still run
	Online
)

// Node is one node of the cluster address, as it reported itself.
type Node struct {
	Name  string
	State State

	Reported bool // the rest is meaningless without a report
	Position Position
	// NoGrastate says that Galera does not vouch for the position: there is no
	// usable grastate.dat, or the one there is denies it.
	NoGrastate bool
	// SafeToBootstrap is Galera's own mark on the node that left last, in order.
	SafeToBootstrap bool
}

// trusted says whether the node's position is one that Galera would go on from.
func (n Node) trusted() bool { return n.Reported && !n.NoGrastate && n.Position.Known() }

// empty says whether the node has never had data of a cluster.
func (n Node) empty() bool { return n.Reported && n.Position.None() }

// Verdict is the kind of a decision.
type Verdict int

// The verdicts.
const (
	Wait   Verdict = iota // not yet: somebody has to report first
	Elect                 // Node may bootstrap
	Refuse                // never, until a person decides
)

func (v Verdict) String() string {
	switch v {
	case Elect:
		return "elect"
	case Refuse:
		return "refuse"
	default:
		return "wait"
	}
}

// Decision is the outcome, with a sentence for the operator.
type Decision struct {
	Verdict  Verdict
	Node     string   // the winner; only with Elect
	Position Position // the winner's
	Missing  []string // who has to report; only with Wait
	Reason   string
}

// Decide says who may bootstrap. The nodes are those of the cluster address, in its
// order, which every node knows alike: two nodes that see the same reports decide
// alike.
func Decide(nodes []Node, quorate bool) Decision {
	if len(nodes) == 0 {
		return Decision{Verdict: Refuse, Reason: "no node is listed in wsrep_cluster_address"}
	}
	// A partition without quorum cannot know what the others are doing.
	if !quorate {
		return Decision{Verdict: Wait, Reason: "this partition of the cluster has no quorum"}
	}
	if d, ok := refuseMixed(nodes); ok {
		return d
	}
	if missing := missing(nodes); len(missing) > 0 {
		if d, ok := lastToLeave(nodes); ok {
			return d
		}
		return Decision{Verdict: Wait, Missing: missing,
			Reason: "waiting for " + strings.Join(missing, ", ") + " to report the position of the database"}
	}
	return mostAdvanced(nodes)
}

// refuseMixed refuses when nodes have different histories: seqnos of one say
// nothing about the other, and joining would erase one of them.
func refuseMixed(nodes []Node) (Decision, bool) {
	var first *Node
	for i := range nodes {
		n := &nodes[i]
		if !n.Reported || n.Position.None() {
			continue
		}
		if first == nil {
			first = n
			continue
		}
		if n.Position.UUID != first.Position.UUID {
			return Decision{Verdict: Refuse, Reason: fmt.Sprintf(
				"%s and %s have data of different clusters (%s, %s); empty the wrong one's datadir or set the bootstrap attribute",
				first.Name, n.Name, short(first.Position.UUID), short(n.Position.UUID))}, true
		}
	}
	return Decision{}, false
}

func missing(nodes []Node) []string {
	var names []string
	for _, n := range nodes {
		if !n.Reported || n.State == Unclean {
			names = append(names, n.Name)
		}
	}
	return names
}

// lastToLeave elects a node although others are absent, on Galera's word that it
// left last and in order. Anything that casts doubt on that word is reason to wait.
func lastToLeave(nodes []Node) (Decision, bool) {
	var last *Node
	for i := range nodes {
		n := &nodes[i]
		switch {
		case n.State == Unclean, n.State == Online && !n.Reported:
			return Decision{}, false
		case n.Reported && n.SafeToBootstrap:
			if last != nil { // two cannot both have left last
				return Decision{}, false
			}
			last = n
		}
	}
	if last == nil || !last.trusted() {
		return Decision{}, false
	}
	for _, n := range nodes {
		if n.Reported && n.Position.Seqno > last.Position.Seqno {
			return Decision{}, false
		}
	}
	return elect(*last, "it left the cluster last (safe_to_bootstrap)"), true
}

// mostAdvanced decides when every node has reported.
func mostAdvanced(nodes []Node) Decision {
	var best, doubtful *Node
	for i := range nodes {
		n := &nodes[i]
		if n.trusted() {
			// >=: of equals the last in the list, so that all elect the same one.
			if best == nil || n.Position.Seqno >= best.Position.Seqno {
				best = n
			}
		} else if !n.empty() && (doubtful == nil || n.Position.Seqno >= doubtful.Position.Seqno) {
			doubtful = n
		}
	}
	switch {
	// Galera does not vouch for the doubtful data, but it is further than what it
	// vouches for: acknowledged transactions may be there and nowhere else.
	case best != nil && doubtful != nil && doubtful.Position.Seqno > best.Position.Seqno:
		return Decision{Verdict: Refuse, Reason: fmt.Sprintf(
			"%s is further (%d) than %s (%d) but has no usable grastate.dat; set the bootstrap attribute on the node to go on from",
			doubtful.Name, doubtful.Position.Seqno, best.Name, best.Position.Seqno)}
	case best != nil:
		return elect(*best, "it has the most advanced position")
	case doubtful != nil:
		return Decision{Verdict: Refuse, Reason: fmt.Sprintf(
			"no node has a usable grastate.dat although %s has data (seqno %d); set the bootstrap attribute on the node to go on from",
			doubtful.Name, doubtful.Position.Seqno)}
	default:
		return elect(nodes[len(nodes)-1], "no node has data yet, and it is the last in wsrep_cluster_address")
	}
}

func elect(n Node, reason string) Decision {
	return Decision{Verdict: Elect, Node: n.Name, Position: n.Position, Reason: reason}
}

// short keeps a reason within the 128 characters that Pacemaker shows.
func short(uuid string) string { return uuid[:8] }
