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

	"holdfast/tests/lab"
)

const (
	// settle is how long the cluster may take to reach any state that it reaches
	// at all; on a busy machine with two cores everything takes its time.
	settle = 4 * time.Minute
	// chaosPassword is the password of a database that lives as long as the test,
	// in a network that nobody else can reach.
	chaosPassword = "lab-only"
)

func TestMain(m *testing.M) {
	lab.BecomeChassis()
	os.Exit(m.Run())
}

// fixture is the lab with a client beside it.
type fixture struct {
	*lab.Lab
	chaos  string // binaries
	labctl string
}

// startFixture boots the nodes, installs the packages of build/deb on them and joins
// them to a cluster.
func startFixture(t *testing.T) *fixture {
	t.Helper()
	debs, err := filepath.Glob("../../build/deb/*.deb")
	if err != nil || len(debs) == 0 {
		t.Fatalf("no packages in build/deb (%v): run make deb", err)
	}
	debs = slices.DeleteFunc(debs, func(f string) bool {
		return strings.Contains(f, "-dbgsym_") || strings.Contains(f, "holdfast-chaos") || strings.Contains(f, "holdfast-crmbridge")
	})
	bin := t.TempDir()
	f := &fixture{chaos: filepath.Join(bin, "chaos"), labctl: filepath.Join(bin, "labctl")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/", "../chaos", "../lab/labctl")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the client and labctl: %v\n%s", err, out)
	}
	f.Lab, err = lab.Start(t.Context(), lab.Options{
		State: "../../build/test-lab", Debs: debs, Progress: testWriter{t}, Replace: true, DieWithParent: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
		defer cancel()
		if t.Failed() {
			logs := "../../build/test-logs"
			t.Logf("collecting the nodes' logs in build/test-logs: %v", f.CollectLogs(ctx, logs))
		}
		if err := f.Down(ctx); err != nil {
			t.Errorf("take the lab down: %v", err)
		}
	})
	return f
}

// testWriter shows the lab's progress in the test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// run runs a command in a node and fails the test if it fails.
func (f *fixture) run(t *testing.T, node string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settle)
	defer cancel()
	out, err := f.Exec(ctx, node, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// sql runs a statement on one node's own socket.
func (f *fixture) sql(t *testing.T, node, statement string) string {
	t.Helper()
	return strings.TrimSpace(f.run(t, node, "mariadb", "-N", "-B", "-e", statement))
}

// status is the cluster as the given node sees it.
func (f *fixture) status(ctx context.Context, node string) (status, error) {
	out, err := f.Exec(ctx, node, "crm_mon", "-1", "--output-as=xml")
	if err != nil {
		return status{}, err
	}
	return parseStatus(out)
}

// waitFor waits until the cluster, as node sees it, is as ok says.
func (f *fixture) waitFor(t *testing.T, node, what string, ok func(status) bool) status {
	t.Helper()
	var last status
	err := lab.WaitFor(t.Context(), settle, what, func(ctx context.Context) (string, bool) {
		s, err := f.status(ctx, node)
		if err != nil {
			return err.Error(), false
		}
		last = s
		return s.String(), ok(s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// standby puts a node into standby and waits until its database is gone and Pacemaker has
// nothing left to do: one that is to come back while it is only demoted is promoted, not started.
// The node's own systemd is asked: Pacemaker shows no database on a node, too, whose history
// was just cleaned up.
func (f *fixture) standby(t *testing.T, node string) {
	t.Helper()
	f.run(t, node, "pcs", "node", "standby", node, "--wait=200")
	err := lab.WaitFor(t.Context(), settle, "the database away from "+node, func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, node, "systemctl", "show", "--property=ActiveState", "--value", "mariadb.service")
		state := strings.TrimSpace(out)
		return state, err == nil && (state == "inactive" || state == "failed")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waitHealthy waits until every node is online, the database promoted on each, and
// the address up on one.
func (f *fixture) waitHealthy(t *testing.T, node string) status {
	t.Helper()
	want := names()
	return f.waitFor(t, node, "the database promoted on every node and the address up", func(s status) bool {
		return slices.Equal(s.online(), want) && slices.Equal(s.promoted(), want) && len(s.running("vip")) == 1
	})
}

// waitSynced waits until each node says of itself that it is a synced member of one
// primary component of all three.
func (f *fixture) waitSynced(t *testing.T) {
	t.Helper()
	const query = `SELECT GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) FROM information_schema.GLOBAL_STATUS
		WHERE VARIABLE_NAME IN ('WSREP_CLUSTER_SIZE', 'WSREP_CLUSTER_STATUS', 'WSREP_LOCAL_STATE_COMMENT')`
	for _, node := range names() {
		err := lab.WaitFor(t.Context(), settle, node+" to be a synced member of three", func(ctx context.Context) (string, bool) {
			out, err := f.Exec(ctx, node, "mariadb", "-N", "-B", "-e", query)
			if err != nil {
				return err.Error(), false
			}
			return out, strings.TrimSpace(out) == "3,Primary,Synced"
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// verdict is the part of the client's report that the tests look at.
type verdict struct {
	Acknowledged int  `json:"acknowledged"`
	Lost         *int `json:"lost"` // nil: not every node could be read
	Interruption struct {
		Seconds float64 `json:"seconds"`
		Before  string  `json:"node_before"`
		After   string  `json:"node_after"`
	} `json:"interruption"`
}

// chaosRun lets the client write through the floating address around a fault, an
// ordinary command of this machine, and returns its report. The client itself fails
// if the service does not come back or a write is lost.
func (f *fixture) chaosRun(t *testing.T, fault ...string) verdict {
	t.Helper()
	args := []string{f.chaos, "run", "--address", lab.FloatingAddress, "--verify-wait", settle.String(), "--limit", settle.String(), "--output", "json"}
	for _, n := range lab.Nodes() {
		args = append(args, "--node", n.Name+"="+n.Address)
	}
	cmd := f.Client(t.Context(), append(append(args, "--"), fault...)...)
	cmd.Env = append(os.Environ(), "CHAOS_PASSWORD="+chaosPassword)
	var people strings.Builder
	cmd.Stderr = &people
	out, err := cmd.Output()
	t.Logf("%s", people.String())
	if err != nil {
		t.Fatalf("chaos: %v\n%s", err, out)
	}
	var v verdict
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatalf("read the client's report: %v\n%s", err, out)
	}
	if v.Lost == nil || *v.Lost != 0 || v.Acknowledged == 0 {
		t.Fatalf("the client's verdict is not that nothing was lost: %s", out)
	}
	return v
}

func names() []string {
	var names []string
	for _, n := range lab.Nodes() {
		names = append(names, n.Name)
	}
	return names
}

// other is some node that is not the given one.
func other(node string) string {
	for _, n := range names() {
		if n != node {
			return n
		}
	}
	panic(fmt.Sprintf("%s is the only node", node))
}
