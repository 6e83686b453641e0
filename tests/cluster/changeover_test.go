//go:build lab

package cluster

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"holdfast/tests/lab"
)

// changeOver starts a cluster as the heartbeat agents run it and follows the guide:
// the databases must not stop, the address must not move, and afterwards the cluster
// must be ours. Every command of the guide is run as it stands there.
func changeOver(t *testing.T, f *fixture) {
	f.heartbeatCluster(t)
	before := f.databasePIDs(t)
	holder := f.waitHealthy(t, "db1").running("vip")[0]

	guide := readGuide(t, "../../packaging/doc/change-over.md")
	if len(guide) != 6 {
		t.Fatalf("the guide has %d blocks of commands, not 6: this test must follow it", len(guide))
	}
	for _, node := range names() {
		f.run(t, node, "sh", "-ec", guide[0].commands)
	}
	// Exchange, look and take over, with a client at work all the time.
	f.run(t, "db1", "sh", "-c", "cat > /root/exchange <<'END'\n"+guide[1].commands+"END\ncat > /root/takeover <<'END'\n"+guide[3].commands+"END")
	f.chaosRun(t, f.labctl, "--state", f.State(), "exec", "db1", "--", "sh", "-ec", ". /root/exchange")
	f.wantStill(t, "after the exchange", before, holder)
	if text := f.run(t, "db1", "sh", "-ec", guide[2].commands); !strings.Contains(text, "ocf:holdfast:IPaddr2") || !strings.Contains(text, "Promoted") {
		t.Errorf("pcs status does not say that our agents see promoted databases:\n%s", text)
	}
	if text := f.run(t, "db1", "crm_mon", "-1", "--output-as=xml"); strings.Count(text, `resource_agent="ocf:holdfast:galera"`) != 3 {
		t.Errorf("not every database is in the hands of our agent:\n%s", text)
	}
	v := f.chaosRun(t, f.labctl, "--state", f.State(), "exec", "db1", "--", "sh", "-ec", ". /root/takeover")
	t.Logf("longest gap while the Holdfast agents took over: %.3f s", v.Interruption.Seconds)
	f.wantStill(t, "after the change", before, holder)

	f.run(t, "db1", "sh", "-ec", guide[4].commands)
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	for _, node := range names() {
		if state := f.run(t, node, "systemctl", "is-active", "mariadb.service"); strings.TrimSpace(state) != "active" {
			t.Errorf("mariadb.service on %s is %s", node, state)
		}
	}

	f.run(t, "db1", "sh", "-ec", guide[5].commands)
	f.waitHealthy(t, "db1")
	cib := f.run(t, "db1", "cibadmin", "--query")
	for _, want := range []string{`score="-1000"`, `attribute="galera-unfit"`} {
		if !strings.Contains(cib, want) {
			t.Errorf("after the last step the CIB has no %s:\n%s", want, cib)
		}
	}
	if n := strings.Count(cib, `interval="1s"`); n != 2 {
		t.Errorf("%d monitors run every second, want those of the promoted database and of the address:\n%s", n, cib)
	}
	f.noFailures(t)
}

// heartbeatCluster replaces the resources of the healthy cluster by Debian's own,
// with the same parameters.
func (f *fixture) heartbeatCluster(t *testing.T) {
	t.Helper()
	f.run(t, "db1", "pcs", "resource", "delete", "vip")
	f.run(t, "db1", "pcs", "resource", "delete", "galera-clone")
	addresses, hosts := []string{}, []string{}
	for _, n := range lab.Nodes() {
		// Debian's agent writes its log there by default, Debian's MariaDB to the journal.
		f.run(t, n.Name, "install", "-d", "-o", "mysql", "-g", "adm", "/var/log/mysql")
		addresses = append(addresses, n.Address)
		hosts = append(hosts, n.Name+":"+n.Address)
	}
	f.run(t, "db1", "pcs", "resource", "create", "galera", "ocf:heartbeat:galera",
		"wsrep_cluster_address=gcomm://"+strings.Join(addresses, ","), "cluster_host_map="+strings.Join(hosts, ";"),
		"op", "promote", "timeout=300s", "promotable", "promoted-max=3", "interleave=true")
	f.run(t, "db1", "pcs", "resource", "create", "vip", "ocf:heartbeat:IPaddr2", "ip="+lab.FloatingAddress, "cidr_netmask=24")
	f.run(t, "db1", "pcs", "constraint", "colocation", "add", "vip", "with", "Promoted", "galera-clone", "INFINITY")
	f.run(t, "db1", "pcs", "constraint", "order", "promote", "galera-clone", "then", "start", "vip")
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
}

// databasePIDs are the server's process on each node, as the server itself says.
func (f *fixture) databasePIDs(t *testing.T) map[string]string {
	t.Helper()
	pids := map[string]string{}
	for _, node := range names() {
		pids[node] = strings.TrimSpace(f.run(t, node, "sh", "-c", `cat "$(mariadb -N -B -e 'SELECT @@pid_file')"`))
	}
	return pids
}

// wantStill fails if a database was restarted or the address is elsewhere.
func (f *fixture) wantStill(t *testing.T, when string, pids map[string]string, holder string) {
	t.Helper()
	for node, pid := range f.databasePIDs(t) {
		if pid != pids[node] {
			t.Errorf("%s: the database on %s is process %s, was %s", when, node, pid, pids[node])
		}
	}
	s := f.waitHealthy(t, "db1")
	if vip := s.running("vip"); !slices.Equal(vip, []string{holder}) {
		t.Errorf("%s: the address is on %v, was on %s", when, vip, holder)
	}
}

// noFailures fails if Pacemaker has a failed action to show.
func (f *fixture) noFailures(t *testing.T) {
	t.Helper()
	s, err := f.status(t.Context(), "db1")
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range s.Failures {
		t.Errorf("%s failed on %s: %s", failure.Key, failure.Node, failure.Reason)
	}
}

// block is one block of commands of a guide, with the line before it that says where
// they are to be run.
type block struct{ where, commands string }

func readGuide(t *testing.T, file string) []block {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	where, inside := "", false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "<!-- "):
			where = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->")
		case line == "```console":
			blocks, inside = append(blocks, block{where: where}), true
		case line == "```":
			inside = false
		case inside:
			blocks[len(blocks)-1].commands += strings.TrimPrefix(line, "# ") + "\n"
		}
	}
	return blocks
}

// attribute is a transient attribute of a node; empty when it has none.
func (f *fixture) attribute(ctx context.Context, node, name string) string {
	out, err := f.Exec(ctx, "db1", "crm_attribute", "--lifetime", "reboot", "--node", node, "--name", name, "--query", "--quiet")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}
