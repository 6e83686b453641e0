package verify

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/wait"
)

const (
	pollInterval = 500 * time.Millisecond // between two questions to a node
	askDeadline  = 2 * time.Second        // of one question for the state
	readDeadline = 90 * time.Second       // of the reading; wsrep_sync_wait alone may take 30 s
	remindAfter  = 10 * time.Second       // a wait that does not change is shown again
	// SettleTime is how long indeterminate writes may go on arriving: a commit
	// that was held up is executed or rolled back well within it.
	SettleTime = 10 * time.Second
)

// Server is a node's database at its own address.
type Server interface {
	Address() string
	State(ctx context.Context) (mariadb.State, error)
	Present(ctx context.Context, run string) ([]uint64, error)
}

// Node is one node to verify.
type Node struct {
	Name   string // must be the node's @@hostname, with or without its domain
	Server Server
}

// Check is what to verify.
type Check struct {
	Nodes  []Node
	Run    string
	Ledger *ledger.Ledger
	Wait   time.Duration // for all nodes together to be synced; reading them takes its own time
	// Progress shows a wait to people. It is called from several goroutines.
	Progress func(node, text string)
}

// NodeResult is what one node has.
type NodeResult struct {
	Name     string
	Address  string
	Waited   time.Duration // until it was synced
	Err      error         // why it was not verified; nil when it was read
	Findings ledger.Findings
}

// Result is the outcome of a check.
type Result struct {
	Nodes     []NodeResult
	Lost      []uint64 // acknowledged writes that at least one node lacks
	Divergent []uint64 // indeterminate writes that only some nodes have
	Split     bool     // the nodes belong to different clusters
}

// Complete says whether every node was read.
func (r Result) Complete() bool {
	for _, n := range r.Nodes {
		if n.Err != nil {
			return false
		}
	}
	return len(r.Nodes) > 0
}

// Passed says whether every node was read and has exactly what it must have.
func (r Result) Passed() bool {
	for _, n := range r.Nodes {
		if !n.Findings.Sound() {
			return false
		}
	}
	return r.Complete() && !r.Split && len(r.Divergent) == 0
}

// Nodes verifies all nodes. It first waits for all of them and then reads all of
// them, so that they are compared at about the same time. Failures are in the
// result; it never returns a result that passed because a node was left out.
func Nodes(ctx context.Context, c Check) Result {
	waiting, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()

	r := Result{Nodes: make([]NodeResult, len(c.Nodes))}
	clusters := make([]string, len(c.Nodes))
	c.each(func(i int, n Node) {
		r.Nodes[i] = NodeResult{Name: n.Name, Address: n.Server.Address()}
		start := time.Now()
		clusters[i], r.Nodes[i].Err = c.awaitSynced(waiting, n)
		r.Nodes[i].Waited = time.Since(start)
	})
	r.Split = differ(clusters)

	// The reading has its own time: one node that never came must not keep the
	// others from being read.
	reading, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	settled, cancel := context.WithTimeout(ctx, SettleTime)
	defer cancel()
	for {
		c.readAll(reading, &r)
		if len(r.Divergent) == 0 || !wait.For(settled, pollInterval) {
			return r
		}
	}
}

// each runs do for all nodes at the same time and waits.
func (c Check) each(do func(i int, n Node)) {
	var all sync.WaitGroup
	for i, n := range c.Nodes {
		all.Go(func() { do(i, n) })
	}
	all.Wait()
}

// awaitSynced waits until the node is synced and returns its cluster's UUID.
func (c Check) awaitSynced(ctx context.Context, n Node) (string, error) {
	shown, shownAt, start := "", time.Time{}, time.Now()
	for {
		asked, cancel := context.WithTimeout(ctx, askDeadline)
		state, err := n.Server.State(asked)
		cancel()
		if err == nil && !sameHost(state.Hostname, n.Name) {
			return "", fmt.Errorf("%s answers as %q, not as %q: correct --node", n.Server.Address(), state.Hostname, n.Name)
		}
		reason := unready(state, err)
		if reason == "" {
			c.Progress(n.Name, fmt.Sprintf("is synced (waited %.1f s)", time.Since(start).Seconds()))
			return state.ClusterUUID, nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("not synced within %v: %s", c.Wait, reason)
		}
		if reason != shown || time.Since(shownAt) >= remindAfter {
			c.Progress(n.Name, fmt.Sprintf("is awaited (%.0f s of %v): %s", time.Since(start).Seconds(), c.Wait, reason))
			shown, shownAt = reason, time.Now()
		}
		if !wait.For(ctx, pollInterval) {
			return "", fmt.Errorf("not synced within %v: %s", c.Wait, reason)
		}
	}
}

// unready says why a node cannot be verified yet, or nothing when it can.
func unready(s mariadb.State, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case s.ClusterStatus != "Primary":
		return fmt.Sprintf("wsrep_cluster_status is %q, not Primary", s.ClusterStatus)
	case s.LocalState != "Synced":
		return fmt.Sprintf("wsrep_local_state_comment is %q, not Synced", s.LocalState)
	case !s.Ready:
		return "wsrep_ready is OFF"
	default:
		return ""
	}
}

// readAll reads every node that is synced and compares them.
func (c Check) readAll(ctx context.Context, r *Result) {
	c.each(func(i int, n Node) {
		if r.Nodes[i].Err == nil {
			r.Nodes[i].Findings, r.Nodes[i].Err = c.read(ctx, n)
		}
	})
	var found []ledger.Findings
	for _, n := range r.Nodes {
		if n.Err == nil {
			found = append(found, n.Findings)
		}
	}
	r.Lost, r.Divergent = ledger.LostAnywhere(found), ledger.Divergent(found)
}

// read reads one node, again and again while it fails: a node that has just
// joined may fall back for a moment.
func (c Check) read(ctx context.Context, n Node) (ledger.Findings, error) {
	for {
		ids, err := n.Server.Present(ctx, c.Run)
		if err == nil {
			return c.Ledger.Audit(ids), nil
		}
		c.Progress(n.Name, fmt.Sprintf("could not be read: %v", err))
		if !wait.For(ctx, pollInterval) {
			return ledger.Findings{}, err
		}
	}
}

// sameHost compares a server's hostname with the name of a node.
func sameHost(hostname, name string) bool {
	short, _, _ := strings.Cut(hostname, ".")
	return strings.EqualFold(hostname, name) || strings.EqualFold(short, name)
}

// differ says whether two known clusters are not the same.
func differ(clusters []string) bool {
	known := ""
	for _, uuid := range clusters {
		if uuid != "" && known != "" && uuid != known {
			return true
		}
		known = max(known, uuid)
	}
	return false
}
