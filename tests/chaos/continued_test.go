package main

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/result"
)

// aRun is a campaign's head.
func aRun() result.Run {
	return result.Run{ID: "r", Started: time.Now().UTC(), Address: "192.0.2.70", Interval: 10, Deadline: 250,
		Versions: map[string]string{"galera-4": "26.4.23"}, Settings: map[string]string{"cores": "2", leftOut + "kernel-crash": "shared"},
		Nodes: []result.Node{{Name: "db1", Address: "192.0.2.71"}}}
}

// cutOff leaves two repetitions of a run in a directory.
func cutOff(t *testing.T) (string, result.Run) {
	t.Helper()
	dir, run := t.TempDir(), aRun()
	art, err := openArtifacts(dir, io.Discard, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := art.begin(run); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"second", "first"} {
		f := repetition(name, 900, result.Violation{Kind: "lost"})
		f.Repetition, f.Injected = 1, run.Started.Add(time.Duration(-i)*time.Minute)
		f.Clients[0].Dots = []result.Dot{{At: 1, Latency: 2, Verdict: "acknowledged"}}
		if err := art.keep(f); err != nil {
			t.Fatal(err)
		}
	}
	art.screen.plain("said before\n")
	if err := art.close(); err != nil {
		t.Fatal(err)
	}
	return dir, run
}

func TestContinue(t *testing.T) {
	dir, run := cutOff(t)
	art, err := openArtifacts(dir, io.Discard, true)
	if err != nil {
		t.Fatal(err)
	}
	now := aRun()
	now.ID = "another"
	c := campaign{art: art, run: now}
	c.opt.outDir, c.opt.campaign.goOn = dir, true
	if err := c.resume(); err != nil {
		t.Fatal(err)
	}
	if c.run.ID != run.ID || len(c.run.Faults) != 2 || c.run.Faults[0].Name != "first" || len(c.run.Faults[0].Clients[0].Dots) != 1 || len(c.run.Faults[0].Violations) != 1 {
		t.Errorf("got %+v", c.run)
	}
	if !c.done("first", 1) || c.done("first", 2) || c.done("third", 1) {
		t.Error("what is done and what is not is mixed up")
	}
	if err := art.close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil || !strings.Contains(string(log), "said before") || !strings.Contains(string(log), "2 repetitions are done") {
		t.Errorf("the log does not go on: %v %s", err, log)
	}
}

// TestContinueDoesAgainWhatWasStopped: but not when it found something.
func TestContinueDoesAgainWhatWasStopped(t *testing.T) {
	found := repetition("c", 1, result.Violation{Kind: "two-primaries"})
	earlier := aRun()
	earlier.Faults = []result.Fault{repetition("a", 1), repetition("b", 1), found, repetition("d", 1)}
	earlier.Faults[1].Stopped, earlier.Faults[2].Stopped, earlier.Faults[3].Error = true, true, "inject d: failed"
	c := campaign{run: aRun()}
	if err := c.takeUp(earlier); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if c.done(name, 0) != want {
			t.Errorf("%s is done: %v, want %v", name, !want, want)
		}
	}
}

// TestContinueNot: what does not belong together is not put together, and a new
// run forgets the one before.
func TestContinueNot(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(r *result.Run)
		want   string // empty: it goes on
	}{
		{"another version", func(r *result.Run) { r.Versions["galera-4"] = "26.4.24" }, "galera-4"},
		{"a version more", func(r *result.Run) { r.Versions["pcs"] = "0.11" }, "pcs"},
		{"a setting less", func(r *result.Run) { delete(r.Settings, "cores") }, "cores"},
		{"another cluster", func(r *result.Run) { r.Nodes = append(r.Nodes, result.Node{Name: "db2"}) }, "cluster"},
		{"another interval", func(r *result.Run) { r.Interval = 20 }, "--interval"},
		{"other faults left out", func(r *result.Run) { delete(r.Settings, leftOut+"kernel-crash") }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, _ := cutOff(t)
			now := aRun()
			test.change(&now)
			c := campaign{art: &artifacts{dir: dir, screen: &screen{out: io.Discard}}, run: now}
			c.opt.outDir, c.opt.campaign.goOn = dir, true
			err := c.resume()
			if test.want == "" && err != nil || test.want != "" && (err == nil || exitStatus(err) != exitNoStart || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	dir, _ := cutOff(t)
	art, err := openArtifacts(dir, io.Discard, false)
	if err != nil {
		t.Fatal(err)
	}
	defer art.close() //nolint:errcheck // nothing was written
	if run, found, err := unfinished(dir); found || err != nil || !reflect.DeepEqual(run, result.Run{}) {
		t.Errorf("a new run found %v %v %v", run, found, err)
	}
}

func TestContinueDamaged(t *testing.T) {
	dir, _ := cutOff(t)
	if err := os.WriteFile(filepath.Join(dir, repetitionsDir, "third-1.json.gz"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := unfinished(dir); err == nil || !strings.Contains(err.Error(), "third-1.json.gz") || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("got %v", err)
	}
}
