package monitor

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/timeline"
)

const ms = time.Millisecond

// powerCut is an observation of db1 losing its power at 1 s: its clients are
// served by db2 from 2 s on, and it is back at 5 s.
func powerCut(t *testing.T) *observation {
	t.Helper()
	server, err := mariadb.New(mariadb.Config{Address: "192.0.2.1:3306"})
	if err != nil {
		t.Fatal(err)
	}
	o := &observation{
		config: Config{
			Address: server, AddressName: "192.0.2.70", Threshold: 100 * ms, Deadline: 250 * ms, Interval: 10 * ms,
			Nodes: []client.Node{{Name: "db1", Server: server}, {Name: "db2", Server: server}, {Name: "db3", Server: server}},
			Tell:  func(Event) {},
		},
		latest:  map[string]timeline.NodeView{},
		address: timeline.Address{Patience: 100 * ms},
		records: []*client.Record{{Client: client.Client{Kind: client.NewConnection}}},
	}
	for at := time.Duration(0); at < 8000*ms; at += 10 * ms {
		o.tick(at)
	}
	return o
}

func (o *observation) tick(at time.Duration) {
	full := timeline.NodeView{State: "Synced", Primary: true, Cluster: "c", ConfID: 5, Size: 3, Members: []string{"db1", "db2", "db3"}}
	two := timeline.NodeView{State: "Synced", Primary: true, Cluster: "c", ConfID: 6, Size: 2, Members: []string{"db2", "db3"}}
	back := full
	back.ConfID = 7
	a := client.Attempt{Intended: at, Started: at, Done: at + 4*ms, Answer: mariadb.Outcome{Verdict: ledger.Acknowledged, Node: "db1"}}
	switch {
	case at < 1000*ms:
		o.see(at, full, full)
		o.address.Answer("db1", at)
	case at < 2000*ms:
		a.Answer = mariadb.Outcome{Verdict: ledger.Refused, Class: mariadb.ConnectTimeout}
		a.Done = at + 250*ms
		o.see(at, timeline.NodeView{State: timeline.Unreachable}, full)
	case at < 5000*ms:
		a.Answer.Node = "db2"
		o.see(at, timeline.NodeView{State: timeline.Off}, two)
		o.address.Answer("db2", at)
	default:
		a.Answer.Node = "db2"
		o.see(at, back, back)
		o.address.Answer("db2", at)
	}
	o.records[0].Add(a)
	if a.Answer.Verdict == ledger.Acknowledged {
		o.book.Record(uint64(at/(10*ms)), ledger.Acknowledged)
	} else {
		o.book.Record(uint64(at/(10*ms)), ledger.Refused)
	}
}

// see lets db1 have one view and the others another.
func (o *observation) see(at time.Duration, one, others timeline.NodeView) {
	for node, v := range map[string]timeline.NodeView{"db1": one, "db2": others, "db3": others} {
		o.views.See(node, at, v)
		o.latest[node] = v
	}
}

func TestEvaluate(t *testing.T) {
	o := powerCut(t)
	f := o.evaluate(Repetition{Fault: fault.Fault{Name: "power-cut"}, Number: 1}, fault.Bound{Targets: []string{"db1"}},
		times{struck: []fault.Struck{{Node: "db1", At: o.origin.Add(1003 * ms).Round(0)}}, injected: 1000 * ms, undone: 4000 * ms, healed: 6000 * ms, whole: true, end: 8000 * ms}, checked{})
	marks := map[string]result.Milliseconds{}
	for _, m := range f.Marks {
		marks[m.Name] = m.At
	}
	want := map[string]result.Milliseconds{
		result.Injected: 0, result.Struck: 3, result.FirstError: 250, result.FirstOK: 1004, result.ViewChanged: 1000, result.ARPChanged: 1000,
		result.AddressMoved: 1004, result.Undone: 3000, result.Healed: 5000,
		// No synced: the nodes were not read, so nobody knows whether they have every row.
	}
	if !maps.Equal(marks, want) {
		t.Errorf("marks: got %v, want %v", marks, want)
	}
	if c := f.Clients[0]; c.Interruption != 1010 || c.Since != -6 || c.Open {
		t.Errorf("interruption of %v since %v", c.Interruption, c.Since)
	}
	if f.Acked != 700 || f.From != -1000 || f.To != 7000 || len(f.Lanes) != 4 || len(f.Violations) != 0 {
		t.Errorf("got %d acked, from %v to %v, %d lanes, %v", f.Acked, f.From, f.To, len(f.Lanes), f.Violations)
	}
}

func TestSynced(t *testing.T) {
	o := powerCut(t)
	if at, found := o.synced(); !found || at != 5000*ms {
		t.Errorf("synced at %v, %v", at, found)
	}
	o.views.See("db3", 8000*ms, timeline.NodeView{State: timeline.NonPrimary})
	if _, found := o.synced(); found {
		t.Error("synced, although db3 is not")
	}
}

func TestUnsettled(t *testing.T) {
	o := powerCut(t)
	if why := o.unsettled(); len(why) > 0 {
		t.Errorf("a whole cluster: %q", why)
	}
	for name, spoil := range map[string]func(v *timeline.NodeView){
		"is non-Primary":           func(v *timeline.NodeView) { v.State, v.Primary = timeline.NonPrimary, false },
		"is in a component of 2":   func(v *timeline.NodeView) { v.Size = 2 },
		"are in different views":   func(v *timeline.NodeView) { v.ConfID++ },
		"db2 are in different vie": func(v *timeline.NodeView) { v.Cluster = "other" },
	} {
		o := powerCut(t)
		v := o.latest["db2"]
		spoil(&v)
		o.latest["db2"] = v
		if why := o.unsettled(); !slices.ContainsFunc(why, func(w string) bool { return strings.Contains(w, name) }) {
			t.Errorf("got %q, want %q", why, name)
		}
	}
}

// TestContentsMayTakeAMomentToBeTheSame: a statement that a client gave up is done while the nodes are read, one
// after the other. What stays different is told.
func TestContentsMayTakeAMomentToBeTheSame(t *testing.T) {
	same, other := map[string]string{"db1": "2-7", "db2": "2-7"}, map[string]string{"db1": "1-3", "db2": "2-7"}
	for name, x := range map[string]struct {
		looks []map[string]string // the last one again and again
		want  map[string]string
		times int
	}{
		"the same at once":       {[]map[string]string{same}, same, 1},
		"one row comes late":     {[]map[string]string{other, other, same}, same, 3},
		"only one was compared":  {[]map[string]string{{"db1": "1-3"}}, map[string]string{"db1": "1-3"}, 1},
		"none could be compared": {[]map[string]string{{}}, map[string]string{}, 1},
	} {
		times := 0
		found := settled(t.Context(), ms, func() checked {
			times++
			return checked{checksums: x.looks[min(times, len(x.looks))-1]}
		})
		if !maps.Equal(found.checksums, x.want) || times != x.times {
			t.Errorf("%s: %v after %d looks", name, found.checksums, times)
		}
	}
	ended, cancel := context.WithTimeout(t.Context(), 20*ms)
	defer cancel()
	if found := settled(ended, ms, func() checked { return checked{checksums: other} }); !maps.Equal(found.checksums, other) {
		t.Errorf("what stays different became %v", found.checksums)
	}
}

func TestWhatWasNotSeenIsSaid(t *testing.T) {
	o := powerCut(t)
	late := client.Attempt{Intended: 3000 * ms, Started: 3400 * ms, Done: 3404 * ms, Answer: mariadb.Outcome{Verdict: ledger.Acknowledged, Node: "db2"}}
	o.records[0].Add(late)
	o.config.Nodes = append(o.config.Nodes, client.Node{Name: "db4"})
	said := strings.Join(o.unmeasured(client.Frame{Injected: 1000 * ms}, checked{failures: []string{"db3 was not compared: no answer."}}), "\n")
	for _, want := range []string{"held up 1 times, for 400ms at most (from +2.00 s on)", "db4 did not say who its members are", "db3 was not compared"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said in:\n%s", want, said)
		}
	}
}
