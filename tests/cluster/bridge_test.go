//go:build lab

package cluster

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Where the tests that run in a node are put there.
const (
	nodeTest = "/usr/local/bin/holdfast-node-test"
	unitTest = "/usr/local/bin/holdfast-unit-test"
)

// speaksWithTheDaemons runs the tests of crmbridge that need a real Pacemaker, Corosync and
// systemd, in a node, as root and as hacluster, over shared memory and sockets.
func speaksWithTheDaemons(t *testing.T, f *fixture) {
	f.putNodeTest(t, "pacemaker", nodeTest)
	f.putNodeTest(t, "unit", unitTest)
	t.Run("systemd", func(t *testing.T) { t.Log(f.run(t, "db1", unitTest, "-test.v", "-test.run", "^TestNode")) })
	const everything, unprivileged = "^TestNode", "^TestNode(CIB|FencerAnswers|Quorum|Controller|Large)"
	for _, part := range []struct {
		name, node string
		command    []string
		socket     bool
	}{
		{"as hacluster", "db1", []string{"setpriv", "--reuid=hacluster", "--regid=haclient", "--clear-groups",
			"env", "--chdir=/tmp", nodeTest, "-test.v", "-test.run", unprivileged}, false},
		{"over sockets", "db2", []string{nodeTest, "-test.v", "-test.run", everything}, true},
		{"over shared memory", "db3", []string{nodeTest, "-test.v", "-test.run", everything}, false},
	} {
		if !t.Run(part.name, func(t *testing.T) {
			transport := "connected by shared memory"
			if part.socket {
				f.run(t, part.node, "sh", "-c", "echo PCMK_ipc_type=socket >> /etc/default/pacemaker && systemctl restart pacemaker")
				transport = "connected by socket"
			}
			f.waitHealthy(t, other(part.node))
			f.waitHealthy(t, part.node)
			out := f.run(t, part.node, part.command...)
			t.Log(out)
			if !strings.Contains(out, transport) {
				t.Errorf("no test %s", transport)
			}
			f.waitHealthy(t, part.node)
		}) {
			t.Fatal("the cluster is not what the next part needs")
		}
	}
}

// putNodeTest builds the tests of a package of crmbridge that run in a node, and puts
// them on every one.
func (f *fixture) putNodeTest(t *testing.T, name, to string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "node.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "lab", "-o", binary, "holdfast/crmbridge/"+name)
	build.Env = append(slices.Clip(build.Environ()), "CGO_ENABLED=0") // the node has what the image has
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the tests of %s for a node: %v\n%s", name, err, out)
	}
	for _, node := range names() {
		if err := f.Put(t.Context(), node, binary, to); err != nil {
			t.Fatal(err)
		}
		f.run(t, node, "chmod", "755", to)
	}
}
