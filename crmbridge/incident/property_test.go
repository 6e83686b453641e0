package incident

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// story is a named sequence of events.
type story struct {
	name   string
	events []Event
}

// stories are all scenarios and all recordings.
func stories(t *testing.T) []story {
	t.Helper()
	var all []story
	for _, file := range files(t, "testdata/scenarios/*.txt") {
		scenarios(t, file, func(_ []string, s scenario) { all = append(all, story{s.title, s.events}) })
	}
	for _, file := range files(t, "testdata/*.events.jsonl") {
		all = append(all, story{filepath.Base(file), readEvents(t, file)})
	}
	return all
}

// outcomeOf is what is left in the end, without what depends on when it was written.
func outcomeOf(events []Event) string {
	records := newest(track(events))
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.ID, b.ID) })
	for i := range records {
		records[i].Revision = 0
		if records[i].Open { // its end is when the tracker was asked
			records[i].Phases, records[i].Gaps = nil, nil
		}
	}
	text, err := json.MarshalIndent(records, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// TestAnyOrder: each source keeps its own order, and that is all that is promised.
func TestAnyOrder(t *testing.T) {
	for _, s := range stories(t) {
		t.Run(s.name, func(t *testing.T) {
			want := outcomeOf(s.events)
			for seed := range uint64(6) {
				random := rand.New(rand.NewPCG(seed, 5))
				if diff := cmp.Diff(want, outcomeOf(delayed(s.events, random))); diff != "" {
					t.Fatalf("seed %d (-in order +in another):\n%s", seed, diff)
				}
			}
		})
	}
}

// delayed lets each source be late by up to 0.7 s, each event by another time, but none
// overtake one of its own source.
func delayed(events []Event, random *rand.Rand) []Event {
	late := map[Source]time.Time{}
	var moved []Event
	for _, e := range events {
		at := e.At
		if e.Initial { // it may tell of a time before the machine was started
			at = e.Seen
		}
		steady := at.Wall
		if at.Mono != 0 {
			steady = midnight().Add(at.Mono - time.Hour)
		}
		step := at.Wall.Sub(steady)
		if !e.Initial {
			steady = later(late[e.Source], steady.Add(time.Duration(random.Int64N(int64(700*time.Millisecond)))))
		}
		late[e.Source], e.Seen.Mono, e.Seen.Wall = steady, steady.Sub(midnight())+time.Hour, steady.Add(step)
		moved = append(moved, e)
	}
	slices.SortStableFunc(moved, func(a, b Event) int { return cmpDuration(a.Seen.Mono, b.Seen.Mono) })
	return moved
}

func cmpDuration(a, b time.Duration) int { return int(max(-1, min(1, a-b))) }

// TestTwice: what is said again changes nothing.
func TestTwice(t *testing.T) {
	for _, s := range stories(t) {
		t.Run(s.name, func(t *testing.T) {
			want := outcomeOf(s.events)
			for seed := range uint64(3) {
				random := rand.New(rand.NewPCG(seed, 7))
				var doubled []Event
				for _, e := range s.events {
					doubled = append(doubled, e)
					for random.IntN(3) == 0 {
						doubled = append(doubled, doubled[max(0, len(doubled)-1-random.IntN(5))])
						doubled[len(doubled)-1].Seen = e.Seen
					}
				}
				if diff := cmp.Diff(want, outcomeOf(doubled)); diff != "" {
					t.Fatalf("seed %d (-once +twice):\n%s", seed, diff)
				}
			}
		})
	}
}

// TestGapIsSaid: when a source was blind, the record is as it would have been, or says
// what is missing.
func TestGapIsSaid(t *testing.T) {
	for _, s := range stories(t) {
		t.Run(s.name, func(t *testing.T) {
			for seed := range uint64(6) {
				random := rand.New(rand.NewPCG(seed, 9))
				events, gap := blinded(s.events, random)
				for _, r := range newest(track(events)) {
					if touches(r, gap) && len(r.Gaps) == 0 {
						t.Fatalf("seed %d: %s does not say that %s was blind from %v to %v", seed, r.ID, gap.Source, gap.At.Wall, gap.Until)
					}
				}
			}
		})
	}
}

func touches(r Record, gap Event) bool {
	return !gap.At.Wall.After(r.End.At) && !gap.Until.Before(r.Begin.At)
}

// blinded takes some events of one source away, and says so as the daemon would.
func blinded(events []Event, random *rand.Rand) ([]Event, Event) {
	var happened []int
	for i, e := range events {
		if !e.Initial && e.Kind != Gap {
			happened = append(happened, i)
		}
	}
	gap := Event{Kind: Gap, Observer: events[0].Observer, Basis: Measured}
	if len(happened) == 0 {
		return events, gap
	}
	from := random.IntN(len(happened))
	to := min(len(happened)-1, from+random.IntN(8))
	first, last := events[happened[from]], events[happened[to]]
	gap.Source, gap.At, gap.Seen, gap.Until = first.Source, first.At, last.Seen, last.At.Wall
	var kept []Event
	for i, e := range events {
		if i < happened[from] || i > happened[to] || e.Source != gap.Source {
			kept = append(kept, e)
		}
		if i == happened[to] {
			kept = append(kept, gap)
		}
	}
	return kept, gap
}
