//go:build lab

package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/tests/lab"
	"holdfast/tests/lab/power"
)

// parentVariable makes the test binary a program that starts a lab in the named directory and waits to be killed.
const parentVariable = "HOLDFAST_TEST_PARENT"

func TestMain(m *testing.M) {
	lab.BecomeChassis()
	if state := os.Getenv(parentVariable); state != "" {
		os.Exit(parent(state))
	}
	os.Exit(m.Run())
}

func parent(state string) int {
	l, err := lab.Start(context.Background(), lab.Options{State: state, DieWithParent: true, Progress: os.Stderr})
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("up", l.PID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// start boots a lab for one test. Its state directory is in the checkout, for overlayfs does not take every /tmp.
func start(ctx context.Context, t *testing.T, state string) *lab.Lab {
	t.Helper()
	l, err := lab.Start(ctx, lab.Options{State: state, Replace: true, DieWithParent: true, Progress: progress{t}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func stateDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "build", "lab-"+strings.ToLower(t.Name())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() { // else its logs are wanted
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
	})
	return dir
}

type progress struct{ t *testing.T }

func (p progress) Write(b []byte) (int, error) {
	p.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// TestLab walks through a lab's life. The steps share one lab and build on each other.
func TestLab(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	state := stateDir(t)
	l := start(ctx, t, state)
	t.Cleanup(func() { down(t, state) })

	steps := []struct {
		name string
		run  func(context.Context, *testing.T, *lab.Lab)
	}{
		{"nodes are machines of their own", ownIdentities},
		{"commands", commands},
		{"the fence agent of Debian cuts and restores power", fence},
		{"a node reboots itself and halts", rebootAndHalt},
		{"cable", cable},
		{"frozen", frozen},
		{"logs", collectLogs},
		{"a second lab in the same place is refused", refused},
		{"killing the chassis leaves nothing", killChassis},
	}
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) { step.run(ctx, t, l) }) {
			break
		}
	}
}

// TestParentKilled starts a lab from a process that is then killed, as a test binary may be.
func TestParentKilled(t *testing.T) {
	state := stateDir(t)
	t.Cleanup(func() { down(t, state) })
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), parentVariable+"="+state)
	cmd.Stderr = progress{t}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answer, _ := bufio.NewReader(stdout).ReadString('\n')
	var chassis int
	if _, err := fmt.Sscanf(answer, "up %d", &chassis); err != nil {
		t.Fatalf("the parent said %q", answer)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as asked
	err = lab.WaitFor(t.Context(), 20*time.Second, "the lab to follow its parent", func(context.Context) (string, bool) {
		_, err := lab.Open(state)
		return fmt.Sprint(err), errors.Is(err, lab.ErrDown)
	})
	if err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, state)
	for _, gone := range []string{"nodes", "control.sock"} {
		if _, err := os.Lstat(filepath.Join(state, gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", gone, err)
		}
	}
}

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
	for program, version := range map[string]string{"pacemakerd": "2.1.5", "corosync": "3.1.7", "pcs": "0.11.5", "mariadbd": "10.11."} {
		if got := ok(ctx, t, l, "db1", program, "--version"); !strings.Contains(got, version) {
			t.Errorf("%s is %q, want %s", program, got, version)
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
	booted(ctx, t, l, "db3")
	reachable(false) // a power cut does not plug a cable in
	if err := l.CableIn(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	reachable(true)
}

func frozen(ctx context.Context, t *testing.T, l *lab.Lab) {
	if err := l.Freeze(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Exec(ctx, "db3", "true"); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a command in a frozen node: %v", err)
	}
	if err := l.Thaw(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
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
	if err := syscall.Kill(l.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitFor(ctx, t, "the chassis to be gone", func(context.Context) (string, bool) {
		_, err := lab.Open(l.State())
		return fmt.Sprint(err), errors.Is(err, lab.ErrDown)
	})
	processes, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		if ns, err := os.Readlink(p); err == nil && ns == network {
			t.Errorf("%s is still in the lab's network", p)
		}
	}
	// The remains that no kernel clears away are files, and the next lab does.
	again := start(ctx, t, l.State())
	ok(ctx, t, again, "db1", "true")
	if err := again.Down(ctx); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, l.State())
}

// nothingLeft checks the host for traces of the lab in state.
func nothingLeft(t *testing.T, state string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), state) {
		t.Errorf("a mount is left:\n%s", mounts)
	}
	cgroups, err := filepath.Glob("/sys/fs/cgroup/unified/holdfast-lab-*") // where hosts with cgroup v1 have it
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cgroups {
		if procs, err := os.ReadFile(filepath.Join(c, "db1", "cgroup.procs")); err != nil || len(procs) == 0 {
			if entries, err := os.ReadDir(filepath.Join(c, "db1")); err != nil || len(entries) == 0 {
				t.Errorf("the cgroup %s is left", c)
			}
		}
	}
}

func down(t *testing.T, state string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := lab.Open(state)
	if err == nil {
		err = l.Down(ctx)
	}
	if err != nil && !errors.Is(err, lab.ErrDown) {
		t.Error(err)
	}
}

// ok runs a command that must succeed and returns what it said, trimmed.
func ok(ctx context.Context, t *testing.T, l *lab.Lab, node string, args ...string) string {
	t.Helper()
	out, err := l.Exec(ctx, node, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func booted(ctx context.Context, t *testing.T, l *lab.Lab, node string) {
	t.Helper()
	if _, err := l.WaitBooted(ctx, node); err != nil {
		t.Fatal(err)
	}
}

func powerIs(ctx context.Context, t *testing.T, l *lab.Lab, node string, want power.State) {
	t.Helper()
	if got, err := l.PowerState(ctx, node); err != nil || got != want {
		t.Errorf("power of %s is %v (%v), want %v", node, got, err, want)
	}
}

func waitFor(ctx context.Context, t *testing.T, what string, condition func(context.Context) (string, bool)) {
	t.Helper()
	if err := lab.WaitFor(ctx, time.Minute, what, condition); err != nil {
		t.Fatal(err)
	}
}
