//go:build lab && record

package cluster

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"holdfast/tests/lab"
)

// recordings is where the streams go that crmbridge/incident replays.
const recordings = "../../crmbridge/incident/testdata"

// bridge is where the program is put on a node.
const bridge = "/usr/local/bin/crmbridge"

// TestRecord makes the recordings anew: what every node's daemons say around a fault,
// until the survivors have nothing left to do. It is no test, and only runs with
//
//	go test -tags lab,record -run TestRecord ./tests/cluster
func TestRecord(t *testing.T) {
	f := startFixture(t)
	firstBoot(t, f)
	f.putNodeTest(t, "pacemaker", nodeTest)
	f.putBridge(t)
	for _, s := range []struct {
		name  string
		fault func(t *testing.T, f *fixture, victim, witness string)
		after func(t *testing.T, f *fixture, victim, witness string)
	}{
		{"planned-move", func(t *testing.T, f *fixture, victim, witness string) {
			f.run(t, witness, "pcs", "resource", "move", "vip", witness)
			f.waitAway(t, witness, victim)
		}, nil},
		{"standby", func(t *testing.T, f *fixture, victim, witness string) {
			f.run(t, witness, "pcs", "node", "standby", victim)
			f.waitAway(t, witness, victim)
			f.run(t, witness, "crm_resource", "--wait", "--timeout", "120")
			f.run(t, witness, "pcs", "node", "unstandby", victim)
			f.waitHealthy(t, witness)
		}, nil},
		{"address-lost", func(t *testing.T, f *fixture, victim, witness string) {
			f.run(t, victim, "ip", "address", "delete", lab.FloatingAddress+"/24", "dev", "host0")
			f.waitFor(t, witness, "a failed monitor of the address", func(s status) bool { return len(s.reasons(victim)) > 0 })
			f.waitHealthy(t, witness)
			f.run(t, witness, "pcs", "resource", "cleanup")
		}, nil},
		{"database-hung", func(t *testing.T, f *fixture, victim, witness string) {
			f.run(t, victim, "systemctl", "kill", "--signal=STOP", "mariadb.service")
			f.waitFor(t, witness, "a failed monitor of the database", func(s status) bool { return len(s.reasons(victim)) > 0 })
			f.waitHealthy(t, witness)
			f.run(t, witness, "pcs", "resource", "cleanup")
		}, nil},
		{"mariadb-killed", func(t *testing.T, f *fixture, victim, witness string) {
			f.kill(t, victim)
			f.waitHealthy(t, witness)
		}, nil},
		{"power-cut", func(t *testing.T, f *fixture, victim, witness string) {
			if err := f.PowerOff(t.Context(), victim); err != nil {
				t.Fatal(err)
			}
			f.waitAway(t, witness, victim)
			f.waitHealthy(t, witness)
		}, nil},
		{"cable-out", func(t *testing.T, f *fixture, victim, witness string) {
			if err := f.CableOut(t.Context(), victim); err != nil {
				t.Fatal(err)
			}
			f.waitAway(t, witness, victim)
			f.settled(t, witness)
			if err := f.CableIn(t.Context(), victim); err != nil {
				t.Fatal(err)
			}
			f.waitHealthy(t, witness)
		}, nil},
		{"quorum-lost", func(t *testing.T, f *fixture, _, witness string) {
			for _, node := range names() {
				if node != witness {
					if err := f.PowerOff(t.Context(), node); err != nil {
						t.Fatal(err)
					}
				}
			}
			f.waitFor(t, witness, "nobody but "+witness, func(s status) bool { return slices.Equal(s.online(), []string{witness}) })
			time.Sleep(10 * time.Second) // without quorum the cluster waits for fencing, and never settles
		}, func(t *testing.T, f *fixture, _, witness string) {
			for _, node := range names() {
				if node != witness {
					if err := f.PowerOn(t.Context(), node); err != nil {
						t.Fatal(err)
					}
				}
			}
			f.waitHealthy(t, witness)
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			victim := f.waitHealthy(t, "db1").running("vip")[0]
			witness := other(victim)
			f.run(t, witness, "crm_resource", "--wait", "--timeout", "120")
			stop := f.record(t, s.name)
			s.fault(t, f, victim, witness)
			if s.after == nil {
				f.settled(t, witness)
			}
			stop()
			if s.after != nil {
				s.after(t, f, victim, witness)
			}
		})
	}
}

// settled waits until the cluster has nothing to do, as far as it can without quorum.
func (f *fixture) settled(t *testing.T, witness string) {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, "an idle cluster", func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, witness, "crm_resource", "--wait", "--timeout", "60")
		return fmt.Sprint(out, err), err == nil
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // the journal's tail; a recording needs no exact end
}

// record starts recorders on every node and returns what stops them: one of what the
// daemons say, and one of what crmbridge makes of it. A node that loses its power ends its
// recordings in the middle of a line, perhaps.
func (f *fixture) record(t *testing.T, name string) (stop func()) {
	t.Helper()
	if err := os.MkdirAll(recordings, 0o755); err != nil {
		t.Fatal(err)
	}
	var stops []func()
	for _, node := range names() {
		file := filepath.Join(recordings, fmt.Sprintf("%s-%s", name, node))
		stops = append(stops, f.recorder(t, node, &zipFile{name: file + ".jsonl.gz"}, nodeTest, "record"),
			// It does not end with its standard input.
			f.recorder(t, node, &eventFile{name: file + ".events.jsonl"}, "sh", "-c", bridge+" events & cat >/dev/null; kill $! && wait $!"))
	}
	return func() {
		for _, s := range slices.Backward(stops) {
			s()
		}
	}
}

// recorder starts a program in a node and keeps what it prints until it is stopped.
func (f *fixture) recorder(t *testing.T, node string, out io.WriteCloser, command ...string) (stop func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), f.labctl, append([]string{"--state", f.State(), "exec", node, "--"}, command...)...)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{}, 1)
	cmd.Stdout = io.MultiWriter(out, writerFunc(func(p []byte) (int, error) {
		select {
		case begun <- struct{}{}:
		default:
		}
		return len(p), nil
	}))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun // the state of now is there
	return func() {
		input.Close()
		if err := cmd.Wait(); err != nil {
			t.Logf("the recording of %s ended with %v", node, err)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
}

// zipFile collects what is written to it in a compressed file.
type zipFile struct {
	name string
	bytes.Buffer
}

func (z *zipFile) Close() error {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(z.Bytes()); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(z.name, packed.Bytes(), 0o644)
}

// eventFile collects the events, without the records, of what crmbridge events prints.
type eventFile struct {
	name string
	bytes.Buffer
}

func (e *eventFile) Close() error {
	var events bytes.Buffer
	for line := range bytes.Lines(e.Bytes()) {
		var l struct{ Event json.RawMessage }
		if err := json.Unmarshal(line, &l); err != nil {
			continue // a power cut in the middle of the line
		}
		if l.Event != nil {
			fmt.Fprintf(&events, "%s\n", l.Event)
		}
	}
	return os.WriteFile(e.name, events.Bytes(), 0o644)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// putBridge puts the program itself on every node.
func (f *fixture) putBridge(t *testing.T) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "crmbridge")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "holdfast/crmbridge")
	build.Env = append(slices.Clip(build.Environ()), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build crmbridge: %v\n%s", err, out)
	}
	for _, node := range names() {
		if err := f.Put(t.Context(), node, binary, bridge); err != nil {
			t.Fatal(err)
		}
		f.run(t, node, "chmod", "755", bridge)
	}
}
