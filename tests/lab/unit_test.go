package lab

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/tests/lab/chassis"
)

func TestOverride(t *testing.T) {
	tests := []struct {
		name, file string
		settings   map[string]string
		want       string
	}{
		{"replaces in place", "# comment\nA=1\nB=2\n", map[string]string{"A": "9"}, "# comment\nA=9\nB=2\n"},
		{"adds at the end, in order", "A=1\n", map[string]string{"C": "3", "B": "2"}, "A=1\nB=2\nC=3\n"},
		{"completes the last line", "A=1", map[string]string{"B": "2"}, "A=1\nB=2\n"},
		{"quotes blanks", "A=\n", map[string]string{"A": "x y"}, "A=\"x y\"\n"},
		{"leaves comments alone", "#A=1\n", map[string]string{"A": "2"}, "#A=1\nA=2\n"},
		{"leaves names that only begin alike", "AB=1\n", map[string]string{"A": "2"}, "AB=1\nA=2\n"},
		{"nothing to do", "A=1\n", nil, "A=1\n"},
	}
	for _, tt := range tests {
		if got := override(tt.file, tt.settings); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzOverride(f *testing.F) {
	f.Add("# comment\nA=1\n", "A", "2")
	f.Fuzz(func(t *testing.T, file, name, value string) {
		if name == "" || strings.ContainsAny(name+value, "=\n\r #\"") {
			return
		}
		got := override(file, map[string]string{name: value})
		if !strings.Contains("\n"+got, "\n"+name+"="+quote(value)+"\n") {
			t.Errorf("%s=%s is not in %q", name, value, got)
		}
		if again := override(got, map[string]string{name: value}); again != got {
			t.Errorf("a second run changes %q to %q", got, again)
		}
	})
}

func TestPrefixed(t *testing.T) {
	var out bytes.Buffer
	p := &prefixed{prefix: "db1: ", to: &out}
	for _, part := range []string{"one\ntw", "o\n", "\n", "last"} {
		if _, err := p.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	p.flush()
	if want := "db1: one\ndb1: two\ndb1: \ndb1: last\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestWaitSaysWhatItWaitedForAndSaw(t *testing.T) {
	err := WaitFor(context.Background(), time.Millisecond, "the moon", func(context.Context) (string, bool) { return "clouds", false })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	for _, want := range []string{"the moon", "clouds"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestWaitLooksBeforeItWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Wait(ctx, "nothing", func(context.Context) (string, bool) { return "", true }); err != nil {
		t.Error(err)
	}
}

func TestExecErrorNamesNodeCommandAndReason(t *testing.T) {
	err := &ExecError{Node: "db2", Args: []string{"crm_mon", "-1"}, Status: 1, Stderr: "no cluster", Err: errors.New("exit status 1")}
	if want := "db2: crm_mon -1: exit status 1: no cluster"; err.Error() != want {
		t.Errorf("got %q, want %q", err.Error(), want)
	}
}

// TestTimed: of several answers the last one's time counts.
func TestTimed(t *testing.T) {
	state := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(state, chassis.SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	times := []string{"2026-11-25T07:00:00Z", "2026-11-25T07:00:00.25Z"}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(chassis.BegunHeader, times[0])
		times = times[1:]
	})}}
	server.Start()
	defer server.Close()
	ctx, begun := Timed(t.Context())
	c := newControl(state)
	if err := errors.Join(c.post(ctx, "/first"), c.post(ctx, "/second")); err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 25, 7, 0, 0, 250e6, time.UTC); !begun.Equal(want) {
		t.Errorf("got %v, want %v", begun, want)
	}
}

func TestOpenWithoutLab(t *testing.T) {
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrDown) {
		t.Errorf("empty directory: got %v, want ErrDown", err)
	}
	if _, err := Open(t.TempDir() + "/none"); !errors.Is(err, ErrDown) {
		t.Errorf("no directory: got %v, want ErrDown", err)
	}
}
