//go:build lab

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/tests/lab"
	"holdfast/tests/lab/power"
)

func ownIdentities(ctx context.Context, t *testing.T, l *lab.Lab) {
	owner := map[string]string{}
	for _, n := range lab.Nodes() {
		if got := ok(ctx, t, l, n.Name, "hostname"); got != n.Name {
			t.Errorf("the host name of %s is %q", n.Name, got)
		}
		if got := ok(ctx, t, l, n.Name, "ip", "-brief", "-4", "address", "show", "host0"); !strings.Contains(got, n.Address+"/24") {
			t.Errorf("%s has the address %q, want %s", n.Name, got, n.Address)
		}
		for _, what := range []string{"/etc/machine-id", "/etc/pacemaker/authkey"} {
			id := ok(ctx, t, l, n.Name, "sha256sum", what)
			if owner[id] != "" {
				t.Errorf("%s of %s is that of %s", what, n.Name, owner[id])
			}
			owner[id] = n.Name
		}
	}
	versions := ok(ctx, t, l, "db1", "dpkg-query", "--show", "pacemaker", "corosync", "pcs", "mariadb-server", "galera-4")
	for _, want := range []string{"pacemaker\t2.1.5", "corosync\t3.1.7", "pcs\t0.11.5", "mariadb-server\t1:10.11.", "galera-4\t26.4."} {
		if !strings.Contains(versions, want) {
			t.Errorf("no %q in the nodes' packages:\n%s", want, versions)
		}
	}
}

func commands(ctx context.Context, t *testing.T, l *lab.Lab) {
	out, err := l.ExecInput(ctx, "db2", strings.NewReader("in"), "sh", "-c", "cat; echo oops >&2; exit 7")
	var failed *lab.ExecError
	if !errors.As(err, &failed) || failed.Status != 7 || failed.Stderr != "oops" || out != "in" {
		t.Errorf("got %q and %#v, want in, status 7 and oops", out, err)
	}
	if _, err := l.Exec(ctx, "db9", "true"); err == nil || !strings.Contains(err.Error(), "db1, db2, db3") {
		t.Errorf("an unknown node: %v, want the names of those there are", err)
	}
	if out, err := l.Client(ctx, "cat", "/proc/net/fib_trie").Output(); err != nil || !strings.Contains(string(out), lab.Outside) {
		t.Errorf("the outside does not have the address %s: %v", lab.Outside, err)
	}
	limited, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := l.Exec(limited, "db2", "sleep", "4242"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command beyond its deadline: %v", err)
	}
	waitFor(ctx, t, "the command to end with its deadline", func(ctx context.Context) (string, bool) {
		out, err := l.Exec(ctx, "db2", "pgrep", "-f", "sleep 4242")
		return out, errors.As(err, &failed) && failed.Status == 1
	})
}

// fence has db1 fence db2 as Pacemaker would.
func fence(ctx context.Context, t *testing.T, l *lab.Lab) {
	agent := func(action string) (string, error) {
		return l.Exec(ctx, "db1", "fence_redfish", "--ip="+lab.Outside, fmt.Sprint("--ipport=", lab.PowerPort), "--ssl-insecure",
			"--username="+lab.PowerUser, "--password="+lab.PowerPassword, "--systems-uri=/redfish/v1/Systems/db2", "--action="+action)
	}
	ok(ctx, t, l, "db2", "sh", "-c", "echo kept > /root/kept && sync")
	boot := ok(ctx, t, l, "db2", "cat", "/proc/sys/kernel/random/boot_id", "/proc/1/stat")
	want := func(action, says string) {
		t.Helper()
		if out, err := agent(action); !strings.Contains(out, says) {
			t.Fatalf("fence_redfish %s: %q, %v; want %q", action, out, err, says)
		}
	}
	want("status", "ON")
	want("off", "Powered OFF")
	powerIs(ctx, t, l, "db2", power.Off)
	want("status", "OFF")
	if _, err := l.Exec(ctx, "db2", "true"); err == nil || !strings.Contains(err.Error(), "no power") {
		t.Errorf("a command in a node without power: %v", err)
	}
	want("on", "Powered ON")
	powerIs(ctx, t, l, "db2", power.On)
	want("reboot", "Rebooted")
	booted(ctx, t, l, "db2")
	if again := ok(ctx, t, l, "db2", "cat", "/proc/sys/kernel/random/boot_id", "/proc/1/stat"); again == boot {
		t.Error("db2 was not started again")
	}
	if got := ok(ctx, t, l, "db2", "cat", "/root/kept"); got != "kept" {
		t.Errorf("the disk did not survive the power cut: %q", got)
	}
}

func rebootAndHalt(ctx context.Context, t *testing.T, l *lab.Lab) {
	// A Pacemaker that has just been started may take minutes to stop; this is about the power button.
	ok(ctx, t, l, "db3", "systemctl", "disable", "pacemaker", "corosync")
	started := ok(ctx, t, l, "db3", "cat", "/proc/1/stat")
	// Forced twice: systemd gives nobody time. The command itself dies with the node.
	_, _ = l.Exec(ctx, "db3", "systemctl", "reboot", "--force", "--force")
	waitFor(ctx, t, "db3 to be back", func(ctx context.Context) (string, bool) {
		out, err := l.Exec(ctx, "db3", "cat", "/proc/1/stat")
		return fmt.Sprint(out, err), err == nil && out != started
	})
	booted(ctx, t, l, "db3")
	if err := l.Shutdown(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	waitFor(ctx, t, "db3 to halt", func(ctx context.Context) (string, bool) {
		state, err := l.PowerState(ctx, "db3")
		return fmt.Sprint(state, err), state == power.Off
	})
	if err := l.PowerOn(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	booted(ctx, t, l, "db3")
}

func cable(ctx context.Context, t *testing.T, l *lab.Lab) {
	reachable := func(want bool) {
		t.Helper()
		waitFor(ctx, t, fmt.Sprintf("db3 reachable = %v", want), func(ctx context.Context) (string, bool) {
			out, err := l.Exec(ctx, "db1", "ping", "-c1", "-W1", "db3")
			return out, (err == nil) == want
		})
	}
	reachable(true)
	if err := l.CableOut(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	reachable(false)
	if got := ok(ctx, t, l, "db3", "ip", "-brief", "-4", "address", "show", "host0"); !strings.Contains(got, "192.168.205.73") {
		t.Errorf("a pulled cable cost db3 its address: %q", got)
	}
	if err := errors.Join(l.PowerOff(ctx, "db3"), l.PowerOn(ctx, "db3")); err != nil {
		t.Fatal(err)
	}
	// A power cut does not plug a cable in. Without one the boot does not end, for it waits to be online.
	waitFor(ctx, t, "db3 to have its address", func(ctx context.Context) (string, bool) {
		out, err := l.Exec(ctx, "db3", "ip", "-brief", "-4", "address", "show", "host0")
		return fmt.Sprint(out, err), strings.Contains(out, "192.168.205.73")
	})
	reachable(false)
	if err := l.CableIn(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	booted(ctx, t, l, "db3")
	reachable(true)
}

func frozen(ctx context.Context, t *testing.T, l *lab.Lab) {
	if err := l.Freeze(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Exec(ctx, "db3", "true"); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a command in a frozen node: %v", err)
	}
	// It answers nothing, not even with the kernel that it shares here with the others.
	waitFor(ctx, t, "a frozen node to be silent", func(ctx context.Context) (string, bool) {
		out, err := l.Exec(ctx, "db1", "ping", "-c1", "-W1", "db3")
		return out, err != nil
	})
	if err := l.Thaw(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	ok(ctx, t, l, "db1", "ping", "-c1", "-W5", "db3")
	ok(ctx, t, l, "db3", "true")
	// Power comes before anything else: a frozen node can be cut, and starts again unfrozen.
	if err := errors.Join(l.Freeze(ctx, "db3"), l.PowerOff(ctx, "db3"), l.PowerOn(ctx, "db3")); err != nil {
		t.Fatal(err)
	}
	booted(ctx, t, l, "db3")
}

func collectLogs(ctx context.Context, t *testing.T, l *lab.Lab) {
	dir := t.TempDir()
	if err := l.CollectLogs(ctx, dir); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"power.log": "ForceOff", "db1/journal.log": "systemd", "db2.console": "Welcome to Debian"} {
		if content, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s does not have %q: %v", file, want, err)
		}
	}
}

func refused(ctx context.Context, t *testing.T, l *lab.Lab) {
	if _, err := lab.Start(ctx, lab.Options{State: l.State()}); !errors.Is(err, lab.ErrUp) {
		t.Errorf("got %v, want ErrUp", err)
	}
}

func killChassis(ctx context.Context, t *testing.T, l *lab.Lab) {
	network, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", l.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if disks := disksOf(t, cgroupOf(ctx, t, l)); len(disks) != len(lab.Nodes()) {
		t.Errorf("the nodes' disks are %v, want one for each node", disks)
	}
	freezeDisk(ctx, t, l, "db1") // not even SIGKILL ends what hangs there
	if err := syscall.Kill(l.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitFor(ctx, t, "the chassis to be gone", func(context.Context) (string, bool) {
		_, err := lab.Open(l.State())
		return fmt.Sprint(err), errors.Is(err, lab.ErrDown)
	})
	if err := lab.Sweep(ctx, l.State()); err != nil { // as labctl down does
		t.Fatal(err)
	}
	waitFor(ctx, t, "the lab's network to be empty of processes", func(context.Context) (string, bool) {
		processes, err := filepath.Glob("/proc/[0-9]*/ns/net")
		if err != nil {
			return err.Error(), false
		}
		for _, p := range processes {
			if ns, err := os.Readlink(p); err == nil && ns == network {
				return p + " is in it", false
			}
		}
		return "", true
	})
	again := start(ctx, t, l.State())
	cgroup := cgroupOf(ctx, t, again) // the name is the state directory's, so the one of the killed lab is the same
	ok(ctx, t, again, "db1", "true")
	if err := again.Down(ctx); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, l.State(), cgroup)
}
