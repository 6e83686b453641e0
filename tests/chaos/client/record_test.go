package client_test

import (
	"testing"
	"time"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
)

const ms = time.Millisecond

func attempt(at, took time.Duration, v ledger.Verdict) client.Attempt {
	return client.Attempt{Intended: at, Started: at, Done: at + took, Answer: mariadb.Outcome{Verdict: v, Node: "db1"}}
}

// outage is a client that ticks every 10 ms and is away from 1 s to 2 s.
func outage(kind string) *client.Record {
	r := &client.Record{Client: client.Client{Kind: kind, Interval: 10 * ms}}
	for at := time.Duration(0); at < 3000*ms; at += 10 * ms {
		switch {
		case at > 1000*ms && at < 1100*ms:
			r.Add(attempt(at, 250*ms, ledger.Indeterminate))
		case at > 1000*ms && at < 2000*ms:
			r.Add(attempt(at, ms, ledger.Refused))
		default:
			r.Add(attempt(at, 4*ms, ledger.Acknowledged))
		}
	}
	return r
}

func TestResult(t *testing.T) {
	frame := client.Frame{Injected: 900 * ms, End: 3000 * ms, Threshold: 100 * ms, Deadline: 250 * ms, Sparse: 40 * ms}
	c := outage(client.NewConnection).Result(frame)
	if c.Interruption != 1000 || c.Since != 104 || c.Open || c.Attempts != 300 || c.Acked != 201 || c.Indeterminate != 9 || c.Refused != 90 {
		t.Errorf("got %+v", c)
	}
	if c.Latency.P50 < 4 || c.Latency.P50 > 4.01 || c.Latency.Max > 4.01 || c.Availability != 201.0/300 {
		t.Errorf("latency %+v, availability %v", c.Latency, c.Availability)
	}
	if len(c.Dots) != c.Attempts {
		t.Errorf("%d dots of the writer's %d attempts", len(c.Dots), c.Attempts)
	}
	sparse := outage(client.Persistent).Result(frame).Dots
	failed := 0
	for i, d := range sparse {
		if d.Verdict != "acknowledged" {
			failed++
		}
		if i > 0 && d.At-sparse[i-1].At > 50 {
			t.Errorf("nothing between %v and %v, which the page takes for silence", sparse[i-1].At, d.At)
		}
	}
	if failed != 99 || len(sparse) > 160 {
		t.Errorf("%d dots, %d of 99 failures", len(sparse), failed)
	}
}

func TestLatencyCountsFromTheIntendedStart(t *testing.T) {
	r := &client.Record{Client: client.Client{Kind: client.NewConnection}}
	late := attempt(0, 0, ledger.Acknowledged)
	late.Started, late.Done = 800*ms, 804*ms
	r.Add(late)
	got := r.Result(client.Frame{End: 900 * ms, Threshold: 100 * ms, Deadline: 250 * ms})
	if got.Latency.Max < 804 || got.Latency.Max > 805 || got.Availability != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestFailureIsTheFirstToBeFelt(t *testing.T) {
	a, found := outage(client.NewConnection).Failure(900 * ms)
	if !found || a.Done != 1101*ms {
		t.Errorf("got %v, %v", a.Done, found)
	}
	if _, found := outage(client.NewConnection).Failure(2500 * ms); found {
		t.Error("a failure is found where there was none")
	}
}

func TestOverflowLeavesNoRow(t *testing.T) {
	if v, class := client.Verdict(client.Attempt{Overflow: true}); v != ledger.Refused || class != mariadb.ClientFull {
		t.Errorf("got %v, %v", v, class)
	}
}

func TestIDsNeverMeet(t *testing.T) {
	a, b := client.Client{Number: 0}, client.Client{Number: 1}
	if a.ID(5) == b.ID(5) || client.NumberOf(b.ID(1<<39)) != 1 || client.NumberOf(a.ID(1<<39)) != 0 {
		t.Errorf("ids %d and %d", a.ID(5), b.ID(5))
	}
}
