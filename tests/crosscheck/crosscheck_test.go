package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
)

// noon is when the fault struck.
func noon() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

func after(d time.Duration) incident.Point {
	return incident.Point{At: noon().Add(d), Basis: incident.Measured}
}

// cut is a repetition of a fault after which a client was served again after 1.5 s.
func cut(t *testing.T, fault string) repetition {
	t.Helper()
	var r repetition
	text := `{"fault":"` + fault + `","repetition":1,"targets":["db1"],"injected":"2026-11-25T12:00:00Z","to":30000,
		"marks":[{"name":"first-ok","at":1500}],"clients":[{"kind":"reads","interruption":1},{"kind":"new-connection","interruption":1510}]}`
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// lost is the record of a node that takes the address with it, as one node wrote it.
func lost(id, observer string) written {
	return written{at: noon().Add(6 * time.Second), record: incident.Record{
		ID: id, Revision: 1, Observers: []string{observer}, Cause: incident.Cause{Kind: incident.NodeLost, Node: "db1"},
		Outcome: incident.Restored, Begin: after(300 * time.Millisecond), End: after(4500 * time.Millisecond), Occurrence: after(10 * time.Millisecond),
		ServiceBack: after(1490 * time.Millisecond), Interruption: 1480 * time.Millisecond, From: "db1", To: "db2",
		Phases: []incident.Phase{{Name: incident.PhaseRecovery, Path: true, Duration: 1480 * time.Millisecond}},
	}}
}

func usual() limits { return limits{50 * time.Millisecond, 2 * time.Second} }

func TestWhatAgrees(t *testing.T) {
	f := compare([]repetition{cut(t, "power-cut")}, []written{lost("a", "db2"), lost("a", "db3")})[0]
	if !f.agrees(usual()) {
		t.Errorf("it does not agree: %+v", f)
	}
	if f.Record != "a" || *f.Occurrence != 10*time.Millisecond || *f.Back != -10*time.Millisecond || *f.Interruption != -30*time.Millisecond || *f.Lag != 1500*time.Millisecond {
		t.Errorf("got %+v", f)
	}
}

func TestWhatDoesNotAgreeIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		fault  string
		change func(*written)
		is     func(finding) bool
	}{
		"no record":           {"power-cut", func(w *written) { w.record.Begin = after(-time.Minute) }, func(f finding) bool { return f.Missing }},
		"another cause":       {"database-kill", func(*written) {}, func(f finding) bool { return f.WrongCause }},
		"planned":             {"power-cut", func(w *written) { w.record.Planned = true }, func(f finding) bool { return f.WrongPlanned }},
		"another occurrence":  {"power-cut", func(w *written) { w.record.Occurrence = after(time.Second) }, func(f finding) bool { return *f.Occurrence == time.Second }},
		"service back early":  {"power-cut", func(w *written) { w.record.ServiceBack = after(time.Second) }, func(f finding) bool { return *f.Back == -500*time.Millisecond }},
		"late":                {"power-cut", func(w *written) { w.at = noon().Add(time.Minute) }, func(f finding) bool { return *f.Lag > 50*time.Second }},
		"phases lack a part":  {"power-cut", func(w *written) { w.record.Phases[0].Duration /= 2 }, func(f finding) bool { return f.Unbalanced }},
		"another length only": {"power-cut", func(w *written) { w.record.Interruption, w.record.Phases[0].Duration = time.Hour, time.Hour }, func(f finding) bool { return *f.Interruption > 59*time.Minute }},
	} {
		w := lost("a", "db2")
		w.record.Phases = append([]incident.Phase(nil), w.record.Phases...)
		test.change(&w)
		f := compare([]repetition{cut(t, test.fault)}, []written{w})[0]
		if f.agrees(usual()) || !test.is(f) {
			t.Errorf("%s: not found: %+v", name, f)
		}
	}
}

func TestTwoIDsForOneFault(t *testing.T) {
	f := compare([]repetition{cut(t, "power-cut")}, []written{lost("a", "db2"), lost("b", "db3")})[0]
	if !f.Split || f.agrees(usual()) {
		t.Errorf("not found: %+v", f)
	}
}

func TestAFaultThatNeedsNoRecord(t *testing.T) {
	if f := compare([]repetition{cut(t, "pacemakerd-kill")}, nil)[0]; !f.agrees(usual()) {
		t.Errorf("it does not agree: %+v", f)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	fails := func(args []string, want string) {
		t.Helper()
		errs.Reset()
		if status := run(args, &out, &errs); status != unknown || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: status %d, %q; want %q", args, status, errs.String(), want)
		}
	}
	fails(nil, "usage")
	fails([]string{"--output", "xml", dir}, "usage")
	fails([]string{dir}, "has no repetitions")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := json.NewEncoder(z).Encode(cut(t, "power-cut")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	save("repetitions/power-cut-1.json.gz", packed.Bytes())
	fails([]string{dir}, "has no journals")
	w := lost("a", "db2")
	record, err := json.Marshal(w.record)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := json.Marshal(map[string]string{"CRMBRIDGE_RECORD": string(record), "__REALTIME_TIMESTAMP": strconv.FormatInt(w.at.UnixMicro(), 10)})
	if err != nil {
		t.Fatal(err)
	}
	save("bridge/1/db2.json", append([]byte(`{"MESSAGE":"crmbridge follows"}`+"\n"), entry...))
	out.Reset()
	if status := run([]string{dir}, &out, &errs); status != agreed || !strings.Contains(out.String(), "power-cut") {
		t.Errorf("status %d, %s\n%s", status, errs.String(), out.String())
	}
	if status := run([]string{"--limit", "1ms", dir}, &out, &errs); status != differs {
		t.Errorf("status %d", status)
	}
	save("bridge/1/db3.json", []byte("{"))
	fails([]string{dir}, "db3.json")
}
