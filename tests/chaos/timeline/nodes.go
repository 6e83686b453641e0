package timeline

import (
	"slices"
	"time"

	"holdfast/tests/chaos/result"
)

// The states of a node that are not Galera's own words.
const (
	Off         = "off"         // nothing listens there
	Unreachable = "unreachable" // nobody answers
	NonPrimary  = "non-Primary"
	NotReady    = "not ready" // in the primary component, but refuses statements
)

// NodeView is one node's view as one sample shows it. The zero View with a State
// of Off or Unreachable is a node that did not answer.
type NodeView struct {
	State   string
	Primary bool
	Cluster string   // UUID
	ConfID  uint64   // number of the view
	Size    int      // members, as the node counts them
	Members []string // names of the nodes in the view, sorted; fewer than Size when not all are known
}

func (v NodeView) equal(o NodeView) bool {
	return v.State == o.State && v.Primary == o.Primary && v.Cluster == o.Cluster && v.ConfID == o.ConfID &&
		v.Size == o.Size && slices.Equal(v.Members, o.Members)
}

// NodeStay is how long a node was seen in one view.
type NodeStay struct {
	Node     string
	From, To time.Duration // of the first and the last sample
	NodeView
}

// Nodes collects the stays of all nodes. The zero value is empty.
type Nodes struct {
	stays map[string][]NodeStay
}

// See takes the next sample of a node; samples of one node come in order.
func (n *Nodes) See(node string, at time.Duration, v NodeView) {
	if n.stays == nil {
		n.stays = map[string][]NodeStay{}
	}
	all := n.stays[node]
	if last := len(all) - 1; last >= 0 && all[last].equal(v) {
		all[last].To = at
		return
	}
	n.stays[node] = append(all, NodeStay{Node: node, From: at, To: at, NodeView: v})
}

// Of lists the stays of a node in order of time.
func (n *Nodes) Of(node string) []NodeStay { return n.stays[node] }

// Lane draws a node's stays. Each lasts until the next began, as somebody who
// looks at it expects.
func (n *Nodes) Lane(node string, injected, end time.Duration) result.Lane {
	lane := result.Lane{Name: node}
	all := n.stays[node]
	for i, s := range all {
		until := end
		if i+1 < len(all) {
			until = all[i+1].From
		}
		if last := len(lane.Spans) - 1; last >= 0 && lane.Spans[last].State == s.State {
			lane.Spans[last].To = result.Of(until - injected)
			continue
		}
		lane.Spans = append(lane.Spans, result.Span{From: result.Of(s.From - injected), To: result.Of(until - injected), State: s.State})
	}
	return lane
}
