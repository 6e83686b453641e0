package metrics

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/crmbridge/incident"
)

var update = flag.Bool("update", false, "write the expected page anew")

func TestPage(t *testing.T) {
	s := New(`1.2"3`)
	end := incident.Point{At: time.Date(2026, 11, 23, 12, 0, 0, 5e8, time.UTC)}
	r := incident.Record{
		ID: "a", End: end, Outcome: incident.Restored, Interruption: 1640 * time.Millisecond, Cause: incident.Cause{Kind: incident.DatabaseDied},
		Phases: []incident.Phase{
			{Name: incident.PhaseDetection, Duration: 1200 * time.Millisecond, Basis: incident.Measured},
			{Name: incident.PhaseRecovery, Duration: 410 * time.Millisecond, Basis: incident.Measured},
			{Name: incident.PhaseUnfinished, Duration: time.Hour},
		},
	}
	open := r
	open.Open = true
	s.Event(incident.Event{Kind: incident.Gap, Source: incident.FromFencer})
	s.Event(incident.Event{Kind: incident.Gap, Source: incident.FromCIB})
	s.Event(incident.Event{Kind: incident.Gap, Source: incident.FromCIB, Until: end.At})
	s.Record(open)
	s.Record(r)
	r.Revision = 2 // the same again
	s.Record(r)
	planned := incident.Record{ID: "b", End: end, Outcome: incident.Unaffected, Planned: true, Cause: incident.Cause{Kind: incident.Maintenance}}
	s.Record(planned)
	open.ID = "c"
	s.Record(open)
	var out bytes.Buffer
	if _, err := s.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/page.txt"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("(-want +got, or run with -update):\n%s", diff)
	}
}
