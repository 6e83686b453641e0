//go:build lab && clock

package cluster

import (
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/crmbridge/incident"
)

// TestBridgeAndTheClock sets the clock in the middle of failovers, forwards and back, and wants their records to be as
// ever, alike on every node, and to say so. The nodes have the clock of this machine: it is what is set, by exactly as
// much back in the end. Nobody else should be served by the machine meanwhile, so this is not among the other tests.
func TestBridgeAndTheClock(t *testing.T) {
	f := startFixture(t)
	firstBoot(t, f)
	f.installBridge(t)
	c := &machineClock{}
	t.Cleanup(func() { c.step(t, -c.ahead) })
	for _, step := range []time.Duration{30 * time.Second, -30 * time.Second, time.Hour, -time.Hour} {
		if !t.Run(step.String(), func(t *testing.T) { f.failsOverAsTheClockIsSet(t, c, step) }) {
			return // the next one would begin with what this one left
		}
	}
}

func (f *fixture) failsOverAsTheClockIsSet(t *testing.T, clock *machineClock, step time.Duration) {
	victim := f.waitHealthy(t, "db1").running("vip")[0]
	f.run(t, victim, "crm_resource", "--wait", "--timeout", "120")
	time.Sleep(time.Until(clock.since.Add(15 * time.Second))) // what was set up to 10 s before counts, too
	known := f.recordIDs(t, victim)
	begin := time.Now() // what passes since then is by a clock that nobody sets
	f.run(t, victim, "systemctl", "kill", "--kill-whom=main", "--signal=KILL", "mariadb.service")
	clock.step(t, step)
	f.waitAway(t, other(victim), victim)
	took := time.Since(begin) + 50*time.Millisecond // as near as a node has to know when it began
	isNew := func(r failover) bool {
		return !slices.Contains(known, r.ID) && r.tells(victim, "database-died", "database-failed")
	}
	var ids []string
	for _, node := range names() {
		r := f.waitRecordOf(t, node, time.Time{}, isNew)
		t.Logf("%s: %+v", node, r)
		ids = append(ids, r.ID)
		if r.Planned || r.From != victim || r.Interruption <= 0 || r.Interruption > took {
			t.Errorf("%s: planned %v, away from %s for %v; it was %s, for at most %v", node, r.Planned, r.From, r.Interruption, victim, took)
		}
		for _, p := range r.Phases {
			if p.Duration < 0 || p.Duration > time.Since(begin) {
				t.Errorf("%s: phase %s took %v", node, p.Name, p.Duration)
			}
		}
		f.verifies(t, node)
	}
	if ids = slices.Compact(ids); len(ids) != 1 {
		t.Fatalf("the failover has these names: %v", ids)
	}
	merged := f.mergedRecord(t, ids[0])
	t.Logf("merged: %+v", merged)
	if len(merged.Observers) != len(names()) || merged.Interruption <= 0 || merged.Interruption > took {
		t.Errorf("merged: by %v, away for %v; it was at most %v", merged.Observers, merged.Interruption, took)
	}
	for _, node := range names() {
		if !slices.ContainsFunc(merged.Clocks, func(c incident.ClockState) bool {
			return c.Node == node && (c.Stepped-step).Abs() < 100*time.Millisecond
		}) {
			t.Errorf("the clocks are %+v; that of %s was set by %v", merged.Clocks, node, step)
		}
	}
	f.waitHealthy(t, victim)
	f.run(t, victim, "pcs", "resource", "cleanup")
}

// machineClock is the clock of this machine, and how far it was set ahead.
type machineClock struct {
	ahead time.Duration
	since time.Time // when it was set last
}

// step sets the clock by exactly this much (ADJ_SETOFFSET of adjtimex(2)).
func (c *machineClock) step(t *testing.T, by time.Duration) {
	t.Helper()
	offset := unix.NsecToTimeval(int64(by))
	offset.Usec *= 1000 // ADJ_NANO
	if _, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_SETOFFSET | unix.ADJ_NANO, Time: offset}); err != nil {
		t.Fatalf("set this machine's clock by %v: %v", by, err)
	}
	c.ahead, c.since = c.ahead+by, time.Now()
}

// recordIDs are the names of what a node has recorded.
func (f *fixture) recordIDs(t *testing.T, node string) []string {
	t.Helper()
	var ids []string
	for _, r := range records(f.run(t, node, journalOf("record")...)) {
		ids = append(ids, r.ID)
	}
	return ids
}

// mergedRecord is what crmbridge makes of one record in the journals of all nodes.
func (f *fixture) mergedRecord(t *testing.T, id string) incident.Record {
	t.Helper()
	args := append([]string{"run", "holdfast/crmbridge", "show", "--output", "json"}, f.keepJournals(t, t.TempDir())...)
	out, err := exec.CommandContext(t.Context(), "go", append(args, id)...).Output()
	var found []incident.Record
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil || len(found) != 1 {
		t.Fatalf("%d incidents %s in the three journals (%v)\n%s", len(found), id, err, out)
	}
	return found[0]
}
