package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/timeline"
)

// Fencing is a node that was fenced.
type Fencing struct {
	Node string
	At   time.Duration // when its fencing was over, as Pacemaker says it
}

// fencingSlack is by how much a node may have been fenced later than it is said:
// Pacemaker 2.1.5 cuts off the fractions of a second, and the clocks of the nodes
// may differ from the monitor's.
const fencingSlack = 1500 * time.Millisecond

// doubledAddress judges the times in which two nodes answered ARP for the
// address. That alone breaks no promise: a node that was cut off, or whose
// Corosync died, cannot be told to let go, and the others serve as soon as they
// know that they are the majority and not only when it is fenced. It may not
// last, and both may serve it only until one of them is fenced: while its
// database is still in the primary component, what it acknowledges is one
// history with what the others do, and components judges whether it is.
func doubledAddress(o Observed) []result.Violation {
	var all []result.Violation
	for _, d := range o.Address.Doublings() {
		if why := intolerable(o, d); why != "" {
			all = append(all, result.Violation{Kind: DoubledAddress, Node: d.Nodes[0], At: result.Of(d.From - o.Injected),
				Detail: fmt.Sprintf("%s both answered ARP for the address for %v, %s.", strings.Join(d.Nodes, " and "), round(d.To-d.From), why)})
		}
	}
	return all
}

// intolerable says which rule a doubling breaks; empty when none.
func intolerable(o Observed, d timeline.Doubling) string {
	fenced := false
	for _, f := range o.Fenced {
		if !slices.Contains(d.Nodes, f.Node) || f.At+fencingSlack < d.From {
			continue
		}
		if f.At >= d.From && d.To > f.At+fencingSlack {
			return fmt.Sprintf("%v of it after %s had been fenced", round(d.To-f.At), f.Node)
		}
		fenced = true
	}
	if !fenced && !slices.ContainsFunc(d.Nodes, func(n string) bool { return !acknowledged(o, n, d) }) {
		return "and both acknowledged writes meanwhile"
	}
	if o.Doubled > 0 && d.To-d.From > o.Doubled {
		return fmt.Sprintf("which is longer than %v", o.Doubled)
	}
	return ""
}

// acknowledged says whether a node acknowledged a write that was begun while the
// address was doubled.
func acknowledged(o Observed, node string, d timeline.Doubling) bool {
	return slices.ContainsFunc(o.Acks, func(a Ack) bool { return a.Node == node && a.Intended >= d.From && a.Done <= d.To })
}
