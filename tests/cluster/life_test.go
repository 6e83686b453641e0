//go:build lab

package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"holdfast/tests/lab"
)

// TestLife is one cluster's life. The parts build on each other, as the days of a
// cluster do: each starts from the healthy cluster that the one before left, and when
// one fails there is nothing for the next to start from.
func TestLife(t *testing.T) {
	f := startFixture(t)
	for _, part := range []struct {
		name string
		do   func(*testing.T, *fixture)
	}{
		{"first boot of an empty cluster", firstBoot},
		{"scenarios of ra-tester, and promises beyond them", scenarios},
		{"the cluster script changes nothing the second time", setupAgain},
		{"power cut of the node with the address", powerCut},
		{"a planned stop of one node", plannedStop},
		{"all databases killed one after another, the last one bootstraps", killedOneByOne},
		{"all three nodes lose their power at once", totalPowerLoss},
		{"a wrong setting on one node is named in the status", wrongSetting},
		{"crmbridge comes to the running cluster, and records failovers", watched},
		{"crmbridge understands each daemon", speaksWithTheDaemons},
		{"crmbridge loses nothing quietly", losesNothingQuietly},
		{"chaos finds what is made on purpose", findsWhatIsMade},
		{"purging the packages leaves nothing", purge},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.do(t, f) }) {
			t.Fatalf("the cluster's life ends with %q", part.name)
		}
	}
}

func firstBoot(t *testing.T, f *fixture) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*settle)
	defer cancel()
	if err := f.Join(ctx, nil, testWriter{t}); err != nil {
		t.Fatal(err)
	}
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	if text := f.run(t, "db1", "pcs", "resource", "describe", "ocf:holdfast:galera"); !strings.Contains(text, "wsrep_cluster_address (required)") {
		t.Errorf("pcs describes the agent as\n%s", text)
	}
	f.sql(t, "db2", "CREATE DATABASE life; CREATE TABLE life.days (day INT PRIMARY KEY, word VARCHAR(40)); INSERT INTO life.days VALUES (1, 'first')")
	f.sql(t, "db3", "CREATE USER chaos@'%' IDENTIFIED BY '"+chaosPassword+"'; GRANT ALL ON chaos.* TO chaos@'%'")
	if got := f.sql(t, "db1", "SET SESSION wsrep_sync_wait=1; SELECT word FROM life.days WHERE day=1"); got != "first" {
		t.Errorf("db1 has %q of what was written on db2", got)
	}
}

func setupAgain(t *testing.T, f *fixture) {
	before := f.run(t, "db1", "cibadmin", "--query", "--scope", "configuration")
	f.run(t, "db1", "holdfast-cluster", "setup")
	if after := f.run(t, "db1", "cibadmin", "--query", "--scope", "configuration"); after != before {
		t.Errorf("the configuration changed:\nbefore\n%s\nafter\n%s", before, after)
	}
	f.waitHealthy(t, "db1")
}

// powerCut is the promise's own case. The figure is shown, not judged: that is what
// the evidence of real runs is for.
func powerCut(t *testing.T, f *fixture) {
	victim := f.waitHealthy(t, "db1").running("vip")[0]
	v := f.chaosRun(t, f.labctl, "--state", f.State(), "power", "off", victim)
	t.Logf("interruption %.2f s, %d writes acknowledged", v.Interruption.Seconds, v.Acknowledged)
	if v.Interruption.After == victim {
		t.Errorf("the client is said to be served by %s, which had lost its power", victim)
	}
	witness := other(victim)
	f.waitHealthy(t, witness)
	if history := f.run(t, witness, "pcs", "stonith", "history", "show", victim); !strings.Contains(history, "reboot") {
		t.Errorf("%s came back without having been fenced:\n%s", victim, history)
	}
	f.wantIST(t, victim)
}

// wantIST fails if the node's last start of the database took a full copy.
func (f *fixture) wantIST(t *testing.T, node string) {
	t.Helper()
	log := f.run(t, node, "journalctl", "-b", "-u", "mariadb.service", "-o", "cat", "--no-pager")
	if strings.Contains(log, "Requesting state transfer: success") && strings.Contains(log, "SST received") && !strings.Contains(log, "IST received") {
		t.Errorf("%s rejoined with a full copy (SST), not with what it had missed (IST)", node)
	}
}

// wantDays fails if a node does not have the rows of so many days.
func (f *fixture) wantDays(t *testing.T, days int) {
	t.Helper()
	for _, node := range names() {
		if got := f.sql(t, node, "SELECT COUNT(*) FROM life.days"); got != strconv.Itoa(days) {
			t.Errorf("%s has %s rows, not %d", node, got, days)
		}
	}
}

func plannedStop(t *testing.T, f *fixture) {
	node := f.waitHealthy(t, "db1").running("vip")[0]
	witness := other(node)
	f.run(t, witness, "pcs", "node", "standby", node)
	f.waitFor(t, witness, "the address and the database away from "+node, func(s status) bool {
		vip := s.running("vip")
		return len(s.promoted()) == 2 && !slices.Contains(s.promoted(), node) && len(vip) == 1 && vip[0] != node
	})
	f.sql(t, witness, "INSERT INTO life.days VALUES (2, 'without "+node+"')")
	f.run(t, witness, "pcs", "node", "unstandby", node)
	f.waitHealthy(t, witness)
	f.waitSynced(t)
	f.wantDays(t, 2)
}

// killedOneByOne makes positions that differ: db1 and db2 die before the last rows
// are written, so db3, and no other, may start the cluster again.
func killedOneByOne(t *testing.T, f *fixture) {
	f.run(t, "db1", "pcs", "property", "set", "maintenance-mode=true")
	f.sql(t, "db3", "SET GLOBAL wsrep_provider_options='pc.weight=3'") // so that it stays primary alone
	for day, victim := range []string{"db1", "db2"} {
		f.kill(t, victim)
		f.waitSize(t, "db3", 2-day)
		f.sql(t, "db3", fmt.Sprintf("INSERT INTO life.days VALUES (%d, 'without %s')", 3+day, victim))
	}
	f.kill(t, "db3")
	since := strings.TrimSpace(f.run(t, "db3", "date", "+%F %T"))
	f.run(t, "db1", "pcs", "property", "set", "maintenance-mode=false")
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	f.wantDays(t, 4)
	for _, node := range names() {
		started := f.run(t, node, "journalctl", "--since", since, "-u", "mariadb.service", "-o", "cat", "--no-pager")
		if bootstrapped := strings.Contains(started, "--wsrep-new-cluster") || strings.Contains(started, "Bootstrapping a new cluster") ||
			strings.Contains(started, "gcomm bootstrap: 1") || strings.Contains(started, "start_prim is enabled"); bootstrapped != (node == "db3") {
			t.Errorf("bootstrapped on %s: %v", node, bootstrapped)
		}
	}
}

// kill ends a node's database as the kernel's out-of-memory killer does.
func (f *fixture) kill(t *testing.T, node string) {
	t.Helper()
	f.run(t, node, "systemctl", "kill", "--kill-whom=main", "--signal=KILL", "mariadb.service")
	err := lab.WaitFor(t.Context(), settle, "the database on "+node+" to be dead", func(ctx context.Context) (string, bool) {
		out, _ := f.Exec(ctx, node, "systemctl", "show", "-p", "MainPID", "--value", "mariadb.service")
		return out, strings.TrimSpace(out) == "0"
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waitSize waits until the node is in a primary component of the given size.
func (f *fixture) waitSize(t *testing.T, node string, size int) {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, fmt.Sprintf("a primary component of %d on %s", size, node), func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, node, "mariadb", "-N", "-B", "-e", "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size','wsrep_cluster_status')")
		if err != nil {
			return err.Error(), false
		}
		return out, strings.Contains(out, fmt.Sprintf("wsrep_cluster_size\t%d\n", size)) && strings.Contains(out, "wsrep_cluster_status\tPrimary")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// totalPowerLoss happens while the client writes; an operator (the fault's command)
// then switches the machines on again. What was acknowledged must be there.
func totalPowerLoss(t *testing.T, f *fixture) {
	script := fmt.Sprintf(`for n in db1 db2 db3; do "$0" --state %[1]q power off $n & done; wait; sleep 1
		for n in db1 db2 db3; do "$0" --state %[1]q power on $n & done; wait`, f.State())
	v := f.chaosRun(t, "sh", "-c", script, f.labctl)
	t.Logf("from the power cut of all three to the first write %.1f s, %d writes acknowledged", v.Interruption.Seconds, v.Acknowledged)
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	f.wantDays(t, 4)
}

func wrongSetting(t *testing.T, f *fixture) {
	const file = "/etc/mysql/mariadb.conf.d/99-wrong.cnf"
	f.standby(t, "db3")
	f.run(t, "db3", "sh", "-c", "printf '[mariadbd]\ninnodb_no_such_setting=1\n' > "+file)
	f.run(t, "db1", "pcs", "node", "unstandby", "db3")
	s := f.waitFor(t, "db1", "a failed action on db3", func(s status) bool { return len(s.reasons("db3")) > 0 })
	if reasons := s.reasons("db3"); !slices.ContainsFunc(reasons, func(r string) bool { return strings.Contains(r, "innodb_no_such_setting") }) {
		t.Errorf("no reason names the setting: %q", reasons)
	}
	if text := f.run(t, "db1", "pcs", "status"); !strings.Contains(text, "innodb_no_such_setting") {
		t.Errorf("pcs status does not name the setting:\n%s", text)
	}
	f.run(t, "db3", "rm", file)
	f.run(t, "db1", "pcs", "resource", "cleanup")
	f.waitHealthy(t, "db1")
}

func watched(t *testing.T, f *fixture) {
	f.installBridge(t)
	recordsFailovers(t, f)
	recordsAStop(t, f)
	recordsAShutdown(t, f)
	f.waitSynced(t)
	f.wantDays(t, 4)
}

func purge(t *testing.T, f *fixture) {
	f.run(t, "db1", "pcs", "cluster", "stop", "db3", "--force")
	f.run(t, "db3", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "purge", "-y", "holdfast-agents", "holdfast-cluster", "holdfast-crmbridge")
	left := f.run(t, "db3", "sh", "-c", `for f in /etc/holdfast /usr/lib/ocf/resource.d/holdfast /usr/share/holdfast /usr/share/doc/holdfast* \
		/var/lib/holdfast* /run/holdfast* /run/systemd/system/mariadb.service.d/50-holdfast.conf /etc/mysql/mariadb.conf.d/*holdfast*; do
		[ ! -e "$f" ] || echo "$f"; done`)
	if left = strings.TrimSpace(left); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}
