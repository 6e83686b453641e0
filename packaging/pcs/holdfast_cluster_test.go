// Package pcs_test runs the cluster script without a cluster: what it would do, and
// what it says of wrong settings.
package pcs_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// holdfastCluster runs the script on settings: those of the example, with edits that
// replace what stands left by what stands right.
func holdfastCluster(t *testing.T, edits map[string]string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	example, err := os.ReadFile("cluster.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := string(example)
	for from, to := range edits {
		if !strings.Contains(text, from) {
			t.Fatalf("the example has no %q", from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	settings := filepath.Join(t.TempDir(), "cluster.conf")
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "./holdfast-cluster", append([]string{"--settings", settings}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), strings.ReplaceAll(errs.String(), settings, "SETTINGS"), cmd.ProcessState.ExitCode()
}

func TestDryRunPrintsEveryCommand(t *testing.T) {
	update := os.Getenv("UPDATE") != ""
	for _, test := range []struct {
		name  string
		edits map[string]string
	}{
		{"example", nil},
		{"five-nodes-no-fencing", map[string]string{
			"db3=192.168.205.73":     "db3=192.168.205.73 db4=192.168.205.74 db5=192.168.205.75",
			"FENCE_AGENT=fence":      "FENCE_AGENT=none #",
			"ALLOW_NO_FENCING=no":    "ALLOW_NO_FENCING=yes",
			"ADDRESS_INTERFACE=":     "ADDRESS_INTERFACE=bond0",
			"ADDRESS=192.168.205.70": "ADDRESS=fd00::70",
			"ADDRESS_PREFIX=24":      "ADDRESS_PREFIX=64",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := holdfastCluster(t, test.edits, "--dry-run", "setup")
			if status != 0 || stderr != "" {
				t.Fatalf("status %d: %s", status, stderr)
			}
			golden := filepath.Join("testdata", test.name+".golden")
			if update {
				if err := os.WriteFile(golden, []byte(stdout), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), stdout); diff != "" {
				t.Errorf("commands (-want +got), UPDATE=1 accepts them:\n%s", diff)
			}
		})
	}
}

func TestPasswordsAreNotPrinted(t *testing.T) {
	stdout, stderr, _ := holdfastCluster(t, map[string]string{
		"HACLUSTER_PASSWORD=": "HACLUSTER_PASSWORD=xyzzy-1",
		"password=switch":     "password=xyzzy-2 snmp_priv_passwd=xyzzy-3",
	}, "--dry-run", "setup")
	if strings.Contains(stdout+stderr, "xyzzy") {
		t.Errorf("a password is shown:\n%s%s", stdout, stderr)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for _, test := range []struct {
		name     string
		from, to string
		want     string
	}{
		{"no name", "CLUSTER_NAME=holdfast", "CLUSTER_NAME=", "CLUSTER_NAME is not set in SETTINGS, and it must be"},
		{"bad name", "CLUSTER_NAME=holdfast", `CLUSTER_NAME="hold fast"`, "CLUSTER_NAME=hold fast is no name; use up to 32 letters, digits, - and _"},
		{"unknown key", "JOIN=50", "JION=50", "there is no setting JION; did you mean JOIN?"},
		{"no pair", "JOIN=50", "JOIN 50", "is not KEY=VALUE (a name"},
		{"command", "JOIN=50", "JOIN=$(id)", "JOIN=$(id) is not a whole number from 1"},
		{"two nodes", " db3=192.168.205.73", "", "NODES has 2 node(s); a cluster that survives the loss of one needs three or more"},
		{"no node address", "db3=192.168.205.73", "db3", "NODES has db3, which is not NAME=ADDRESS"},
		{"bad node address", "db3=192.168.205.73", "db3=192.168.205.773", "NODES gives db3 the address 192.168.205.773, which is no IP address"},
		{"same node", "db3=192.168.205.73", "db2=192.168.205.73", "NODES names db2 twice; give each node once"},
		{"bad address", "ADDRESS=192.168.205.70", "ADDRESS=vip", "ADDRESS=vip is no IP address"},
		{"own address", "ADDRESS=192.168.205.70", "ADDRESS=192.168.205.72", "ADDRESS=192.168.205.72 is the own address of db2"},
		{"bad prefix", "ADDRESS_PREFIX=24", "ADDRESS_PREFIX=33", "ADDRESS_PREFIX=33 is no prefix length; set 1 to 32, such as 24"},
		{"no fencing", "FENCE_AGENT=fence_redfish", "FENCE_AGENT=none", "FENCE_AGENT=none needs ALLOW_NO_FENCING=yes"},
		{"no agent", "FENCE_AGENT=fence_redfish", "FENCE_AGENT=ipmi", "FENCE_AGENT=ipmi is no fence agent"},
		{"fencing a stranger", "FENCE_OPTIONS_db3", "FENCE_OPTIONS_db4", "FENCE_OPTIONS_db4 is for a node that is not in NODES"},
		{"fence option", "ssl_insecure=1", "ssl_insecure", "FENCE_OPTIONS has ssl_insecure, which is not option=value"},
		{"token", "TOKEN=400", "TOKEN=100", "TOKEN=100 is too short for Corosync; set 130 or more"},
		{"consensus", "CONSENSUS=300", "CONSENSUS=40", "CONSENSUS=40 is shorter than JOIN=50"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, status := holdfastCluster(t, map[string]string{test.from: test.to}, "check")
			if status != 2 || stdout != "" {
				t.Errorf("status %d, not 2; output %q", status, stdout)
			}
			if !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("said %q, wanted one line with %q", stderr, test.want)
			}
		})
	}
}

func TestPasswordInAnOpenFile(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "cluster.conf")
	example, err := os.ReadFile("cluster.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(example), "HACLUSTER_PASSWORD=", "HACLUSTER_PASSWORD=x", 1)
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "./holdfast-cluster", "--settings", settings, "check").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "chmod 0600") {
		t.Errorf("%v: %s", err, out)
	}
}
