package timeline

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
)

// AddressStay is how long one node answered for the floating address.
type AddressStay struct {
	Node     string
	From, To time.Duration // of the first and the last answer
}

// Address collects who answered for the floating address.
type Address struct {
	// Patience is how long a node may be silent within one stay: an answer may
	// be lost or late.
	Patience time.Duration
	stays    map[string][]AddressStay
}

// Answer takes an answer of a node; answers come in order.
func (a *Address) Answer(node string, at time.Duration) {
	if a.stays == nil {
		a.stays = map[string][]AddressStay{}
	}
	all := a.stays[node]
	if last := len(all) - 1; last >= 0 && at-all[last].To <= a.Patience {
		all[last].To = at
		return
	}
	a.stays[node] = append(all, AddressStay{Node: node, From: at, To: at})
}

// Stays lists all stays in order of their beginning.
func (a *Address) Stays() []AddressStay {
	var all []AddressStay
	for _, stays := range a.stays {
		all = append(all, stays...)
	}
	slices.SortFunc(all, func(a, b AddressStay) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Node, b.Node)) })
	return all
}

// Doubling is a time in which several nodes answered.
type Doubling struct {
	Nodes    []string
	From, To time.Duration
}

// Doublings lists the times in which two nodes answered. The moment in which one
// hands over to the other is none.
func (a *Address) Doublings() []Doubling {
	var all []Doubling
	stays := a.Stays()
	for i, s := range stays {
		for _, o := range stays[i+1:] {
			from, to := max(s.From, o.From), min(s.To, o.To)
			if o.Node != s.Node && to > from {
				all = append(all, Doubling{Nodes: []string{s.Node, o.Node}, From: from, To: to})
			}
		}
	}
	return all
}

// Lane draws who answered, from the beginning of the observation to its end.
func (a *Address) Lane(name string, injected, end time.Duration) result.Lane {
	stays := a.Stays()
	for i := range stays { // the first probe is answered a moment after the beginning
		if stays[i].From <= a.Patience {
			stays[i].From = 0
		}
		if end-stays[i].To <= a.Patience {
			stays[i].To = end
		}
	}
	edges := map[time.Duration]bool{0: true, end: true}
	for _, s := range stays {
		edges[s.From], edges[s.To] = true, true
	}
	lane := result.Lane{Name: name}
	sorted := slices.Sorted(maps.Keys(edges))
	for i := range len(sorted) - 1 {
		from, to := sorted[i], sorted[i+1]
		var nodes []string
		for _, s := range stays {
			if s.From <= from && s.To >= to && !slices.Contains(nodes, s.Node) {
				nodes = append(nodes, s.Node)
			}
		}
		slices.Sort(nodes)
		state := strings.Join(nodes, "+")
		if last := len(lane.Spans) - 1; last >= 0 && lane.Spans[last].State == state {
			lane.Spans[last].To = result.Of(to - injected)
			continue
		}
		lane.Spans = append(lane.Spans, result.Span{From: result.Of(from - injected), To: result.Of(to - injected), State: state})
	}
	return lane
}
