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
	// Denied says that there is a grastate.dat, and that it is the reason: Galera writes
	// one that denies the data while the data may be half a copy.
	Denied bool
	// SafeToBootstrap is Galera's own mark on the node that left last, in order.
	SafeToBootstrap bool
	// Interrupted says that the database was a member of the primary component
	// until it crashed or lost the others: it did not leave while they went on.
	Interrupted bool

	// Ignored is the operator's word that the node is gone for good. It counts only
	// while the node is offline.
	Ignored bool
}

// gone says whether the election goes on without the node on the operator's word. A
// node that is up, or lost and not fenced, may have a running database, and no word
// makes that safe.
func (n Node) gone() bool { return n.Ignored && n.State == Offline && !n.Reported }

// trusted says whether the node's position is one that Galera would go on from.
func (n Node) trusted() bool { return n.Reported && !n.NoGrastate && n.Position.Known() }

// complete says whether the data is what its position says. A grastate.dat that is
// missing was deleted by a person: Galera never deletes it, and has one before it
// touches the data.
func (n Node) complete() bool { return n.Reported && !n.Denied && n.Position.Known() }

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

// Circumstances are what counts beside the nodes' reports.
type Circumstances struct {
	Quorate bool
	// TwoNode says that the cluster has exactly two members, and that its operator
	// lets the one go on that is left when the other is gone (two_node_mode).
	TwoNode bool
}

// Decide says who may bootstrap. The nodes are those of the cluster address, in its
// order, which every node knows alike: two nodes that see the same reports decide
// alike.
func Decide(nodes []Node, c Circumstances) Decision {
	if len(nodes) == 0 {
		return Decision{Verdict: Refuse, Reason: "no node is listed in wsrep_cluster_address"}
	}
	// A partition without quorum cannot know what the others are doing.
	if !c.Quorate {
		return Decision{Verdict: Wait, Reason: "this partition of the cluster has no quorum"}
	}
	if d, ok := refuseMixed(nodes); ok {
		return d
	}
	if missing := missing(nodes); len(missing) > 0 {
		if d, ok := lastToLeave(nodes); ok {
			return d
		}
		if d, ok := survivor(nodes); ok && c.TwoNode {
			return d
		}
		return Decision{Verdict: Wait, Missing: missing,
			Reason: "waiting for " + strings.Join(missing, ", ") + " to report the position of the database" + notIgnored(nodes)}
	}
	return withoutIgnored(nodes)
}

// notIgnored says why the operator's word does not count for a node.
func notIgnored(nodes []Node) string {
	for _, n := range nodes {
		switch {
		case n.Ignored && n.State == Unclean:
			return "; " + n.Name + " is not ignored, because it is not fenced: run pcs stonith confirm " + n.Name
		case n.Ignored && n.State == Online && !n.Reported:
			return "; " + n.Name + " is not ignored, because it is up"
		}
	}
	return ""
}

// withoutIgnored decides among the nodes that are left when the operator's word
// about the others is taken.
func withoutIgnored(nodes []Node) Decision {
	var present []Node
	var gone []string
	for _, n := range nodes {
		if n.gone() {
			gone = append(gone, n.Name)
		} else {
			present = append(present, n)
		}
	}
	if len(gone) == 0 {
		return mostAdvanced(nodes)
	}
	absent := strings.Join(gone, ", ")
	if len(present) == 0 {
		return Decision{Verdict: Refuse, Reason: "all nodes are ignored: " + absent}
	}
	d := mostAdvanced(present)
	switch {
	case d.Verdict != Elect:
		return d
	// An empty cluster beside the only copy of the data is not what was meant.
	case d.Position.None():
		return Decision{Verdict: Refuse, Reason: "no node has data, but " + absent + ", which is ignored, may; set the bootstrap attribute to begin anew"}
	}
	d.Reason += ", without " + absent + ", which the operator ignores"
	return d
}

// survivor elects the one of two nodes that is left. Nothing was acknowledged that
// it does not have: it was a member until it was interrupted, and from then on its
// peer, one of two, was none either.
func survivor(nodes []Node) (Decision, bool) {
	if len(nodes) != 2 {
		return Decision{}, false
	}
	own, peer := nodes[0], nodes[1]
	if !own.Reported {
		own, peer = peer, own
	}
	if !own.trusted() || !own.Interrupted || peer.Reported || peer.State != Offline {
		return Decision{}, false
	}
	return elect(own, peer.Name+" is gone, and two_node_mode is set"), true
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
		if (!n.Reported || n.State == Unclean) && !n.gone() {
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
		switch {
		case n.complete():
			if best == nil || better(n, best) {
				best = n
			}
		case !n.empty() && (doubtful == nil || n.Position.Seqno >= doubtful.Position.Seqno):
			doubtful = n
		}
	}
	switch {
	// Galera does not vouch for the doubtful data, but it is further than what it
	// vouches for: acknowledged transactions may be there and nowhere else.
	case best != nil && doubtful != nil && doubtful.Position.Seqno > best.Position.Seqno:
		return Decision{Verdict: Refuse, Reason: fmt.Sprintf(
			"%s is further (%d) than %s (%d) but its grastate.dat is not usable; set the bootstrap attribute on the node to go on from",
			doubtful.Name, doubtful.Position.Seqno, best.Name, best.Position.Seqno)}
	case best != nil:
		return elect(*best, "it has the most advanced position")
	case doubtful != nil && allLevel(nodes):
		// Nothing can be lost by the choice, whatever became of the files.
		return elect(nodes[len(nodes)-1], "no node has a usable grastate.dat, but all have the same position")
	case doubtful != nil:
		return Decision{Verdict: Refuse, Reason: fmt.Sprintf(
			"no node has a usable grastate.dat although %s has data (seqno %d); set the bootstrap attribute on the node to go on from",
			doubtful.Name, doubtful.Position.Seqno)}
	default:
		return elect(nodes[len(nodes)-1], "no node has data yet, and it is the last in wsrep_cluster_address")
	}
}

// better says whether n, which is later in the list, is to be preferred: by its position
// first, then because Galera vouches for a node that has its grastate.dat. Of equals the
// last in the list wins, so that all elect the same one.
func better(n, best *Node) bool {
	if n.Position.Seqno != best.Position.Seqno {
		return n.Position.Seqno > best.Position.Seqno
	}
	return !n.NoGrastate || best.NoGrastate
}

// allLevel says whether every node is known to have the very same position.
func allLevel(nodes []Node) bool {
	for _, n := range nodes {
		if !n.Reported || !n.Position.Known() || n.Position != nodes[0].Position {
			return false
		}
	}
	return len(nodes) > 1
}

func elect(n Node, reason string) Decision {
	return Decision{Verdict: Elect, Node: n.Name, Position: n.Position, Reason: reason}
}

// short keeps a reason within the 128 characters that Pacemaker shows.
func short(uuid string) string { return uuid[:8] }
