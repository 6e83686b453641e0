package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/ocf"
)

// soon is the timeout of an action that is expected to use it up.
const soon = "OCF_RESKEY_CRM_meta_timeout=400"

// A pipe that nobody writes to answers as late as a frozen file system.
func TestAFileThatDoesNotAnswer(t *testing.T) {
	f := &files{datadir: t.TempDir()}
	for _, name := range []string{"grastate.dat", "gvwstate.dat"} {
		if err := syscall.Mkfifo(f.path(name), 0o600); err != nil {
			t.Fatal(err)
		}
		defer func() { // lets the readers go
			if w, err := os.OpenFile(f.path(name), os.O_RDWR, 0); err == nil {
				_ = w.Close()
			}
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, grastate := f.Grastate(ctx)
	_, view := f.DropTorn(ctx)
	for name, err := range map[string]error{"grastate.dat": grastate, "gvwstate.dat": view} {
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), f.path(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADatabaseOnAFrozenFileSystem(t *testing.T) {
	for name, test := range map[string]struct {
		before func(*machine) // beside the file system
		action string
		code   ocf.Code
		runs   bool
	}{
		"its monitor asks the server only":      {func(*machine) {}, "monitor", ocf.RunningPromoted, true},
		"demote stops it and says what is left": {func(*machine) {}, "demote", ocf.ErrGeneric, false},
		"demote of a crashed one":               {(*machine).kill, "demote", ocf.ErrGeneric, false},
		"stop needs no file":                    {func(*machine) {}, "stop", ocf.Success, false},
		"promote does not start it":             {(*machine).kill, "promote", ocf.ErrGeneric, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			n := s.node("db2")
			test.before(n)
			n.stalled, n.dropped = true, 0
			code, reason := s.act("db2", test.action, soon)
			if code != test.code || n.running != test.runs {
				t.Fatalf("%s %q, running %v", code, reason, n.running)
			}
			if code == ocf.ErrGeneric && !strings.Contains(reason, "the file system of /var/lib/mysql does not answer") {
				t.Errorf("the reason is %q", reason)
			}
			if test.action != "promote" && n.dropped > 0 {
				t.Error("a file is written, which would keep the agent from ending")
			}
		})
	}
}

func TestAJoinIsWatchedOnAFrozenFileSystem(t *testing.T) {
	s, n := joinsLong(t)
	s.act("db3", "demote")
	n.role, n.stalled = "Unpromoted", true
	if code, reason := s.act("db3", "monitor", soon); code != ocf.Success {
		t.Errorf("monitor: %s %s", code, reason)
	}
	if state := s.attrs["db3"]["galera-state"]; !strings.HasSuffix(state, "the file system of /var/lib/mysql does not answer") {
		t.Errorf("the cluster shows the state %q", state)
	}
}
