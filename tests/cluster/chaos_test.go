//go:build lab

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/tests/lab"
)

// findsWhatIsMade is chaos against real databases: what it promises to find is made on
// purpose, and the guide for a demonstration is followed. The cluster is not whole afterwards:
// one of its databases has gone another way.
func findsWhatIsMade(t *testing.T, f *fixture) {
	m := newMonitor(t, f)
	for _, part := range []struct {
		name string
		do   func(*testing.T, *fixture, monitor)
	}{
		{"the demonstration", demonstration},
		{"bad input leaves nothing injected", badInput},
		{"a monitor that is killed leaves nothing injected", killedMonitor},
		{"a lost row", findLost},
		{"a row on one node only", findOneNodeOnly},
		{"a resurrected refused row", findResurrected},
		{"a doubled address", findDoubled},
		{"a second primary component, and its acknowledgements", findSecondPrimary},
	} {
		// One that fails ends nothing: the monitor itself starts only from a clean cluster.
		t.Run(part.name, func(t *testing.T) { part.do(t, f, m) })
	}
}

// monitor is the client on the lab's outside, in a directory of its own, where
// ssh reaches the lab's nodes.
type monitor struct{ dir string }

func newMonitor(t *testing.T, f *fixture) monitor {
	t.Helper()
	m := monitor{dir: t.TempDir()}
	labctl := fmt.Sprintf("%s --state %s", f.labctl, f.State())
	// ssh OPTIONS LOGIN COMMAND, as package target says it.
	m.write(t, "ssh", "#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\nexec "+labctl+` exec "${1#root@}" -- sh -c "$2"`+"\n")
	m.write(t, "machines", fmt.Sprintf("NODE=db1 root@db1\nNODE=db2 root@db2\nNODE=db3 root@db3\n"+
		"POWER_OFF=%[1]s power off {node}\nPOWER_ON=%[1]s power on {node}\n", labctl))
	m.write(t, "password", chaosPassword+"\n")
	if err := os.Symlink(f.chaos, filepath.Join(m.dir, "chaos")); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m monitor) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// command runs a shell's commands on the outside, in the monitor's directory.
func (m monitor) command(ctx context.Context, f *fixture, commands string) *exec.Cmd {
	cmd := f.Client(ctx, "sh", "-ec", commands)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "PATH="+m.dir+":"+os.Getenv("PATH"))
	return cmd
}

const everywhere = " --address 192.168.205.70 --password-file password --node db1=192.168.205.71 --node db2=192.168.205.72 --node db3=192.168.205.73" +
	" --target ssh --inventory machines --undo-file undo.json"

// finding is one object of summary.json.
type finding struct {
	Fault        string    `json:"fault"`
	Interruption []float64 `json:"interruption_ms"`
	Lost         int       `json:"lost"`
	Violations   []struct {
		Kind   string `json:"kind"`
		Detail string `json:"detail"`
	} `json:"violations"`
}

func (f finding) kinds() []string {
	var kinds []string
	for _, v := range f.Violations {
		kinds = append(kinds, v.Kind)
	}
	return kinds
}

// sabotage lets the monitor run a fault of the test's own and returns what it
// found. The monitor must not end with status 0.
func (m monitor) sabotage(t *testing.T, f *fixture, name, on, script string, options ...string) finding {
	t.Helper()
	faults, err := json.Marshal([]any{map[string]any{"fault": name, "hold": "3s", "inject": []any{map[string]any{"on": on, "script": script}}}})
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, name+".json", string(faults))
	run := fmt.Sprintf("chaos run %[1]s --catalogue %[1]s.json --yes --out %[1]s %s %s", name, everywhere, strings.Join(options, " "))
	out, err := m.command(t.Context(), f, run).CombinedOutput()
	t.Logf("%s", out)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		t.Errorf("the monitor ended with %v; what was done on purpose must be an error", err)
	}
	return m.summary(t, name)
}

func (m monitor) summary(t *testing.T, name string) finding {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(m.dir, name, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []finding
	if err := json.Unmarshal(content, &all); err != nil || len(all) != 1 {
		t.Fatalf("summary.json has %d objects, %v: %s", len(all), err, content)
	}
	return all[0]
}

func (f finding) want(t *testing.T, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		if !slices.Contains(f.kinds(), kind) {
			t.Errorf("%s was not found, but %v", kind, f.Violations)
		}
	}
}

// latest is the run whose rows are being written, in SQL.
const latest = "(SELECT run FROM (SELECT run FROM chaos.writes ORDER BY written DESC LIMIT 1) r)"

// findLost deletes a row of half a second ago. One of the run's first may have been refused while the
// service was not steady yet, and a refused one cannot be lost; the newest may not be acknowledged yet.
func findLost(t *testing.T, f *fixture, m monitor) {
	found := m.sabotage(t, f, "lose-a-row", "holder", `mariadb chaos -e "SET innodb_lock_wait_timeout = 5; SET @run = `+latest+`;
		SET @last = (SELECT MAX(id) FROM writes WHERE run = @run AND id < 1 << 40) - 100;
		SET @id = (SELECT MIN(id) FROM writes WHERE run = @run AND id >= @last);
		DELETE FROM writes WHERE run = @run AND id = @id"`)
	found.want(t, "lost")
	if found.Lost != 1 {
		t.Errorf("%d writes are said to be lost, not the one", found.Lost)
	}
}

func findOneNodeOnly(t *testing.T, f *fixture, m monitor) {
	m.sabotage(t, f, "add-a-row", "other", `mariadb -e "SET @run = `+latest+`; SET SESSION wsrep_on = OFF;
		INSERT INTO chaos.writes (run, id, node) VALUES (@run, 900000000, 'nobody')"`).want(t, "one-node-only")
	for _, node := range names() {
		f.sql(t, node, "SET SESSION wsrep_on = OFF; DELETE FROM chaos.writes WHERE id = 900000000")
	}
}

// findResurrected takes the address away for a while and then writes what was
// refused meanwhile: the ids that the new-connection writer (number 0) lacks. It reads them without
// locks (READ COMMITTED): with locks on all that it reads, it has stopped the writes of the whole
// cluster until its own innodb_lock_wait_timeout.
func findResurrected(t *testing.T, f *fixture, m monitor) {
	m.sabotage(t, f, "resurrect", "holder", `dev=$(ip -o -4 address show to {address} | awk '{print $2; exit}')
		ip address delete {address}/24 dev "$dev"
		sleep 4
		mariadb chaos -e "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET @run = `+latest+`;
			SET @last = (SELECT MAX(id) FROM chaos.writes WHERE run = @run AND id < 1 << 40) - 100;
			INSERT INTO chaos.writes (run, id, node) SELECT @run, s.seq, 'nobody' FROM seq_0_to_100000 s
			WHERE s.seq < @last AND s.seq NOT IN (SELECT id FROM chaos.writes WHERE run = @run AND id < 1 << 40)"`).want(t, "resurrected")
}

func findDoubled(t *testing.T, f *fixture, m monitor) {
	m.sabotage(t, f, "double-the-address", "other", `ip address add {address}/24 dev host0; sleep 1; ip address delete {address}/24 dev host0`).want(t, "doubled-address")
}

// findSecondPrimary cuts only Galera's traffic, so that nobody is fenced, and
// forces the lonely node to be primary: the operator's gravest mistake. It comes
// last, because nothing can join these two again.
func findSecondPrimary(t *testing.T, f *fixture, m monitor) {
	m.sabotage(t, f, "second-primary", "other", `nft add table inet holdfast_chaos
		nft 'add chain inet holdfast_chaos in { type filter hook input priority -10; }'
		nft 'add chain inet holdfast_chaos out { type filter hook output priority -10; }'
		for chain in in out; do for port in dport sport; do nft "add rule inet holdfast_chaos $chain tcp $port 4567 drop"; done; done
		until mariadb -N -B -e "SHOW STATUS LIKE 'wsrep_cluster_status'" | grep -qi non-primary; do sleep 0.05; done
		mariadb -e "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'"`, "--heal", "20s").want(t, "two-primaries", "minority-ack")
}

// badInput: each gets its sentence and its status, and the cluster is as it was.
func badInput(t *testing.T, f *fixture, m monitor) {
	for _, test := range []struct {
		name, commands, says string
		status               int
	}{
		{"no such fault", "chaos run no-such-fault --yes" + everywhere, `no fault is called "no-such-fault"`, 2},
		{"no permission", "chaos run planned-move < /dev/null" + everywhere, "add --yes", 2},
		{"wrong password", "echo wrong > wrong; chaos run planned-move --yes --password-file wrong" + strings.Replace(everywhere, "--password-file password", "", 1), "check --user and the password", 3},
		{"nobody at the address", "chaos init --address 192.168.205.99 --password-file password", "is the address up", 3},
		{"no table", "chaos watch --database nothing --duration 5s --address 192.168.205.70 --password-file password", "chaos init", 2},
		{"full disk under the log", "chaos run planned-move --yes --ledger /dev/full" + everywhere, "no space left", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := m.command(t.Context(), f, test.commands).CombinedOutput()
			exit := (*exec.ExitError)(nil)
			if !errors.As(err, &exit) || exit.ExitCode() != test.status || !strings.Contains(string(out), test.says) {
				t.Errorf("ended with %v, want status %d and %q:\n%s", err, test.status, test.says, out)
			}
			m.nothingInjected(t, f)
		})
	}
	t.Run("unhealthy cluster", func(t *testing.T) {
		f.run(t, "db1", "pcs", "node", "standby", "db3")
		out, err := m.command(t.Context(), f, "chaos run database-kill --yes"+everywhere).CombinedOutput()
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(string(out), "db3 is on standby") {
			t.Errorf("ended with %v:\n%s", err, out)
		}
		f.run(t, "db1", "pcs", "node", "unstandby", "db3")
		f.waitHealthy(t, "db1")
		f.waitSynced(t)
	})
}

func (m monitor) nothingInjected(t *testing.T, f *fixture) {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, "nothing to be injected", func(context.Context) (string, bool) {
		_, err := os.Stat(filepath.Join(m.dir, "undo.json"))
		return fmt.Sprint(err), errors.Is(err, os.ErrNotExist)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range names() {
		if tables := f.run(t, node, "nft", "list", "tables"); strings.Contains(tables, "holdfast_chaos") {
			t.Errorf("%s still drops traffic:\n%s", node, tables)
		}
	}
}

// killedMonitor kills the monitor (SIGKILL) as soon as the fault is there.
func killedMonitor(t *testing.T, f *fixture, m monitor) {
	holder := f.waitHealthy(t, "db1").running("vip")[0]
	cmd := m.command(t.Context(), f, "exec chaos run standby --yes"+everywhere)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.waitFor(t, "db1", "the node with the address on standby", func(s status) bool { return !slices.Contains(s.promoted(), holder) })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	m.nothingInjected(t, f)
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
}

// demonstration runs every command of the guide as it stands there.
func demonstration(t *testing.T, f *fixture, m monitor) {
	for _, b := range readGuide(t, "../../packaging/doc/demonstration.md") {
		switch b.where {
		case "one node":
			f.run(t, "db1", "sh", "-ec", b.commands)
		case "client":
			f.waitHealthy(t, "db1")
			out, err := m.command(t.Context(), f, b.commands).CombinedOutput()
			t.Logf("%s\n%s", b.commands, out)
			if err != nil {
				t.Fatalf("%s: %v", b.commands, err)
			}
		case "example":
			continue
		default:
			t.Fatalf("the guide says that commands are for %q, which this test does not know", b.where)
		}
	}
	for _, fault := range []string{"database-stop", "power-cut", "cut-off-from-peers", "planned-move"} {
		found := m.summary(t, "shown-"+fault)
		t.Logf("%-20s interruption %.0f ms", fault, found.Interruption)
		if len(found.Violations) > 0 {
			t.Errorf("%s: %v", fault, found.Violations)
		}
	}
	m.write(t, "password", chaosPassword+"\n")
	f.sql(t, "db1", "CREATE OR REPLACE USER chaos@'%' IDENTIFIED BY '"+chaosPassword+"'; GRANT ALL ON chaos.* TO chaos@'%'")
}
