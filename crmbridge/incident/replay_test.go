package incident

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the expected records anew")

// TestReplay makes the records of what real nodes saw around a fault.
func TestReplay(t *testing.T) {
	for _, file := range files(t, "testdata/*.events.jsonl") {
		name := strings.TrimSuffix(filepath.Base(file), ".events.jsonl")
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			for _, r := range track(readEvents(t, file)) {
				show(&out, r)
			}
			golden(t, filepath.Join("testdata", name+".records"), out.Bytes())
		})
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("nothing in %s: %v", pattern, err)
	}
	return names
}

func readEvents(t *testing.T, file string) []Event {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var events []Event
	for line := range bytes.Lines(text) {
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		events = append(events, e)
	}
	return events
}

// track gives events to a tracker as the daemon would, and waits two minutes at the end.
func track(events []Event) []Record {
	t := NewTracker("test")
	records := t.Replay(events)
	return append(records, t.advanceUntil(t.activity.Add(2*time.Minute))...)
}

// newest keeps the last revision of each record.
func newest(records []Record) []Record {
	var kept []Record
	for _, r := range records {
		found := false
		for i := range kept {
			if kept[i].ID == r.ID {
				kept[i], found = r, true
			}
		}
		if !found {
			kept = append(kept, r)
		}
	}
	return kept
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got, or run with -update):\n%s", file, diff)
	}
}

const clockLayout = "15:04:05.000"

// show writes a record as people read it.
func show(w io.Writer, r Record) {
	word := "unplanned"
	if r.Planned {
		word = "planned"
	}
	if r.Open {
		word += ", not over"
	}
	fmt.Fprintf(w, "%s.%d %s %s %s: %s, %s\n", r.ID, r.Revision, r.Cause.Kind, r.Cause.Node, r.Cause.Resource, word, r.Outcome)
	if r.Interruption > 0 {
		fmt.Fprintf(w, "  interruption  %v, address %s -> %s\n", r.Interruption.Round(time.Millisecond), r.From, r.To)
	}
	for _, p := range []struct {
		name string
		Point
	}{{"begin", r.Begin}, {"occurrence", r.Occurrence}, {"detection", r.Detection}, {"service back", r.ServiceBack}, {"end", r.End}} {
		if p.Known() {
			fmt.Fprintf(w, "  %-12s  %s %s: %s\n", p.name, p.At.Format(clockLayout), p.Basis, p.How)
		}
	}
	for _, e := range r.Cause.Evidence {
		fmt.Fprintf(w, "  evidence      %s %s: %s\n", e.At.Format(clockLayout), e.Source, e.What)
	}
	for _, c := range r.Also {
		fmt.Fprintf(w, "  also          %s %s %s: %s\n", c.Kind, c.Node, c.Resource, c.Evidence[0].What)
	}
	for _, p := range r.Phases {
		mark := " "
		if p.Path {
			mark = "*"
		}
		fmt.Fprintf(w, "  %s %-10s  %-6s %-4s %s %8v %s\n", mark, p.Name, p.Resource, p.Node, p.Begin.Format(clockLayout), p.Duration.Round(time.Millisecond), p.Basis)
	}
	for _, x := range r.Transitions {
		fmt.Fprintf(w, "  transition    %d %s %s\n", x.Number, x.PEInput, x.Outcome)
	}
	for _, a := range r.Operator {
		fmt.Fprintf(w, "  operator      %s %s: %s\n", a.At.Format(clockLayout), a.By, a.What)
	}
	for _, c := range r.Clocks {
		fmt.Fprintf(w, "  clock         %s synchronised %v, set by %v%s, %s = %v\n",
			c.Node, c.Synchronised, c.Stepped, c.Unread, c.Read.Wall.Format(clockLayout), c.Read.Mono)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(w, "  gap           %s: %s\n", g.Source, g.What)
	}
	fmt.Fprintf(w, "  nodes %v, resources %v, CIB %s to %s, DC %s\n\n", r.Nodes, r.Resources, r.CIB[0], r.CIB[1], r.DC)
}
