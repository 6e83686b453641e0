package incident

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// FuzzTracker: whatever an event says, the tracker makes records that can be kept, and
// keeps its promise about phases.
func FuzzTracker(f *testing.F) {
	text, err := os.ReadFile("testdata/mariadb-killed-db1.events.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"kind":"operation-ended","source":"cib","op":{"failed":true}}` + "\n" + `{"kind":"gap","until":"0001-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		tracker := NewTracker("db1")
		var records []Record
		for line := range bytes.Lines(text) {
			var e Event
			if json.Unmarshal(line, &e) == nil {
				records = append(records, tracker.Observe(e)...)
			}
		}
		records = append(records, tracker.Advance(tracker.Deadline())...)
		records = append(records, tracker.Unfinished()...)
		for _, r := range Merge(records) {
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("%s cannot be kept: %v", r.ID, err)
			}
			for _, p := range r.Phases {
				if p.Path && p.Duration < 0 {
					t.Errorf("%s: %s lasted %v", r.ID, p.Name, p.Duration)
				}
			}
		}
	})
}
