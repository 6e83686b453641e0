//go:build lab

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/tests/lab"
)

// stormJournals is where the journals of the storm go.
const stormJournals = "../../build/bridge-storm"

// TestBridgeInAStorm is a CIB of 1,000 resources and 20,000 changes of it, through
// Pacemaker's real CIB manager. The daemon of one node is held for so long that it is
// disconnected. It has to stay small, to say what it missed, and to record a failover in it.
func TestBridgeInAStorm(t *testing.T) {
	f := startFixture(t)
	firstBoot(t, f)
	f.installBridge(t)
	f.putNodeTest(t, "pacemaker", nodeTest)
	f.waitHealthy(t, "db1")
	f.thousandResources(t)
	slow := "db2"
	last := f.lastNumber(t, slow)
	var figures strings.Builder
	for _, node := range names() {
		fmt.Fprintf(&figures, "%s before the storm: %s\n", node, f.memory(t, node))
	}
	begin := time.Now()
	storm := exec.CommandContext(t.Context(), f.labctl, "--state", f.State(), "exec", "db1", "--", nodeTest, "-test.v", "-test.timeout=60m", "-test.run", "^TestStormOfDiffs$")
	var out strings.Builder
	storm.Stdout, storm.Stderr = &out, &out
	if err := storm.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&figures, "%s: the CIB manager gave up its slow reader: %s\n", slow, f.heldUntilGivenUp(t, slow))
	f.waitGaps(t, slow, last, []string{"cib"})
	victim := f.vip(t)
	killed := time.Now()
	f.kill(t, victim)
	// Pacemaker itself may be too busy to do anything about it before the storm is over, and on a
	// slow machine give up a node whose controller cannot follow: then that is what it began with.
	if err := storm.Wait(); err != nil {
		t.Fatalf("the storm: %v\n%s", err, out.String())
	}
	figures.WriteString(f.toldRight(t, victim, killed))
	fmt.Fprintf(&figures, "the storm took %v\n%s", time.Since(begin).Round(time.Second), out.String())
	for _, node := range names() {
		f.waitHearing(t, node)
		text := f.memory(t, node)
		fmt.Fprintf(&figures, "%s after the storm: %s\n", node, text)
		var resident int
		if _, err := fmt.Sscanf(text, "VmHWM: %d kB VmRSS: %d kB", new(int), &resident); err != nil || resident > 25<<10 {
			t.Errorf("%s: %s (%v), want at most 25 MB", node, text, err)
		}
		f.verifies(t, node)
	}
	t.Logf("\n%s", figures.String())
	if err := os.WriteFile("../../build/bridge-storm.txt", []byte(figures.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// toldRight waits until every node has a record of the death of a database, and compares it with what the kernels and
// systemd of the nodes said, which no storm in the CIB delays: together the nodes have to be right about when it died
// and when the address was up again, and each of them has to be right or to say what it did not see.
func (f *fixture) toldRight(t *testing.T, victim string, killed time.Time) string {
	t.Helper()
	wanted := func(r failover) bool {
		return r.End.At.After(killed) && r.Interruption > 0 && r.tells(victim, "database-died", "database-failed", "database-hung")
	}
	alone, err := f.waitTold(t, wanted)
	merged := f.history(t, stormJournals)
	if err != nil {
		t.Fatal(err)
	}
	var together []failover
	if err := json.Unmarshal(merged, &together); err != nil {
		t.Fatal(err)
	}
	together = slices.DeleteFunc(together, func(r failover) bool { return !wanted(r) })
	died, up := f.seenAt(t, victim, killed)
	if len(together) == 0 {
		t.Fatalf("no record of all nodes tells of the death of the database on %s with an interruption; it died at %v, and the address was up at %v", victim, died, up)
	}
	var figures strings.Builder
	tell := func(who string, r failover) (right bool) {
		off := r.Interruption - up.Sub(died)
		fmt.Fprintf(&figures, "the database killed in the storm, %s: %s on %s, interruption %v, from what systemd and a kernel said %v; %d times not seen or not known exactly; open %v\n",
			who, r.Cause.Kind, r.Cause.Node, r.Interruption, off, len(r.Gaps), r.Open)
		return off.Abs() <= inAStorm
	}
	if r := together[0]; !tell("by all", r) || r.From != victim || r.Cause.Node != victim || r.Cause.Kind != "database-died" {
		t.Errorf("the record of all nodes: %+v; it died at %v, and the address was up at %v", r, died, up)
	}
	for _, node := range names() {
		if r := alone[node]; !tell("by "+node, r) && len(r.Gaps) == 0 {
			t.Errorf("%s is wrong and says nothing of it: %+v; it died at %v, and the address was up at %v", node, r, died, up)
		}
	}
	return figures.String()
}

// waitTold waits until every node has a record that is wanted, and gives the first of each, as it was written last.
func (f *fixture) waitTold(t *testing.T, wanted func(failover) bool) (map[string]failover, error) {
	t.Helper()
	told := map[string]failover{}
	err := lab.WaitFor(t.Context(), settle, "a record of every node", func(ctx context.Context) (string, bool) {
		for _, node := range names() {
			out, err := f.Exec(ctx, node, journalOf("record")...)
			if err != nil {
				return err.Error(), false
			}
			for _, r := range records(out) {
				if wanted(r) && (told[node].ID == "" || told[node].ID == r.ID) {
					told[node] = r
				}
			}
		}
		return fmt.Sprintf("%d of %d nodes have one", len(told), len(names())), len(told) == len(names())
	})
	return told, err
}

// inAStorm is how far from the truth the length of an interruption may be.
const inAStorm = time.Second

// seenAt is when systemd on a node saw the database die, and when the kernel of any first saw the address come after that.
func (f *fixture) seenAt(t *testing.T, victim string, killed time.Time) (died, up time.Time) {
	t.Helper()
	for _, node := range names() {
		all, err := f.entries(t.Context(), node)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			var e incident.Event
			if err := json.Unmarshal([]byte(s.Event), &e); err != nil || e.Initial || e.At.Wall.Before(killed.Add(-inAStorm)) {
				continue
			}
			switch {
			case e.Kind == incident.UnitDied && node == victim && died.IsZero():
				died = e.At.Wall
			case e.Kind == incident.AddressAdded && strings.HasPrefix(e.Address.Prefix, "192.168.205.70/") && (up.IsZero() || e.At.Wall.Before(up)):
				up = e.At.Wall
			}
		}
	}
	if died.IsZero() || up.IsZero() {
		t.Fatalf("nobody saw the database of %s die (%v), or the address come (%v)", victim, died, up)
	}
	return died, up
}

// memory is what the daemon has and had resident.
func (f *fixture) memory(t *testing.T, node string) string {
	t.Helper()
	out := f.run(t, node, "sh", "-c", "grep -hE '^(VmHWM|VmRSS|RssAnon|RssFile|RssShmem):' /proc/$(systemctl show --property=MainPID --value "+bridgeUnit+")/status")
	return strings.Join(strings.Fields(out), " ")
}

// vip is where the address is, in a cluster that may have much to do.
func (f *fixture) vip(t *testing.T) string {
	t.Helper()
	return f.waitFor(t, "db1", "the address up on one node", func(s status) bool { return len(s.running("vip")) == 1 }).running("vip")[0]
}

// heldUntilGivenUp stops the daemon of a node in its tracks until the CIB manager has given it up: a reader that does not
// read. Its own watchdog would end it before. Where the storm is too much for the CIB manager itself, pacemakerd kills that,
// and the reader has lost it all the same.
func (f *fixture) heldUntilGivenUp(t *testing.T, node string) string {
	t.Helper()
	pid := strings.TrimSpace(f.run(t, node, "systemctl", "show", "--property=MainPID", "--value", bridgeUnit))
	f.run(t, node, "systemctl", "service-watchdogs", "no")
	f.run(t, node, "kill", "-STOP", pid)
	var how string
	err := lab.WaitFor(t.Context(), settle, "the CIB manager of "+node+" to give up a slow reader", func(ctx context.Context) (string, bool) {
		const words = "grep -hoE 'Evicting client|pacemaker-based.* terminated with signal 9' /var/log/pacemaker/pacemaker.log | sort -u; true"
		out, err := f.Exec(ctx, node, "sh", "-c", words)
		how = strings.Join(strings.Fields(out), " ")
		return fmt.Sprint(out, err), err == nil && how != ""
	})
	f.run(t, node, "kill", "-CONT", pid)
	f.run(t, node, "systemctl", "service-watchdogs", "yes")
	if err != nil {
		t.Fatal(err)
	}
	return how
}

// thousandResources configures resources that run nowhere, and that nobody looks for: the
// storm is what makes their histories.
func (f *fixture) thousandResources(t *testing.T) {
	t.Helper()
	put := func(scope, xml string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), scope+".xml")
		if err := os.WriteFile(file, []byte(xml), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := f.Put(t.Context(), "db1", file, "/root/"+scope+".xml"); err != nil {
			t.Fatal(err)
		}
		f.run(t, "db1", "cibadmin", "--modify", "--allow-create", "--scope", scope, "--xml-file", "/root/"+scope+".xml")
	}
	var constraints, resources strings.Builder
	for _, node := range names() {
		fmt.Fprintf(&constraints, `<rsc_location id="storm-%[1]s" rsc-pattern="^storm" node="%[1]s" score="-INFINITY" resource-discovery="never"/>`, node)
	}
	for i := range 1000 {
		fmt.Fprintf(&resources, `<primitive id="storm%d" class="ocf" provider="pacemaker" type="Dummy"/>`, i)
	}
	put("constraints", "<constraints>"+constraints.String()+"</constraints>")
	put("resources", "<resources>"+resources.String()+"</resources>")
}
