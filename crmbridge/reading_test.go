package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journal"
)

// clusterJournal is what three nodes would have written of the recorded faults, as
// journalctl -o json exports it.
func clusterJournal(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range []string{"db1", "db2", "db3"} {
		for _, fault := range []string{"planned-move", "standby", "mariadb-killed", "power-cut", "cable-out"} {
			writeJournal(t, f, node, filepath.Join(recordings, fault+"-"+node+".events.jsonl"), filepath.Join(filepath.Dir(path), node))
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeJournal(t *testing.T, out io.Writer, node, recording, state string) {
	t.Helper()
	text, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	var events []incident.Event
	for line := range bytes.Lines(text) {
		var e incident.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	now := events[0].Seen.Wall
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	enc := json.NewEncoder(out)
	w, err := journal.NewWriterTo(node, "test", state, journal.Head{}, func(fields map[string]string) error {
		now = now.Add(time.Microsecond)
		fields["__REALTIME_TIMESTAMP"], fields["_SYSTEMD_UNIT"] = strconv.FormatInt(now.UnixMicro(), 10), journal.Unit
		return enc.Encode(fields)
	})
	must(err)
	tracker := incident.NewTracker(node)
	record := func(records []incident.Record) {
		for _, r := range records {
			must(w.WriteRecord(r))
		}
	}
	advance := func(until time.Time) {
		for d := tracker.Deadline(); !d.IsZero() && d.Before(until); d = tracker.Deadline() {
			now = d
			record(tracker.Advance(d))
		}
	}
	for _, e := range events {
		advance(e.Seen.Wall)
		now = e.Seen.Wall
		must(w.WriteEvent(e))
		record(tracker.Observe(e))
	}
	if strings.Contains(recording, "power-cut-db3") || strings.Contains(recording, "cable-out-db1") {
		return // it lost its power
	}
	advance(now.Add(3 * time.Second))
	must(w.Close())
}

// after is a minute after the last of the recordings.
func after() time.Time { return time.Date(2026, 11, 23, 13, 46, 0, 0, time.UTC) }

func tell(t *testing.T, run func(ctx context.Context, r *reading, out io.Writer) error) string {
	t.Helper()
	var out bytes.Buffer
	r := newReading("test", after(), io.Discard)
	if err := run(t.Context(), r, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHistoryAndShow(t *testing.T) {
	file := clusterJournal(t)
	var text bytes.Buffer
	text.WriteString(tell(t, func(ctx context.Context, r *reading, out io.Writer) error {
		r.timeRange()
		return history(ctx, r, &filters{}, []string{"--journal", file, "--utc"}, out)
	}))
	read, err := (&reading{journals: []string{file}, now: after()}).load(t.Context(), journal.Range{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range read.records {
		fmt.Fprintf(&text, "\n=== crmbridge show %s\n", x.ID)
		text.WriteString(tell(t, func(ctx context.Context, r *reading, out io.Writer) error {
			return show(ctx, r, []string{x.ID, "--utc", "--journal", file}, out)
		}))
	}
	compare(t, "testdata/history.txt", text.Bytes())
}

func TestFilters(t *testing.T) {
	file := clusterJournal(t)
	for _, c := range []struct {
		args string
		want int
	}{
		{"", 8}, {"--planned", 3}, {"--unplanned", 4}, {"--cause node-lost", 3}, {"--service", 6}, {"--node db2 --planned", 0},
		{"--since 2026-11-23T13:44:00Z --unplanned", 4}, {"--until 2026-11-23T13:42:00Z", 3}, {"--since 1m", 0},
	} {
		t.Run(c.args, func(t *testing.T) {
			f := filters{}
			out := tell(t, func(ctx context.Context, r *reading, out io.Writer) error {
				r.timeRange()
				r.flags.BoolVar(&f.planned, "planned", false, "")
				r.flags.BoolVar(&f.unplanned, "unplanned", false, "")
				r.flags.BoolVar(&f.service, "service", false, "")
				r.flags.StringVar(&f.cause, "cause", "", "")
				r.flags.StringVar(&f.node, "node", "", "")
				return history(ctx, r, &f, append(strings.Fields(c.args), "--output", "json", "--journal", file), out)
			})
			var records []incident.Record
			if err := json.Unmarshal([]byte(out), &records); err != nil {
				t.Fatal(err)
			}
			if len(records) != c.want {
				for _, x := range records {
					t.Log(journal.Sentence(x))
				}
				t.Errorf("%d records, want %d", len(records), c.want)
			}
		})
	}
}

func TestVerifyCommand(t *testing.T) {
	file := clusterJournal(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	altered := filepath.Join(t.TempDir(), "altered.json")
	if err := os.WriteFile(altered, bytes.Replace(text, []byte("database died"), []byte("database moved"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{file: exitOK, altered: exitFindings, filepath.Join(t.TempDir(), "none"): exitUnable} {
		var out, stderr bytes.Buffer
		if got := runVerify(t.Context(), []string{"--journal", path}, &out, &stderr); got != want {
			t.Errorf("exit status %d, want %d:\n%s%s", got, want, out.String(), stderr.String())
		}
	}
}

func TestSLACommand(t *testing.T) {
	file := clusterJournal(t)
	for args, want := range map[string]int{
		"--objective 99.95%": exitMet, "--objective 60% --window 10m": exitMet, "--objective 99% --window 10m": exitUnknown, "--objective 99.9% --window 10m": exitBreached,
		"--objective 2": exitUnknown, "--window x": exitUnknown,
	} {
		var out, stderr bytes.Buffer
		if got := runSLAAt(t.Context(), after(), append(strings.Fields(args), "--journal", file), &out, &stderr); got != want {
			t.Errorf("%s: exit status %d, want %d:\n%s%s", args, got, want, out.String(), stderr.String())
		}
	}
}

// TestReportIsComplete writes the page, and finds every incident on it and nothing that
// it would have to fetch.
func TestReportIsComplete(t *testing.T) {
	file := clusterJournal(t)
	page := filepath.Join(t.TempDir(), "report.html")
	var stderr bytes.Buffer
	if got := runReportAt(t.Context(), after(), []string{"--journal", file, "--utc", "--window", "1h", "--objective", "99.9%", "--file", page}, io.Discard, &stderr); got != exitOK {
		t.Fatalf("exit status %d: %s", got, stderr.String())
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	read, err := (&reading{journals: []string{file}, now: after()}).load(t.Context(), journal.Range{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range read.records {
		if !bytes.Contains(text, []byte(`id="`+x.ID+`"`)) {
			t.Errorf("%s is not on the page", x.ID)
		}
		for _, c := range x.Clocks {
			if !bytes.Contains(text, []byte(c.Read.Boot)) || c.Read.Boot == "" {
				t.Errorf("the clock of %s in %s is not on the page: %+v", c.Node, x.ID, c)
			}
		}
	}
	for _, bad := range []string{"http://", "https://", "<script", "ZgotmplZ", "<no value>", "NaN"} {
		if bytes.Contains(text, []byte(bad)) {
			t.Errorf("the page has %q", bad)
		}
	}
	if keep := os.Getenv("HOLDFAST_KEEP_REPORT"); keep != "" {
		if err := os.WriteFile(keep, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClockText(t *testing.T) {
	r := &reading{utc: true}
	for _, c := range []struct {
		clock incident.ClockState
		want  string
	}{
		{incident.ClockState{Clock: incident.Clock{Synchronised: true, MaxError: 1500 * time.Microsecond}}, "synchronised, to within 1.5ms"},
		{incident.ClockState{Clock: incident.Clock{Stepped: -time.Hour}}, "not synchronised; do not compare its times with those of other nodes; set by -1h0m0s meanwhile, or shortly before"},
		{incident.ClockState{Clock: incident.Clock{Unread: "operation not permitted"}}, "not known whether it is synchronised: operation not permitted"},
		{
			incident.ClockState{Clock: incident.Clock{Synchronised: true}, Read: incident.Moment{Wall: noon, Mono: 90 * time.Second, Boot: "5df5"}},
			"synchronised, to within 0s; 12:00:00.000 was [90.000000] of its boot 5df5",
		},
	} {
		if got := r.clockText(c.clock); got != c.want {
			t.Errorf("%+v: %q, want %q", c.clock, got, c.want)
		}
	}
}

func TestCommandLines(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
		says string
	}{
		{"history extra", exitUsage, `history does not know what to do with "extra"`},
		{"history --planned --unplanned", exitUsage, "exclude each other"},
		{"history --output xml", exitUsage, "say text or json"},
		{"history --since yesterday", exitUsage, "how long ago, like 7d"},
		{"history --journal /does/not/exist", exitFailed, "no such file"},
		{"show", exitUsage, "show wants an ID"},
		{"sla --objective 0.1%", exitUnknown, "is below half"},
		{"report --window 1s", exitUsage, "out of range"},
		{"verify --journal /does/not/exist", exitUnable, "no such file"},
		{"help", exitOK, ""},
	} {
		var out, stderr bytes.Buffer
		if got := dispatch(t.Context(), strings.Fields(c.args), &out, &stderr); got != c.want || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%s: exit status %d, want %d, with %q:\n%s", c.args, got, c.want, c.says, stderr.String())
		}
	}
}
