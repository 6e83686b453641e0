//go:build lab

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/tests/lab"
)

// probeMessage is the MESSAGE_ID that crmbridge(8) gives to probes.
const probeMessage = "cabe29a641aa41079d585a1a77ce6533"

// losesNothingQuietly does to the daemon, and to all that it listens to, what can happen to
// them. It has to hear everything again by itself, say where it was blind, and the chain of
// its entries has to be whole.
func losesNothingQuietly(t *testing.T, f *fixture) {
	for _, harm := range []struct {
		name string
		do   func(t *testing.T, f *fixture, node string)
		// blind are the sources that must have said so, if they had to miss something.
		blind []string
	}{
		{"kill -9", func(t *testing.T, f *fixture, node string) {
			f.run(t, node, "systemctl", "kill", "--signal=KILL", "--kill-whom=main", bridgeUnit)
		}, []string{"cib", "corosync", "fencer", "journal", "kernel", "systemd"}},
		{"restart", func(t *testing.T, f *fixture, node string) { f.run(t, node, "systemctl", "restart", bridgeUnit) },
			[]string{"cib", "corosync", "fencer", "journal", "kernel", "systemd"}},
		{"journald restarted", func(t *testing.T, f *fixture, node string) {
			f.run(t, node, "systemctl", "restart", "systemd-journald.service")
		}, nil},
		{"dbus restarted", func(t *testing.T, f *fixture, node string) { f.run(t, node, "systemctl", "restart", "dbus.service") }, []string{"systemd"}},
		{"corosync and pacemaker restarted", func(t *testing.T, f *fixture, node string) {
			f.run(t, node, "systemctl", "stop", "pacemaker.service", "corosync.service")
			f.run(t, node, "systemctl", "start", "corosync.service", "pacemaker.service")
			f.waitHealthy(t, other(node))
		}, []string{"cib", "corosync", "fencer"}},
		{"another DC", func(t *testing.T, f *fixture, node string) {
			dc := f.dc(t, node)
			f.run(t, dc, "pcs", "cluster", "stop", dc)
			f.waitFor(t, other(dc), "another DC", func(s status) bool { return !slices.Contains(s.online(), dc) })
			f.run(t, dc, "pcs", "cluster", "start", dc)
			f.waitHealthy(t, node)
		}, nil},
		{"the package upgraded", upgradeBridge, []string{"cib", "corosync", "fencer", "journal", "kernel", "systemd"}},
	} {
		t.Run(harm.name, func(t *testing.T) {
			node := other(f.waitHealthy(t, "db1").running("vip")[0])
			witness := other(node)
			f.run(t, witness, "crm_resource", "--wait", "--timeout", "120")
			pid := f.run(t, node, "systemctl", "show", "--property=MainPID", "--value", bridgeUnit)
			last := f.lastNumber(t, node)
			harm.do(t, f, node)
			f.waitGaps(t, node, last, harm.blind)
			f.waitHearing(t, node)
			f.waitHealthy(t, witness)
			f.verifies(t, node)
			again := f.run(t, node, "systemctl", "show", "--property=MainPID", "--value", bridgeUnit)
			if survived := !slices.Contains(harm.blind, "kernel"); survived && again != pid {
				t.Errorf("the daemon was started anew: it should have gone on")
			}
			f.recordsAFailover(t, node)
		})
	}
	t.Run("a client says what it feels", func(t *testing.T) { f.probed(t) })
	t.Run("nobody watches while it happens", func(t *testing.T) { f.diesTogether(t) })
	t.Run("the doctor finds nothing but the clock", func(t *testing.T) {
		f.waitHealthy(t, "db1")
		f.run(t, "db1", "pcs", "resource", "cleanup")
		out, err := f.Exec(t.Context(), "db1", "crmbridge", "doctor")
		t.Logf("%v\n%s", err, out)
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "error") || strings.Contains(line, "Timing:") && !strings.HasPrefix(line, "ok") {
				t.Errorf("a cluster that was set up by holdfast-cluster has this: %s", line)
			}
		}
	})
}

// dc is the node that decides.
func (f *fixture) dc(t *testing.T, node string) string {
	t.Helper()
	words := strings.Fields(f.run(t, node, "crmadmin", "--dc_lookup", "--quiet"))
	if len(words) == 0 || !slices.Contains(names(), words[len(words)-1]) {
		t.Fatalf("nobody is the DC: %q", words)
	}
	return words[len(words)-1]
}

// upgradeBridge installs the same package with a higher version.
func upgradeBridge(t *testing.T, f *fixture, node string) {
	t.Helper()
	debs, err := filepath.Glob("../../build/deb/holdfast-crmbridge_*.deb")
	if err != nil || len(debs) != 1 {
		t.Fatalf("%d packages holdfast-crmbridge in build/deb (%v): run make deb", len(debs), err)
	}
	newer := filepath.Join(t.TempDir(), "holdfast-crmbridge_newer.deb")
	script := `cd "$(dirname "$2")" && dpkg-deb -R "$1" tree && sed -i 's/^Version: .*/&+upgraded/' tree/DEBIAN/control && dpkg-deb --root-owner-group -b tree "$2"`
	old, err := filepath.Abs(debs[0])
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-ec", script, "sh", old, newer).CombinedOutput(); err != nil {
		t.Fatalf("make a newer package: %v\n%s", err, out)
	}
	if err := f.Put(t.Context(), node, newer, "/root/newer.deb"); err != nil {
		t.Fatal(err)
	}
	t.Log(f.run(t, node, "dpkg", "--install", "/root/newer.deb"))
	if v := f.run(t, node, "dpkg-query", "--show", "--showformat=${Version}", "holdfast-crmbridge"); !strings.HasSuffix(v, "+upgraded") {
		t.Errorf("the version is %s", v)
	}
}

// said is an entry of the daemon's journal.
type said struct {
	Type  string `json:"CRMBRIDGE_TYPE"`
	Event string `json:"CRMBRIDGE_EVENT"`
}

func (f *fixture) entries(ctx context.Context, node string) ([]said, error) {
	out, err := f.Exec(ctx, node, journalOf("event", "_SYSTEMD_UNIT="+bridgeUnit)...)
	if err != nil {
		return nil, err
	}
	var all []said
	for line := range strings.Lines(out) {
		var s said
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return nil, fmt.Errorf("read an entry of %s: %w", node, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// lastNumber is how many events a node's daemon has written.
func (f *fixture) lastNumber(t *testing.T, node string) int {
	t.Helper()
	all, err := f.entries(t.Context(), node)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// waitGaps waits until every source has said since then that it was blind, and until when.
func (f *fixture) waitGaps(t *testing.T, node string, since int, sources []string) {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, "the gaps of "+node, func(ctx context.Context) (string, bool) {
		all, err := f.entries(ctx, node)
		if err != nil {
			return err.Error(), false
		}
		var seen []string
		for _, s := range all[min(since, len(all)):] {
			var e struct {
				Kind   string    `json:"kind"`
				Source string    `json:"source"`
				Until  time.Time `json:"until"`
			}
			if err := json.Unmarshal([]byte(s.Event), &e); err == nil && e.Kind == "gap" && !e.Until.IsZero() {
				seen = append(seen, e.Source)
			}
		}
		for _, want := range sources {
			if !slices.Contains(seen, want) {
				return fmt.Sprintf("gaps of %v", seen), false
			}
		}
		return "", true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) verifies(t *testing.T, node string) {
	t.Helper()
	out, err := f.Exec(t.Context(), node, "crmbridge", "verify")
	if err != nil || !strings.Contains(out, "Intact") {
		t.Errorf("crmbridge verify on %s: %v\n%s", node, err, out)
	}
}

// recordsAFailover: what happens afterwards is recorded as ever, without a gap that is not
// over.
func (f *fixture) recordsAFailover(t *testing.T, node string) {
	t.Helper()
	holder := f.waitHealthy(t, node).running("vip")[0]
	f.run(t, node, "crm_resource", "--wait", "--timeout", "120")
	begin := time.Now()
	to := other(holder)
	f.run(t, node, "pcs", "resource", "move", "vip", to)
	r := f.waitRecord(t, node, []string{"moved"}, begin)
	if !r.Planned || r.From != holder || r.To != to || r.Interruption <= 0 {
		t.Errorf("the record of a move from %s to %s: %+v", holder, to, r)
	}
}

// probed lets a client say on every node that it is not served around a move: the record
// has its phase.
func (f *fixture) probed(t *testing.T) {
	t.Helper()
	say := func(answer string) {
		for _, node := range names() {
			f.run(t, node, "sh", "-c", `printf '%s\n' MESSAGE_ID=`+probeMessage+` HOLDFAST_PROBE_ANSWER=`+answer+
				` HOLDFAST_PROBE_NAME=test MESSAGE='the test says so' | logger --journald`)
		}
	}
	holder := f.waitHealthy(t, "db1").running("vip")[0]
	to := other(holder)
	f.run(t, to, "crm_resource", "--wait", "--timeout", "120")
	begin := time.Now()
	say("bad")
	f.run(t, to, "pcs", "resource", "move", "vip", to)
	say("good")
	felt := time.Since(begin)
	err := lab.WaitFor(t.Context(), settle, "a record with the client's phase", func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, to, journalOf("record")...)
		if err != nil {
			return err.Error(), false
		}
		for _, r := range records(out) {
			for _, p := range r.Phases {
				if p.Name == "client" && r.Cause.Kind == "moved" && r.End.At.After(begin) {
					return "", p.Duration > 0 && p.Duration <= felt
				}
			}
		}
		return "none yet", false
	})
	if err != nil {
		t.Fatal(err)
	}
}

// diesTogether kills the daemon and the database on one node in the same moment: the record
// of that node, and every other, must be right or say where they are blind.
func (f *fixture) diesTogether(t *testing.T) {
	t.Helper()
	victim := f.waitHealthy(t, "db1").running("vip")[0]
	witness := other(victim)
	f.run(t, witness, "crm_resource", "--wait", "--timeout", "120")
	begin := time.Now()
	f.run(t, victim, "sh", "-c", "systemctl kill --signal=KILL --kill-whom=main "+bridgeUnit+" mariadb.service")
	seen := f.waitRecord(t, witness, []string{"database-died", "database-failed"}, begin)
	own := f.waitRecord(t, victim, []string{"database-died", "database-failed"}, begin)
	if seen.ID != own.ID || len(own.Gaps) == 0 {
		t.Errorf("%s calls it %s and has %d gaps; %s calls it %s", victim, own.ID, len(own.Gaps), witness, seen.ID)
	}
	f.waitHealthy(t, witness)
	for _, node := range names() {
		f.verifies(t, node)
	}
}
