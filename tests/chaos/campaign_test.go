package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/monitor"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
	"holdfast/tests/chaos/target"
)

// threeNodes are the options that every campaign needs.
func threeNodes(more ...string) []string {
	return append([]string{"--address", "192.0.2.70", "--node", "db1=192.0.2.71", "--node", "db2=192.0.2.72", "--node", "db3=192.0.2.73"}, more...)
}

func TestCampaignOptions(t *testing.T) {
	opt, err := parseRun(append([]string{"power-cut"}, threeNodes("--target", "lab", "planned-move", "--repeat", "5")...), withPassword)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"power-cut", "planned-move"}; !reflect.DeepEqual(opt.faults, want) || opt.campaign.repeat != 5 || len(opt.fault) != 0 {
		t.Errorf("got %+v", opt)
	}
}

func TestCampaignUsage(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own.json")
	if err := os.WriteFile(own, []byte(`[{"fault": "power-cut", "inject": [{"on": "each", "script": "true"}]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{threeNodes("power-cut"), "--target"},
		{threeNodes("--target", "cloud", "power-cut"), `"cloud"`},
		{threeNodes("--target", "ssh", "power-cut"), "--inventory"},
		{threeNodes("--target", "lab", "explosion"), `"explosion"`},
		{threeNodes("--target", "lab", "--repeat", "0", "power-cut"), "--repeat"},
		{threeNodes("--target", "lab", "--continue", "power-cut"), "--out"},
		{threeNodes("--target", "lab", "--no-verify", "power-cut"), "--no-verify"},
		{threeNodes("--target", "lab", "--sample", "0s", "power-cut"), "--sample"},
		{threeNodes("--target", "lab", "power-cut", "--", "reboot"), "exclude each other"},
		{threeNodes("--target", "lab", "--catalogue", "nowhere", "power-cut"), "nowhere"},
		{threeNodes("--target", "lab", "--catalogue", own, "power-cut"), "another name"},
		{threeNodes("--target", "lab", "--objective", "99", "power-cut"), "--objective"},
		{threeNodes("--target", "lab", "--objective", "99%", "--window", "x", "power-cut"), "--window"},
		{[]string{"--address", "a", "--node", "db1=192.0.2.71", "--target", "lab", "power-cut"}, "three nodes"},
	} {
		_, err := parseRun(test.args, withPassword)
		if err == nil || exitStatus(err) != exitUsage || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want usage about %q", test.args, err, test.want)
		}
	}
}

func TestWatchOptions(t *testing.T) {
	opt, err := parseWatch([]string{"--address", "192.0.2.70", "--max-interruption", "500ms", "--objective", "99.95%"}, withPassword)
	if err != nil || opt.interval != 100*time.Millisecond || opt.window != "30d" {
		t.Errorf("got %+v, %v", opt, err)
	}
	if _, err := parseWatch([]string{"--address", "192.0.2.70", "power-cut"}, withPassword); err == nil || !strings.Contains(err.Error(), "injects nothing") {
		t.Errorf("a fault gave %v", err)
	}
}

// repetition is a fault with its figure.
func repetition(name string, interruption result.Milliseconds, violations ...result.Violation) result.Fault {
	return result.Fault{Name: name, Acked: 10, Indeterminate: 1, To: 1000, Violations: violations,
		Clients: []result.Client{{Kind: sla.WriterKind, Interruption: interruption}}}
}

func TestSummary(t *testing.T) {
	broken := result.Violation{Kind: "two-primaries"}
	doubled := repetition("a", 900)
	doubled.Doubled = []result.Doubling{{From: 10, To: 50}, {From: 100, To: 300}, {From: 400, To: 410}}
	stopped := repetition("b", 20)
	stopped.Error, stopped.Stopped = "it was stopped by a signal", true
	got := summaries([]result.Fault{doubled, repetition("b", 100), repetition("a", 1100, broken), stopped})
	want := []result.Summary{
		{Fault: "a", N: 2, Interruption: []result.Milliseconds{900, 1100}, Doubled: []result.Milliseconds{200, 0}, Acked: 20, Indeterminate: 2, Violations: []result.Violation{broken}},
		{Fault: "b", N: 2, Errors: 1, Interruption: []result.Milliseconds{100}, Doubled: []result.Milliseconds{0, 0}, Acked: 20, Indeterminate: 2, Violations: []result.Violation{}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var out bytes.Buffer
	if err := writeJSON(&out, summaries([]result.Fault{repetition("b", 100)})); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"fault": "b"`, `"n": 1`, `"interruption_ms"`, `"acked": 10`, `"lost": 0`, `"indeterminate": 1`, `"violations": []`} {
		if !strings.Contains(out.String(), field) {
			t.Errorf("summary.json lacks %s:\n%s", field, out.String())
		}
	}
}

func TestCampaignVerdict(t *testing.T) {
	lost := repetition("a", 100)
	lost.Lost = 1
	unmeasured := repetition("b", 1100)
	unmeasured.Error = "inject b: it took too long"
	for _, test := range []struct {
		name   string
		faults []result.Fault
		ended  error
		limit  time.Duration
		want   int
	}{
		{"all well", []result.Fault{repetition("a", 100)}, nil, 0, exitOK},
		{"within the limit", []result.Fault{repetition("a", 100)}, nil, time.Second, exitOK},
		{"too long", []result.Fault{repetition("a", 1100)}, nil, time.Second, exitTooLong},
		{"a violation comes before the length", []result.Fault{repetition("b", 1100), repetition("a", 100, result.Violation{Kind: "lost"})}, nil, time.Second, exitFailed},
		{"a lost write comes before the end", []result.Fault{lost}, startError("the next could not start"), 0, exitFailed},
		{"could not go on", []result.Fault{repetition("a", 100)}, startError("the next could not start"), 0, exitNoStart},
		{"one was not measured, and went on", []result.Fault{unmeasured, repetition("a", 100)}, nil, time.Second, exitFailed},
		{"unclean at the end", []result.Fault{repetition("a", 100)}, monitor.ErrUnclean, 0, exitFailed},
	} {
		c := campaign{opt: options{maxInterruption: test.limit}, run: result.Run{Faults: test.faults}}
		if err := c.verdict(test.ended); exitStatus(err) != test.want {
			t.Errorf("%s: got %v with status %d, want %d", test.name, err, exitStatus(err), test.want)
		}
	}
}

func TestWatchVerdict(t *testing.T) {
	objective, err := sla.ParseObjective("99.9%")
	if err != nil {
		t.Fatal(err)
	}
	terms := sla.Terms{Objective: objective, Window: time.Hour, MaxInterruption: 2 * time.Second}
	away := func(d time.Duration, open bool) []sla.Interruption {
		return []sla.Interruption{{From: time.Minute, To: time.Minute + d, Open: open}}
	}
	for _, test := range []struct {
		name  string
		terms sla.Terms
		seen  sla.Observation
		want  int
	}{
		{"kept", terms, sla.Observation{Length: time.Hour, Interruptions: away(time.Second, false)}, exitOK},
		{"too long", terms, sla.Observation{Length: time.Hour, Interruptions: away(3*time.Second, false)}, exitFailed},
		{"not back", terms, sla.Observation{Length: time.Hour, Interruptions: away(time.Second, true)}, exitUnmeasured},
		{"nobody looked", terms, sla.Observation{Length: time.Hour, Unmeasured: time.Minute}, exitUnmeasured},
		{"nothing seen", terms, sla.Observation{}, exitUnmeasured},
		{"nothing promised", sla.Terms{}, sla.Observation{Length: time.Hour}, exitOK},
	} {
		if err := watchVerdict(sla.Judge(test.terms, test.seen).Result(), test.terms); exitStatus(err) != test.want {
			t.Errorf("%s: got %v with status %d, want %d", test.name, err, exitStatus(err), test.want)
		}
	}
}

func TestArtifacts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	art, err := openArtifacts(dir, io.Discard, false)
	if err != nil {
		t.Fatal(err)
	}
	art.hear(monitor.Event{At: time.Now(), Kind: monitor.KindNode, Node: "db1", Text: "off"})
	for range 2 { // as the run grows
		if err := art.deliver(result.Run{ID: "r", Faults: []result.Fault{repetition("a", 100)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := art.close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		summaryFile: `"fault": "a"`, pageFile: "<svg", junitFile: "testsuite", logFile: "[NODE]", eventsFile: `"node":"db1"`, ledgerFile: "",
	} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s: %v, want %q in it:\n%.300s", name, err, want, content)
		}
	}
}

func TestArtifactsOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	art := &artifacts{dir: t.TempDir(), screen: &screen{out: io.Discard}, events: full}
	art.hear(monitor.Event{Kind: monitor.KindNode})
	if err := art.broken(); err == nil || !strings.Contains(err.Error(), eventsFile) {
		t.Errorf("got %v", err)
	}
}

func TestUndoWithoutAFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "undo.json")
	var out bytes.Buffer
	if err := undo([]string{"--undo-file", file}, &out, interrupts(nil)); err != nil || out.String() != "nothing is injected\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if _, err := openUndo(file); err != nil {
		t.Fatal(err)
	}
	if err := target.UndoFile(file).Write(target.Injected{Fault: "standby on db1", Target: "lab", Labctl: []string{"true"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := openUndo(file); exitStatus(err) != exitNoStart || !strings.Contains(err.Error(), "standby on db1 is still injected") {
		t.Errorf("over an injected fault: %v", err)
	}
	out.Reset()
	if err := undo([]string{"--undo-file", file}, &out, interrupts(nil)); err != nil || out.String() != "standby on db1 is undone\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if _, err := target.UndoFile(file).Read(); !errors.Is(err, target.ErrNothing) {
		t.Errorf("the file is still there: %v", err)
	}
}

func TestFaultsAsJSON(t *testing.T) {
	var out bytes.Buffer
	if err := listFaults([]string{"--output", "json"}, &out); err != nil {
		t.Fatal(err)
	}
	var all []catalogueOutput
	if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) < 20 {
		t.Errorf("%d faults, %v", len(all), err)
	}
}
