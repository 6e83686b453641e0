//go:build lab

// These tests run in a node of a lab, as root: tests/cluster brings them there.
package unit

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	patience = time.Minute
	service  = "holdfast-node-test.service"
)

func connect(t *testing.T) *dbus.Conn {
	t.Helper()
	c, err := Connect(t.Context())
	if err != nil {
		t.Fatalf("%v; this test runs in a node of a lab: make cluster-test", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// until gives the first state that is as ok says.
func until(t *testing.T, f *Follower, ok func(State) bool) State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		s, err := f.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", s)
		if ok(s) {
			return s
		}
	}
}

// TestNodeKilledService follows a service that does not exist yet, its start, and that
// its process is killed.
func TestNodeKilledService(t *testing.T) {
	f, err := Follow(t.Context(), connect(t), service, "mariadb.service")
	if err != nil {
		t.Fatal(err)
	}
	until(t, f, func(s State) bool { return s.Name == service && s.Active == "inactive" && !s.Running() })
	command(t, "systemd-run", "--unit="+service, "sleep", "3600")
	t.Cleanup(func() { _ = exec.Command("systemctl", "reset-failed", service).Run() })
	running := until(t, f, func(s State) bool { return s.Name == service && s.Active == "active" && s.Running() })
	if running.Main.PID != running.MainPID || running.Main.Started.IsZero() {
		t.Errorf("runs as %+v", running)
	}
	killed := time.Now()
	command(t, "systemctl", "kill", "--signal=KILL", service)
	gone := until(t, f, func(s State) bool { return s.Name == service && s.Active == "failed" })
	if gone.Running() || gone.Result != "signal" || gone.Main.Code != 2 || gone.Main.Status != 9 || gone.Main.PID != running.MainPID {
		t.Errorf("ended as %+v", gone)
	}
	if at := gone.Main.Exited.Real; at.Before(killed) || at.After(gone.Received) || gone.Main.Exited.Monotonic <= gone.Main.Started.Monotonic {
		t.Errorf("killed after %v, ended %v, heard %v", killed, at, gone.Received)
	}
	t.Logf("heard %v after the end of the process", gone.Received.Sub(gone.Main.Exited.Real))
}

func TestNodeDatabaseIsFollowed(t *testing.T) {
	f, err := Follow(t.Context(), connect(t), "mariadb.service", "corosync.service", "pacemaker.service")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		until(t, f, func(s State) bool { return s.Active == "active" && s.Running() && !s.Main.Started.IsZero() })
	}
}

// TestNodeLostConnection is told so, and not silently deaf.
func TestNodeLostConnection(t *testing.T) {
	c := connect(t)
	f, err := Follow(t.Context(), c, "mariadb.service")
	if err != nil {
		t.Fatal(err)
	}
	until(t, f, func(s State) bool { return s.Name == "mariadb.service" })
	c.Close()
	if _, err := f.Next(t.Context()); !errors.Is(err, ErrDisconnected) {
		t.Errorf("%v", err)
	}
}

// TestNodeStarted: systemd knows when the node was started, which is when its first process was, also in
// a container, whose kernel has run for longer.
func TestNodeStarted(t *testing.T) {
	started, err := Started(t.Context(), connect(t))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "ps", "--no-headers", "-o", "etimes", "--pid", "1").Output()
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	if first := time.Now().Add(-time.Duration(seconds) * time.Second); started.Sub(first).Abs() > 10*time.Second {
		t.Errorf("started at %v, and the first process at about %v", started, first)
	}
}
