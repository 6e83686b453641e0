package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const patience = 10 * time.Second

// systemdEars listens to what the daemon tells systemd.
func systemdEars(t *testing.T) <-chan string {
	t.Helper()
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	c, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", address.Name)
	heard := make(chan string, 64)
	go func() {
		defer close(heard)
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			heard <- string(b[:n])
		}
	}()
	return heard
}

func hear(t *testing.T, heard <-chan string, want string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-heard:
			if strings.Contains(got, want) {
				return
			}
		case <-deadline:
			t.Fatalf("systemd never heard %q", want)
		}
	}
}

// patient is a consumer that wants to be woken shortly after each observation.
type patient struct {
	taken []observation
	woken chan time.Time
	err   error
}

func (p *patient) take(o observation) (time.Time, error) {
	p.taken = append(p.taken, o)
	return time.Now().Add(10 * time.Millisecond), p.err
}

func (p *patient) wake(now time.Time) (time.Time, error) {
	p.woken <- now
	return time.Time{}, nil
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestLoopTellsSystemd(t *testing.T) {
	heard := systemdEars(t)
	t.Setenv("WATCHDOG_USEC", "100000")
	p := &patient{woken: make(chan time.Time, 10)}
	l, err := newLoop(p, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	observations, ended := make(chan observation), make(chan error, 1)
	go func() { ended <- l.run(ctx, observations) }()
	hear(t, heard, "READY=1")
	hear(t, heard, "WATCHDOG=1")
	observations <- observation{sourceCIB, time.Now(), seeing{}}
	hear(t, heard, "STATUS=blind for fencer quorum systemd addresses clock journal")
	for _, name := range []sourceName{sourceFencer, sourceQuorum, sourceUnits, sourceAddresses, sourceClock, sourceJournal} {
		observations <- observation{name, time.Now(), seeing{}}
	}
	hear(t, heard, "STATUS=following everything")
	observations <- observation{sourceCIB, time.Now(), blind{"gone"}}
	hear(t, heard, "STATUS=blind for cib")
	select {
	case <-p.woken:
	case <-time.After(patience):
		t.Error("the consumer was not woken")
	}
	enough := errors.New("enough")
	cancel(enough)
	if err := <-ended; !errors.Is(err, enough) {
		t.Errorf("ended with %v", err)
	}
	if len(p.taken) != 8 {
		t.Errorf("%d observations taken", len(p.taken))
	}
}

// TestLoopEndsWithAnErrorOfTheConsumer: what cannot be kept must not be lost quietly.
func TestLoopEndsWithAnErrorOfTheConsumer(t *testing.T) {
	full := errors.New("the journal is full")
	l, err := newLoop(&patient{err: full, woken: make(chan time.Time, 1)}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	observations := make(chan observation, 1)
	observations <- observation{sourceCIB, time.Now(), seeing{}}
	if err := l.run(t.Context(), observations); !errors.Is(err, full) {
		t.Error(err)
	}
}

// TestSourceSaysOnceThatItIsBlind, and since when, when it sees again.
func TestSourceSaysOnceThatItIsBlind(t *testing.T) {
	out := make(chan observation, 10)
	s := &source{name: sourceCIB, out: out, log: quiet()}
	ctx := t.Context()
	for range 3 {
		s.lost(ctx, errors.New("nobody listens"))
	}
	s.sight(ctx)
	s.sight(ctx)
	s.lost(ctx, errors.New("evicted"))
	s.lost(ctx, errors.New("nobody listens"))
	s.sight(ctx)
	close(out)
	var got []string
	var lost time.Time
	for o := range out {
		switch what := o.what.(type) {
		case blind:
			lost = o.received
			got = append(got, what.reason)
		case seeing:
			if what.since != lost {
				t.Errorf("blind since %v, not %v", what.since, lost)
			}
			got = append(got, "sees")
		}
	}
	if want := []string{"nobody listens", "sees", "evicted", "sees"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

// TestKeepServesAgain after errors, until the context ends.
func TestKeepServesAgain(t *testing.T) {
	out := make(chan observation, 10)
	ctx, cancel := context.WithCancel(t.Context())
	served := 0
	keep(ctx, &source{name: sourceUnits, out: out, log: quiet()}, func(context.Context, *source) error {
		if served++; served == 3 {
			cancel()
		}
		return errors.New("no bus")
	})
	if served != 3 || len(out) != 1 {
		t.Errorf("served %d times, %d observations", served, len(out))
	}
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{nil, exitOK, "usage: crmbridge COMMAND", ""},
		{[]string{"help"}, exitOK, "run ", ""},
		{[]string{"version"}, exitOK, "crmbridge unreleased", ""},
		{[]string{"fly"}, exitUsage, "", `unknown command "fly"`},
		{[]string{"run", "--fast"}, exitUsage, "", "flag provided but not defined: -fast"},
		{[]string{"run", "now"}, exitUsage, "", `run takes no argument "now"`},
		{[]string{"run", "--help"}, exitOK, "", "systemd units to follow"},
	} {
		var stdout, stderr strings.Builder
		if got := dispatch(t.Context(), tt.args, &stdout, &stderr); got != tt.status {
			t.Errorf("%q: status %d", tt.args, got)
		}
		if !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%q: %q, %q", tt.args, stdout.String(), stderr.String())
		}
	}
}
