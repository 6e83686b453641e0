package verify_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/verify"
)

// member is a node of a pretended cluster: it joins at a time and has rows.
type member struct {
	host     string
	uuid     string
	syncedAt time.Time // zero: at once
	dead     bool
	rows     [][]uint64 // of one read after the other; the last stays
	failures int        // reads that fail first

	mu    sync.Mutex
	reads int
}

func (m *member) Address() string { return m.host + ":3306" }

func (m *member) State(context.Context) (mariadb.State, error) {
	if m.dead {
		return mariadb.State{}, errors.New("connection refused")
	}
	state := mariadb.State{Hostname: m.host, Ready: true, LocalState: "Synced", ClusterStatus: "Primary", ClusterUUID: m.uuid}
	if time.Now().Before(m.syncedAt) {
		state.LocalState, state.Ready = "Joiner", false
	}
	return state, nil
}

func (m *member) Present(context.Context, string) ([]uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failures > 0 {
		m.failures--
		return nil, errors.New("Error 1047: not prepared")
	}
	rows := m.rows[min(m.reads, len(m.rows)-1)]
	m.reads++
	return rows, nil
}

func has(ids ...uint64) [][]uint64 { return [][]uint64{ids} }

func TestNodes(t *testing.T) {
	tests := []struct {
		name     string
		db2      *member
		passed   bool
		complete bool
		lost     int
		reason   string // in the error of db2
	}{
		{name: "everything there", db2: &member{rows: has(1, 2)}, passed: true, complete: true},
		{name: "acknowledged write lost", db2: &member{rows: has(1)}, complete: true, lost: 1},
		{name: "unreachable", db2: &member{dead: true}, reason: "connection refused"},
		{name: "comes back in time", db2: &member{syncedAt: later(20), rows: has(1, 2)}, passed: true, complete: true},
		{name: "comes back too late", db2: &member{syncedAt: later(90), rows: has(1, 2)}, reason: "Joiner"},
		{name: "another node at the address", db2: &member{host: "db3", rows: has(1, 2)}, reason: "correct --node"},
		{name: "with its domain", db2: &member{host: "db2.example.org", rows: has(1, 2)}, passed: true, complete: true},
		{name: "falls back while it is read", db2: &member{failures: 3, rows: has(1, 2)}, passed: true, complete: true},
		{name: "cannot be read at all", db2: &member{failures: 1e9, rows: has(1, 2)}, reason: "1047"},
		{name: "another cluster", db2: &member{uuid: "other", rows: has(1, 2)}, complete: true},
		{name: "indeterminate write on one node only", db2: &member{rows: has(1, 2, 3)}, complete: true},
		{name: "indeterminate write that arrives late elsewhere", db2: &member{rows: [][]uint64{{1, 2, 3}, {1, 2}}}, passed: true, complete: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := check(t, test.db2)
				if r.Passed() != test.passed || r.Complete() != test.complete || len(r.Lost) != test.lost {
					t.Errorf("passed %v, complete %v, lost %v: %+v", r.Passed(), r.Complete(), r.Lost, r)
				}
				if err := r.Nodes[0].Err; err != nil {
					t.Errorf("db1 was not read because of the other: %v", err)
				}
				err := r.Nodes[1].Err
				if (err == nil) != (test.reason == "") || err != nil && !strings.Contains(err.Error(), test.reason) {
					t.Errorf("db2: got %v, want %q", err, test.reason)
				}
			})
		})
	}
}

// later is a time in the bubble, whose clock starts at midnight of 2000-01-01 UTC.
func later(seconds int) time.Time {
	return time.Date(2000, 1, 1, 0, 0, seconds, 0, time.UTC)
}

// check verifies a sound db1 and the given db2 against writes 1 and 2
// acknowledged and 3 indeterminate.
func check(t *testing.T, db2 *member) verify.Result {
	t.Helper()
	var book ledger.Ledger
	book.Record(1, ledger.Acknowledged)
	book.Record(2, ledger.Acknowledged)
	book.Record(3, ledger.Indeterminate)
	for field, value := range map[*string]string{&db2.host: "db2", &db2.uuid: "one"} {
		if *field == "" {
			*field = value
		}
	}
	return verify.Nodes(t.Context(), verify.Check{
		Nodes: []verify.Node{
			{Name: "db1", Server: &member{host: "db1", uuid: "one", rows: has(1, 2)}},
			{Name: "db2", Server: db2},
		},
		Run: "r", Ledger: &book, Wait: time.Minute, Progress: func(string, string) {},
	})
}

func TestNoNodesProveNothing(t *testing.T) {
	if r := verify.Nodes(t.Context(), verify.Check{Ledger: &ledger.Ledger{}, Wait: time.Second}); r.Passed() {
		t.Error("a check without nodes passed")
	}
}
