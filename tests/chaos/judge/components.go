package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/timeline"
)

// The kinds of violations, as chaos(8) documents them.
const (
	Lost           = "lost"            // an acknowledged write is not on a node
	OneNodeOnly    = "one-node-only"   // a row is on some nodes and not on the others
	Resurrected    = "resurrected"     // a refused write is there
	Divergent      = "divergent"       // the nodes have the same rows with different contents
	TwoPrimaries   = "two-primaries"   // two primary components at the same time
	MinorityAck    = "minority-ack"    // a node outside the primary component acknowledged a write
	DoubledAddress = "doubled-address" // two nodes had the address, and served it or did not let go
)

// Observed is what the rules about the running cluster look at.
type Observed struct {
	Injected time.Duration
	Nodes    []string
	Views    *timeline.Nodes
	Address  *timeline.Address
	Acks     []Ack         // of all writers
	Fenced   []Fencing     // since the fault
	Doubled  time.Duration // for how long two nodes may answer for the address; 0 is without a limit
}

// Ack is an acknowledgement that a node gave.
type Ack struct {
	Node           string
	Intended, Done time.Duration
}

// Running applies the rules about the running cluster.
func Running(o Observed) []result.Violation {
	all := twoPrimaries(o)
	all = append(all, minorityAcks(o)...)
	return append(all, doubledAddress(o)...)
}

// twoPrimaries finds nodes that were seen in different primary components at
// overlapping times: their members are disjoint, or they give one view different
// members, or they are of different clusters. A node that has not noticed yet
// that it was left behind still shows the view that all were in, which is not
// disjoint from the new one; it cannot commit in it (Galera orders a write set
// only when every member of the view has it).
func twoPrimaries(o Observed) []result.Violation {
	var all []result.Violation
	for i, a := range o.Nodes {
		for _, b := range o.Nodes[i+1:] {
			if v, found := firstConflict(o, a, b); found {
				all = append(all, v)
			}
		}
	}
	return all
}

func firstConflict(o Observed, a, b string) (result.Violation, bool) {
	for _, s := range o.Views.Of(a) {
		for _, t := range o.Views.Of(b) {
			from, to := max(s.From, t.From), min(s.To, t.To)
			why := conflict(s.NodeView, t.NodeView)
			// A single sample may have been taken in the middle of a change of view.
			if why == "" || to <= from {
				continue
			}
			return result.Violation{Kind: TwoPrimaries, Node: a, At: result.Of(from - o.Injected),
				Detail: fmt.Sprintf("For %v %s and %s were both Primary and %s.", round(to-from), a, b, why)}, true
		}
	}
	return result.Violation{}, false
}

func conflict(s, t timeline.NodeView) string {
	switch {
	case !s.Primary || !t.Primary:
		return ""
	case s.Cluster != t.Cluster:
		return fmt.Sprintf("of different clusters, %s and %s", s.Cluster, t.Cluster)
	case complete(s) && complete(t) && disjoint(s.Members, t.Members):
		return fmt.Sprintf("had no member in common: [%s] and [%s]", strings.Join(s.Members, " "), strings.Join(t.Members, " "))
	case s.ConfID == t.ConfID && !slices.Equal(s.Members, t.Members) && complete(s) && complete(t):
		return fmt.Sprintf("gave view %d different members: [%s] and [%s]", s.ConfID, strings.Join(s.Members, " "), strings.Join(t.Members, " "))
	}
	return ""
}

// complete says whether a view is one: a server that is applying a new one tells the provider's list of
// members beside its own state and size of before.
func complete(v timeline.NodeView) bool { return v.Size > 0 && len(v.Members) == v.Size }

func disjoint(a, b []string) bool {
	return !slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

// minorityAcks finds acknowledgements of a node that others, in a primary
// component, had left behind: from the first sample that showed them in a view
// without the node to the last one.
func minorityAcks(o Observed) []result.Violation {
	var all []result.Violation
	for _, node := range o.Nodes {
		excluded := exclusions(o, node)
		count, first := 0, time.Duration(0)
		for _, a := range o.Acks {
			if a.Node != node || !slices.ContainsFunc(excluded, func(e span) bool { return a.Intended >= e.from && a.Done <= e.to }) {
				continue
			}
			if count++; count == 1 || a.Done < first {
				first = a.Done
			}
		}
		if count > 0 {
			all = append(all, result.Violation{Kind: MinorityAck, Node: node, At: result.Of(first - o.Injected),
				Detail: fmt.Sprintf("%s acknowledged %d writes while the primary component was without it.", node, count)})
		}
	}
	return all
}

type span struct{ from, to time.Duration }

// exclusions are the times in which another node was seen in a complete primary
// view without the given one.
func exclusions(o Observed, node string) []span {
	var all []span
	for _, other := range o.Nodes {
		if other == node {
			continue
		}
		for _, s := range o.Views.Of(other) {
			if s.Primary && complete(s.NodeView) && !slices.Contains(s.Members, node) && slices.Contains(s.Members, other) &&
				2*len(s.Members) > len(o.Nodes) {
				all = append(all, span{s.From, s.To})
			}
		}
	}
	return all
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
