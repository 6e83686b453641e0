package judge_test

import (
	"slices"
	"testing"
	"time"

	"holdfast/tests/chaos/judge"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/timeline"
)

const ms = time.Millisecond

// story is what samplers saw of db1, db2 and db3.
type story struct {
	views   timeline.Nodes
	address timeline.Address
	acks    []judge.Ack
	fenced  []judge.Fencing
}

// in says that a node was in a primary view, sampled every 20 ms.
func (s *story) in(node string, from, to time.Duration, conf uint64, members ...string) {
	s.seen(node, from, to, timeline.NodeView{State: "Synced", Primary: true, Cluster: "c", ConfID: conf, Size: len(members), Members: members})
}

func (s *story) seen(node string, from, to time.Duration, v timeline.NodeView) {
	for at := from; at <= to; at += 20 * ms {
		s.views.See(node, at, v)
	}
}

// answers says that a node answered for the address.
func (s *story) answers(node string, from, to time.Duration) {
	for at := from; at <= to; at += 10 * ms {
		s.address.Answer(node, at)
	}
}

func (s *story) ack(node string, from, to time.Duration) {
	for at := from; at <= to; at += 50 * ms {
		s.acks = append(s.acks, judge.Ack{Node: node, Intended: at, Done: at + 5*ms})
	}
}

// cut is db1 cut off from the others: it goes on in the old view until its own
// detector speaks, and the others make a new one.
func (s *story) cut() {
	for _, n := range []string{"db1", "db2", "db3"} {
		s.in(n, 0, 1000*ms, 7, "db1", "db2", "db3")
	}
	s.in("db1", 1020*ms, 1600*ms, 7, "db1", "db2", "db3")
	for _, n := range []string{"db2", "db3"} {
		s.in(n, 1520*ms, 9000*ms, 8, "db2", "db3")
	}
}

func kinds(all []result.Violation) []string {
	var kinds []string
	for _, v := range all {
		kinds = append(kinds, v.Kind)
	}
	return kinds
}

func TestRunning(t *testing.T) {
	nonPrimary := timeline.NodeView{State: timeline.NonPrimary, Cluster: "c", Size: 1, Members: []string{"db1"}}
	for _, test := range []struct {
		name string
		see  func(s *story)
		want []string
	}{
		{"a node that is cut off refuses", func(s *story) {
			s.cut()
			s.seen("db1", 1620*ms, 9000*ms, nonPrimary)
			s.ack("db1", 0, 950*ms)
			s.ack("db2", 1600*ms, 9000*ms)
		}, nil},
		{"a node that is cut off makes itself primary", func(s *story) {
			s.cut()
			s.in("db1", 3000*ms, 5000*ms, 8, "db1")
		}, []string{judge.TwoPrimaries, judge.TwoPrimaries}},
		{"the members of a new view beside the old state", func(s *story) {
			s.cut()
			s.seen("db1", 1620*ms, 1660*ms, timeline.NodeView{State: "Synced", Primary: true, Cluster: "c", ConfID: 7, Size: 3, Members: []string{"db1"}})
			s.seen("db1", 1680*ms, 9000*ms, nonPrimary)
		}, nil},
		{"the same view with other members", func(s *story) {
			s.in("db1", 0, 1000*ms, 8, "db1", "db3")
			s.in("db2", 0, 1000*ms, 8, "db2", "db3")
		}, []string{judge.TwoPrimaries}},
		{"one sample in the middle of a change", func(s *story) {
			s.in("db1", 0, 1000*ms, 8, "db1", "db2")
			s.in("db2", 0, 400*ms, 8, "db1", "db2")
			s.in("db2", 420*ms, 420*ms, 8, "db2", "db3")
			s.in("db2", 440*ms, 1000*ms, 8, "db1", "db2")
		}, nil},
		{"two clusters", func(s *story) {
			s.in("db1", 0, 1000*ms, 8, "db1")
			s.seen("db2", 0, 1000*ms, timeline.NodeView{State: "Synced", Primary: true, Cluster: "d", ConfID: 1, Size: 1, Members: []string{"db2"}})
		}, []string{judge.TwoPrimaries}},
		{"a node that was left behind acknowledges", func(s *story) {
			s.cut()
			s.ack("db1", 2000*ms, 2500*ms)
		}, []string{judge.MinorityAck}},
		{"an acknowledgement from before is late to be read", func(s *story) {
			s.cut()
			s.acks = []judge.Ack{{Node: "db1", Intended: 990 * ms, Done: 1600 * ms}}
		}, nil},
		{"the address on two nodes that both serve it", func(s *story) {
			s.answers("db1", 0, 1000*ms)
			s.answers("db2", 500*ms, 1000*ms)
			s.ack("db1", 0, 1000*ms)
			s.ack("db2", 0, 1000*ms)
		}, []string{judge.DoubledAddress}},
		{"the address served by both until one is fenced", func(s *story) {
			s.answers("db1", 0, 1000*ms)
			s.answers("db2", 800*ms, 1500*ms)
			s.ack("db1", 0, 1000*ms)
			s.ack("db2", 0, 1000*ms)
			s.fenced = []judge.Fencing{{Node: "db1", At: 500 * ms}} // 1000 ms; the fraction is cut off
		}, nil},
		{"the address served by both, and one fenced long before", func(s *story) {
			s.answers("db1", 3000*ms, 4000*ms)
			s.answers("db2", 0, 4000*ms)
			s.ack("db1", 3000*ms, 4000*ms)
			s.ack("db2", 0, 4000*ms)
			s.fenced = []judge.Fencing{{Node: "db1", At: 500 * ms}}
		}, []string{judge.DoubledAddress}},
		{"the address still on a node that is cut off and refuses", func(s *story) {
			s.answers("db1", 0, 2000*ms)
			s.answers("db2", 1500*ms, 4000*ms)
			s.ack("db1", 0, 1450*ms)
			s.ack("db2", 0, 4000*ms)
		}, nil},
		{"the address for too long on a node that is cut off", func(s *story) {
			s.answers("db1", 0, 7000*ms)
			s.answers("db2", 1500*ms, 9000*ms)
			s.ack("db2", 0, 9000*ms)
		}, []string{judge.DoubledAddress}},
		{"the address still on a node that is said to be fenced", func(s *story) {
			s.answers("db1", 0, 4000*ms)
			s.answers("db2", 1500*ms, 9000*ms)
			s.fenced = []judge.Fencing{{Node: "db1", At: 2000 * ms}}
		}, []string{judge.DoubledAddress}},
		{"the address on a node until it is fenced", func(s *story) {
			s.answers("db1", 0, 2600*ms)
			s.answers("db2", 1500*ms, 9000*ms)
			s.fenced = []judge.Fencing{{Node: "db1", At: 2000 * ms}, {Node: "db3", At: 1600 * ms}}
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := story{address: timeline.Address{Patience: 100 * ms}}
			test.see(&s)
			got := judge.Running(judge.Observed{Injected: time.Second, Nodes: []string{"db1", "db2", "db3"}, Views: &s.views, Address: &s.address,
				Acks: s.acks, Fenced: s.fenced, Doubled: 5 * time.Second})
			if !slices.Equal(kinds(got), test.want) {
				t.Errorf("got %+v, want %v", got, test.want)
			}
		})
	}
}

func TestSettled(t *testing.T) {
	// 0 and 1 were acknowledged, 2 refused, 3 is indeterminate, 9 was never written.
	var book ledger.Ledger
	book.Record(0, ledger.Acknowledged)
	book.Record(1, ledger.Acknowledged)
	book.Record(2, ledger.Refused)
	book.Record(3, ledger.Indeterminate)
	for _, test := range []struct {
		name  string
		rows  [3][]uint64
		sums  [3]string
		split bool
		want  []string
	}{
		{"all as it must be", [3][]uint64{{0, 1, 3}, {0, 1, 3}, {0, 1, 3}}, [3]string{"a", "a", "a"}, false, nil},
		{"lost everywhere", [3][]uint64{{0}, {0}, {0}}, [3]string{"a", "a", "a"}, false, []string{judge.Lost, judge.Lost, judge.Lost}},
		{"lost on one", [3][]uint64{{0, 1}, {0}, {0, 1}}, [3]string{"a", "b", "a"}, false, []string{judge.Lost}},
		{"a refused write everywhere", [3][]uint64{{0, 1, 2}, {0, 1, 2}, {0, 1, 2}}, [3]string{"a", "a", "a"}, false,
			[]string{judge.Resurrected, judge.Resurrected, judge.Resurrected}},
		{"an indeterminate write on one", [3][]uint64{{0, 1}, {0, 1, 3}, {0, 1}}, [3]string{"a", "b", "a"}, false, []string{judge.OneNodeOnly}},
		{"a row of nobody on one", [3][]uint64{{0, 1}, {0, 1}, {0, 1, 9}}, [3]string{"a", "a", "b"}, false, []string{judge.OneNodeOnly}},
		{"a row of nobody everywhere", [3][]uint64{{0, 1, 9}, {0, 1, 9}, {0, 1, 9}}, [3]string{"a", "a", "a"}, false, []string{judge.Resurrected}},
		{"the same rows with other contents", [3][]uint64{{0, 1}, {0, 1}, {0, 1}}, [3]string{"a", "a", "b"}, false, []string{judge.Divergent}},
		{"two clusters", [3][]uint64{{0, 1}, {0, 1}, {0, 1}}, [3]string{"a", "a", "a"}, true, []string{judge.Divergent}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []judge.Rows
			for i, node := range []string{"db1", "db2", "db3"} {
				all = append(all, judge.Rows{Node: node, Findings: book.Audit(test.rows[i]), Checksum: test.sums[i]})
			}
			if got := judge.Settled(all, test.split, time.Minute); !slices.Equal(kinds(got), test.want) {
				t.Errorf("got %+v, want %v", got, test.want)
			}
		})
	}
}
