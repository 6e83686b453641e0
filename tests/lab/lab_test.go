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
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
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
		{"a data disk of its own", ownDisk},
		{"a data disk that stands still", frozenDisk},
		{"crash", crash},
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
	l, err := lab.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	cgroup := cgroupOf(t.Context(), t, l)
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
	if err := lab.Sweep(t.Context(), state); err != nil { // the record of the chassis
		t.Fatal(err)
	}
	nothingLeft(t, state, cgroup)
}

// nothingLeft checks the host for traces of the lab in state, whose nodes were in cgroup.
func nothingLeft(t *testing.T, state, cgroup string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), state) {
		t.Errorf("a mount is left:\n%s", mounts)
	}
	for _, hierarchy := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} { // the second on hosts with cgroup v1
		if _, err := os.Stat(hierarchy + cgroup); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the cgroup %s is left: %v", cgroup, err)
		}
	}
	waitFor(t.Context(), t, "the disks to be detached", func(context.Context) (string, bool) {
		disks := disksOf(t, cgroup)
		return strings.Join(disks, " "), len(disks) == 0
	})
	for _, gone := range []string{"nodes", "control.sock", "chassis.json"} {
		if _, err := os.Lstat(filepath.Join(state, gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left in the state directory: %v", gone, err)
		}
	}
}

// cgroupOf is the lab's cgroup, below the root of the unified hierarchy.
func cgroupOf(ctx context.Context, t *testing.T, l *lab.Lab) string {
	t.Helper()
	status, err := l.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(status[0].Cgroup)
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
	if err := lab.WaitFor(ctx, 3*time.Minute, what, condition); err != nil {
		t.Fatal(err)
	}
}
