// Package pcs_test runs the cluster script without a cluster: what it would do, and
// what it says of wrong settings.
package pcs_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const updateFlag = "update"

func TestMain(m *testing.M) {
	flag.Bool(updateFlag, false, "write the golden files anew")
	os.Exit(m.Run())
}

// holdfastCluster runs the script on settings: those of the example, with edits that
// replace what stands left by what stands right.
func holdfastCluster(t *testing.T, edits map[string]string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return onSettings(t, edited(t, edits), args...)
}

func edited(t *testing.T, edits map[string]string) string {
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
	return text
}

// onSettings runs the script on a private file with this text.
func onSettings(t testing.TB, text string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	settings := filepath.Join(t.TempDir(), "cluster.conf")
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "./holdfast-cluster", append([]string{"--settings", settings}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), strings.ReplaceAll(errs.String(), settings, "SETTINGS"), cmd.ProcessState.ExitCode()
}

func TestDryRunPrintsEveryCommand(t *testing.T) {
	update := flag.Lookup(updateFlag).Value.String() == "true"
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
				t.Errorf("commands (-want +got), -update accepts them:\n%s", diff)
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
		{"no near key", "JOIN=50", "WHATEVER=50", "there is no setting WHATEVER; man holdfast-cluster lists them"},
		{"key twice", "JOIN=50", "JOIN=50\nJOIN=60", "JOIN was set in line"},
		{"quotes", `"systems_uri=/redfish/v1/Systems/db1"`, `"systems_uri=/redfish/v1/Systems/db1`, "the double quotes of FENCE_OPTIONS_db1 do not match"},
		{"Debian's name", "CLUSTER_NAME=holdfast", "CLUSTER_NAME=debian", "CLUSTER_NAME=debian is what Debian calls"},
		{"two nodes", " db3=192.168.205.73", "", "NODES has 2 node(s); a cluster that survives the loss of one needs three or more"},
		{"no node address", "db3=192.168.205.73", "db3", "NODES has db3, which is not NAME=ADDRESS"},
		{"bad node address", "db3=192.168.205.73", "db3=192.168.205.773", "NODES gives db3 the address 192.168.205.773, which is no IP address"},
		{"same node", "db3=192.168.205.73", "db2=192.168.205.73", "NODES names db2 twice; give each node once"},
		{"bad IPv6 node address", "db3=192.168.205.73", "db3=fd00::1::3", "NODES gives db3 the address fd00::1::3, which is no IP address"},
		{"same node address", "db3=192.168.205.73", "db3=192.168.205.72", "NODES gives 192.168.205.72 to db2 and to db3"},
		{"bad interface", "ADDRESS_INTERFACE=", "ADDRESS_INTERFACE=eth0/1", "ADDRESS_INTERFACE=eth0/1 is no name of an interface"},
		{"neither yes nor no", "ALLOW_NO_FENCING=no", "ALLOW_NO_FENCING=true", "ALLOW_NO_FENCING=true is neither yes nor no"},
		{"two passwords", "PASSWORD=\nHACLUSTER_PASSWORD_FILE=", "PASSWORD=a\nHACLUSTER_PASSWORD_FILE=/b", "HACLUSTER_PASSWORD and HACLUSTER_PASSWORD_FILE=/b are both set; keep one"},
		{"no password file", "HACLUSTER_PASSWORD_FILE=", "HACLUSTER_PASSWORD_FILE=/nonexistent", "HACLUSTER_PASSWORD_FILE=/nonexistent is no file that can be read"},
		{"number too long", "TOKEN=400", "TOKEN=99999999999999999999", "TOKEN=99999999999999999999 is not a whole number"},
		{"suspicion", "SUSPECT_TIMEOUT=500", "SUSPECT_TIMEOUT=200", "SUSPECT_TIMEOUT=200 is too short for Galera; set 300 or more"},
		{"gcache", "GCACHE_SIZE=256M", "GCACHE_SIZE=256", "GCACHE_SIZE=256 is no size; set a number with M or G"},
		{"copy", "SST_METHOD=mariabackup", "SST_METHOD=mysqldump", "SST_METHOD=mysqldump is not known here; set mariabackup or rsync"},
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

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--help"}, 0, "usage: holdfast-cluster"},
		{nil, 2, "usage: holdfast-cluster"},
		{[]string{"setup", "check"}, 2, "one of prepare, setup and check, not two"},
		{[]string{"--dryrun", "setup"}, 2, "--dryrun is not known"},
		{[]string{"--settings"}, 2, "--settings needs a file"},
		{[]string{"--settings", "/nonexistent", "check"}, 2, "/nonexistent does not exist; copy the example"},
	} {
		out, err := exec.CommandContext(t.Context(), "./holdfast-cluster", test.args...).CombinedOutput()
		var exit *exec.ExitError
		status := 0
		if errors.As(err, &exit) {
			status = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if status != test.status || !strings.Contains(string(out), test.want) {
			t.Errorf("%q: status %d, wanted %d and %q:\n%s", test.args, status, test.status, test.want, out)
		}
	}
}

// The other way of the settings: what prepare writes for the database.
func TestDatabaseConfiguration(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, status := holdfastCluster(t, map[string]string{
		"db2=192.168.205.72":     name + "=192.168.205.72",
		"FENCE_OPTIONS_db2":      "FENCE_OPTIONS_" + name,
		"SUSPECT_TIMEOUT=500":    "SUSPECT_TIMEOUT=4000",
		"GCACHE_SIZE=256M":       "GCACHE_SIZE=2G",
		"SST_METHOD=mariabackup": "SST_METHOD=rsync",
	}, "--dry-run", "prepare")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, want := range []string{
		"wsrep_cluster_address  = gcomm://192.168.205.71,192.168.205.72,192.168.205.73\n",
		"wsrep_node_name        = " + name + "\n",
		"wsrep_node_address     = 192.168.205.72\n",
		"evs.suspect_timeout=PT4.000S; evs.inactive_timeout=PT12.000S; evs.install_timeout=PT8.000S; " +
			"evs.keepalive_period=PT0.800S; evs.inactive_check_period=PT0.400S;",
		"gcache.size=2G;",
		"wsrep_sst_method = rsync\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "@") {
		t.Errorf("a placeholder is left:\n%s", stdout)
	}
}

// FuzzSettings gives the script files that nobody meant: it must say one sentence and
// exit, never stumble over its own code, and never execute anything.
func FuzzSettings(f *testing.F) {
	example, err := os.ReadFile("cluster.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add("NODES=\"a=::1 b=::2 c=::3\"\nCLUSTER_NAME=x\nADDRESS=::4\nADDRESS_PREFIX=64\nFENCE_AGENT=fence_x\nFENCE_OPTIONS_a=\"a[$(touch executed)]=1\"")
	f.Add("TOKEN=a[$(touch executed)]\nCLUSTER_NAME=`touch executed`")
	f.Add("NODES[$(touch executed)]=1\n=\n\x00=\x00\n\"\"=\"\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		stdout, stderr, status := onSettings(t, text, "check")
		said := strings.HasPrefix(stderr, "holdfast-cluster: ") && strings.Count(stderr, "\n") == 1
		if status == 0 && stderr == "" || status == 2 && stdout == "" && said {
			if _, err := os.Stat("executed"); err == nil {
				t.Error("the settings were executed")
			}
			return
		}
		t.Errorf("status %d, said %q, printed %q", status, stderr, stdout)
	})
}

func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Fatalf("%v: apt-get install shellcheck", err)
	}
	if out, err := exec.CommandContext(t.Context(), "shellcheck", "-x", "holdfast-cluster").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPasswordInAnOpenFile(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "cluster.conf")
	example, err := os.ReadFile("cluster.conf")
	if err != nil {
		t.Fatal(err)
	}
	// The example has a password in FENCE_OPTIONS.
	text := string(example)
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "./holdfast-cluster", "--settings", settings, "check").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "chmod 0600") {
		t.Errorf("%v: %s", err, out)
	}
}
