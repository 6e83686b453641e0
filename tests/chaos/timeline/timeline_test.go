package timeline_test

import (
	"reflect"
	"testing"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/timeline"
)

const ms = time.Millisecond

func synced(view uint64) timeline.NodeView {
	return timeline.NodeView{State: "Synced", Primary: true, ConfID: view}
}

func TestNodeStays(t *testing.T) {
	var n timeline.Nodes
	n.See("db1", 10*ms, synced(1))
	n.See("db1", 20*ms, synced(1))
	n.See("db1", 40*ms, synced(2))
	n.See("db1", 60*ms, timeline.NodeView{State: timeline.Off})
	got := n.Of("db1")
	if len(got) != 3 || got[0].From != 10*ms || got[0].To != 20*ms || got[1].From != 40*ms || got[1].To != 40*ms {
		t.Errorf("a stay must last from its first to its last sample, got %+v", got)
	}
	want := []result.Span{{From: -20, To: 30, State: "Synced"}, {From: 30, To: 70, State: timeline.Off}}
	if lane := n.Lane("db1", 30*ms, 100*ms); !reflect.DeepEqual(lane.Spans, want) {
		t.Errorf("lane: got %v, want %v", lane.Spans, want)
	}
}

func TestDoublings(t *testing.T) {
	answers := func(a *timeline.Address, node string, from, to time.Duration) {
		for at := from; at <= to; at += 10 * ms {
			a.Answer(node, at)
		}
	}
	for _, test := range []struct {
		name string
		see  func(a *timeline.Address)
		want []timeline.Doubling
	}{
		{"one node", func(a *timeline.Address) { answers(a, "db1", 0, 500*ms) }, nil},
		{"a move with a gap", func(a *timeline.Address) { answers(a, "db1", 0, 500*ms); answers(a, "db2", 700*ms, 900*ms) }, nil},
		{"a move without one", func(a *timeline.Address) { answers(a, "db1", 0, 500*ms); answers(a, "db2", 500*ms, 900*ms) }, nil},
		{"there and back", func(a *timeline.Address) {
			answers(a, "db1", 0, 200*ms)
			answers(a, "db2", 300*ms, 500*ms)
			answers(a, "db1", 600*ms, 800*ms)
		}, nil},
		{"both for a while", func(a *timeline.Address) { answers(a, "db1", 0, 500*ms); answers(a, "db2", 300*ms, 900*ms) },
			[]timeline.Doubling{{Nodes: []string{"db1", "db2"}, From: 300 * ms, To: 500 * ms}}},
		{"a lost answer is no end", func(a *timeline.Address) {
			answers(a, "db1", 0, 200*ms)
			answers(a, "db1", 290*ms, 500*ms)
			answers(a, "db2", 220*ms, 280*ms)
		}, []timeline.Doubling{{Nodes: []string{"db1", "db2"}, From: 220 * ms, To: 280 * ms}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := timeline.Address{Patience: 100 * ms}
			test.see(&a)
			if got := a.Doublings(); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestAddressLane(t *testing.T) {
	a := timeline.Address{Patience: 20 * ms}
	for at := 5 * ms; at <= 300*ms; at += 10 * ms {
		a.Answer("db1", at)
	}
	for at := 200 * ms; at <= 590*ms; at += 10 * ms {
		a.Answer("db2", at)
	}
	want := []result.Span{{From: -100, To: 100, State: "db1"}, {From: 100, To: 195, State: "db1+db2"}, {From: 195, To: 500, State: "db2"}}
	if got := a.Lane("vip", 100*ms, 600*ms).Spans; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
