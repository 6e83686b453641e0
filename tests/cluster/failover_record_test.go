//go:build lab

package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/tests/lab"
	"holdfast/tests/lab/power"
)

// bridgeUnit is the daemon's unit.
const bridgeUnit = "holdfast-crmbridge.service"

// soon is how long after its last phase a record may come.
const soon = 2 * time.Second

// failover is the part of a record that the test looks at.
type failover struct {
	ID           string        `json:"id"`
	Open         bool          `json:"open"`
	Planned      bool          `json:"planned"`
	Outcome      string        `json:"outcome"`
	Cause        cause         `json:"cause"`
	Also         []cause       `json:"also"`
	Begin        moment        `json:"begin"`
	End          moment        `json:"end"`
	ServiceBack  moment        `json:"service_back"`
	Interruption time.Duration `json:"interruption"`
	Transitions  []struct {
		PEInput string `json:"pe_input"`
	} `json:"transitions"`
	From string `json:"from"`
	To   string `json:"to"`
	Gaps []any  `json:"gaps"`

	Clocks []incident.ClockState `json:"clocks"`

	Phases []struct {
		Name     string        `json:"name"`
		Duration time.Duration `json:"duration"`
	} `json:"phases"`

	written time.Time
}

type cause struct {
	Kind string `json:"kind"`
	Node string `json:"node"`
}

// tells says whether a record has one of some causes on a node, as the first or beside it.
func (r failover) tells(node string, kinds ...string) bool {
	return slices.ContainsFunc(slices.Concat(r.Also, []cause{r.Cause}), func(c cause) bool { return c.Node == node && slices.Contains(kinds, c.Kind) })
}

type moment struct {
	At time.Time `json:"at"`
}

// recordsFailovers wants one record of each fault: soon, with the right cause, and alike on
// every node that is left to write one.
func recordsFailovers(t *testing.T, f *fixture) {
	for _, fault := range []struct {
		name, cause string
		// fromAfar is what a node may say that only has Pacemaker's word: a monitor in the
		// moment of the death finds a service that is going, not one that is gone.
		fromAfar  string
		planned   bool
		do        func(t *testing.T, f *fixture, victim, witness string)
		survivors bool // the victim writes none
	}{
		{name: "the address is moved", cause: "moved", planned: true, do: func(t *testing.T, f *fixture, _, witness string) {
			f.run(t, witness, "pcs", "resource", "move", "vip", witness)
		}},
		{name: "the database is killed", cause: "database-died", fromAfar: "database-failed", do: func(t *testing.T, f *fixture, victim, _ string) { f.kill(t, victim) }},
		{name: "the power is cut", cause: "node-lost", survivors: true, do: func(t *testing.T, f *fixture, victim, _ string) {
			if err := f.PowerOff(t.Context(), victim); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			victim := f.waitHealthy(t, "db1").running("vip")[0]
			witness := other(victim)
			f.run(t, witness, "crm_resource", "--wait", "--timeout", "120")
			begin := time.Now()
			fault.do(t, f, victim, witness)
			f.waitAway(t, witness, victim)
			var first failover
			plans := 0
			for _, node := range names() {
				if fault.survivors && node == victim {
					continue
				}
				causes := []string{fault.cause}
				if node != victim && fault.fromAfar != "" {
					causes = append(causes, fault.fromAfar)
				}
				r := f.waitRecord(t, node, causes, begin)
				t.Logf("%s: %+v", node, r)
				if r.Planned != fault.planned || r.Cause.Node != "" && !fault.planned && r.Cause.Node != victim || r.From != victim {
					t.Errorf("%s: planned %v, cause on %s, away from %s; the fault was on %s", node, r.Planned, r.Cause.Node, r.From, victim)
				}
				if late := r.written.Sub(r.End.At); late > soon {
					t.Errorf("%s: written %v after its end", node, late)
				}
				if len(r.Clocks) != 1 || r.Clocks[0].Node != node || r.Clocks[0].Unread != "" || r.Clocks[0].Stepped != 0 || r.Clocks[0].Read.Mono == 0 {
					t.Errorf("%s: the clocks are %+v, and should be its own", node, r.Clocks)
				}
				for _, plan := range r.Transitions {
					if plan.PEInput != "" {
						plans++
					}
				}
				if first.ID == "" {
					first = r
				}
				if r.ID == "" || r.ID != first.ID {
					t.Errorf("%s calls it %q, another node %q", node, r.ID, first.ID)
				}
			}
			if plans == 0 {
				t.Error("no record names the file that Pacemaker's plan can be made again from")
			}
			f.waitHealthy(t, witness)
			// Who comes next must find nothing that failed: chaos starts only from there.
			f.run(t, witness, "pcs", "resource", "cleanup")
			f.waitHealthy(t, witness)
		})
	}
}

// recordsAStop wants one record of an orderly stop of the whole cluster and its start: planned, though no node
// had quorum in the end, and alike on every node.
func recordsAStop(t *testing.T, f *fixture) {
	f.waitHealthy(t, "db1")
	begin := time.Now()
	f.run(t, "db1", "pcs", "cluster", "stop", "--all")
	for _, node := range names() {
		if out, err := f.Exec(t.Context(), node, "systemctl", "is-active", "mariadb.service"); err == nil {
			t.Errorf("the database still runs on %s after the cluster was stopped: %s", node, out)
		}
	}
	f.run(t, "db1", "pcs", "cluster", "start", "--all")
	f.waitHealthy(t, "db1")
	ids := map[string]bool{}
	for _, node := range names() {
		r := f.waitRecord(t, node, []string{"node-stop"}, begin)
		t.Logf("%s: %+v", node, r)
		if !r.Planned || r.Interruption <= 0 {
			t.Errorf("%s: planned %v, away for %v", node, r.Planned, r.Interruption)
		}
		ids[r.ID] = true
	}
	if len(ids) != 1 {
		t.Errorf("the stop has %d names: %v", len(ids), ids)
	}
}

// recordsAShutdown wants the same of machines that are shut down in order and switched on again, as two records: nobody
// watches in between. What the last one to leave wrote of it is in its journal, and nobody speaks of a loss.
func recordsAShutdown(t *testing.T, f *fixture) {
	f.waitHealthy(t, "db1")
	f.run(t, "db1", "crm_resource", "--wait", "--timeout", "120")
	begin := time.Now()
	for _, node := range names() {
		if err := f.Shutdown(t.Context(), node); err != nil {
			t.Fatal(err)
		}
	}
	for _, node := range names() {
		f.waitOff(t, node)
	}
	for _, node := range names() {
		if err := f.PowerOn(t.Context(), node); err != nil {
			t.Fatal(err)
		}
	}
	f.waitHealthy(t, "db1")
	stops, starts := map[string]bool{}, map[string]bool{}
	for _, node := range names() {
		r := f.waitRecord(t, node, []string{"cluster-start"}, begin)
		t.Logf("%s: %+v", node, r)
		starts[r.ID] = true
		for _, r := range records(f.run(t, node, journalOf("record")...)) {
			switch {
			case r.End.At.Before(begin):
			case r.Cause.Kind == "node-stop" && r.Planned && r.Outcome == "stopped":
				stops[r.ID] = true
			case r.Cause.Kind != "cluster-start" && (!r.Planned || r.Cause.Kind != "node-stop"):
				t.Errorf("%s recorded %+v", node, r)
			}
		}
	}
	if len(stops) != 1 || len(starts) != 1 {
		t.Errorf("the names of the stop are %v, of the start %v", stops, starts)
	}
}

// waitAway waits until the address is up on another node.
func (f *fixture) waitAway(t *testing.T, witness, victim string) {
	t.Helper()
	f.waitFor(t, witness, "the address away from "+victim, func(s status) bool {
		vip := s.running("vip")
		return len(vip) == 1 && vip[0] != victim
	})
}

// waitOff waits until a node that was told to is off.
func (f *fixture) waitOff(t *testing.T, node string) {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, node+" to be off", func(ctx context.Context) (string, bool) {
		state, err := f.PowerState(ctx, node)
		return fmt.Sprint(state, err), err == nil && state == power.Off
	})
	if err != nil {
		t.Fatal(err)
	}
}

// journalOf prints the entries of a type in a node's journal, as record or event, that have other fields besides.
func journalOf(entries string, fields ...string) []string {
	return append(wholeJournal(), append([]string{"CRMBRIDGE_TYPE=" + entries}, fields...)...)
}

// wholeJournal prints all that the daemon of a node has written.
func wholeJournal() []string {
	return []string{"journalctl", "--identifier=crmbridge", "--output=json", "--all", "--quiet", "--no-pager"}
}

// installBridge installs the package on every node and waits until all of them hear
// everything.
func (f *fixture) installBridge(t *testing.T) {
	t.Helper()
	debs, err := filepath.Glob("../../build/deb/holdfast-crmbridge_*.deb")
	if err != nil || len(debs) != 1 {
		t.Fatalf("%d packages holdfast-crmbridge in build/deb (%v): run make deb", len(debs), err)
	}
	for _, node := range names() {
		if err := f.Install(t.Context(), node, debs...); err != nil {
			t.Fatal(err)
		}
		f.waitHearing(t, node)
	}
}

func (f *fixture) waitHearing(t *testing.T, node string) {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, "the bridge of "+node+" to hear everything", func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, node, "systemctl", "show", "--property=ActiveState,StatusText", bridgeUnit)
		return fmt.Sprint(out, err), err == nil && strings.Contains(out, "ActiveState=active") && strings.Contains(out, "StatusText=following everything")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waitRecord waits for a node's closed record of one of some causes that ended after a
// time.
func (f *fixture) waitRecord(t *testing.T, node string, causes []string, begin time.Time) failover {
	t.Helper()
	return f.waitRecordOf(t, node, begin, func(r failover) bool { return slices.Contains(causes, r.Cause.Kind) })
}

// waitRecordOf waits for a node's closed record that is wanted and ended after a time.
func (f *fixture) waitRecordOf(t *testing.T, node string, begin time.Time, want func(failover) bool) failover {
	t.Helper()
	var found failover
	err := lab.WaitFor(t.Context(), settle, "the record of "+node, func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, node, journalOf("record")...)
		if err != nil {
			return err.Error(), false
		}
		var last string
		for _, r := range records(out) {
			if r.End.At.Before(begin) {
				continue
			}
			last = fmt.Sprintf("%s, open %v", r.Cause.Kind, r.Open)
			if want(r) && !r.Open {
				found = r
				return "", true
			}
		}
		return "last: " + last, false
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// records finds the records among the entries of a journal.
func records(journal string) []failover {
	var all []failover
	lines := bufio.NewScanner(strings.NewReader(journal))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var entry struct {
			Record string `json:"CRMBRIDGE_RECORD"`
			At     string `json:"__REALTIME_TIMESTAMP"`
		}
		var r failover
		if json.Unmarshal(lines.Bytes(), &entry) != nil || json.Unmarshal([]byte(entry.Record), &r) != nil {
			continue
		}
		if us, err := strconv.ParseInt(entry.At, 10, 64); err == nil {
			r.written = time.UnixMicro(us)
		}
		all = append(all, r)
	}
	return all
}
