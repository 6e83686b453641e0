package incident

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOneRecordOfAllNodes: the survivors of each recorded fault derive one ID, and their
// records become one.
func TestOneRecordOfAllNodes(t *testing.T) {
	faults := map[string]int{ // how many records there are of each, of all nodes together
		"planned-move": 1, "standby": 2, "mariadb-killed": 1, "database-hung": 1, "address-lost": 1, "power-cut": 2,
		"cable-out":   2, // the side of the node that was cut off is one of its own
		"quorum-lost": 1, "cluster-lost": 1,
	}
	for _, fault := range slices.Sorted(maps.Keys(faults)) {
		t.Run(fault, func(t *testing.T) {
			var records []Record
			for _, file := range files(t, "testdata/"+fault+"-*.events.jsonl") {
				records = append(records, track(readEvents(t, file))...)
			}
			merged := Merge(records)
			var out bytes.Buffer
			for _, r := range merged {
				show(&out, r)
			}
			if len(merged) != faults[fault] {
				t.Errorf("%d records, want %d:\n%s", len(merged), faults[fault], out.String())
			}
			golden(t, filepath.Join("testdata", fault+".merged"), out.Bytes())
			slices.Reverse(records)
			var again bytes.Buffer
			for _, r := range Merge(records) {
				show(&again, r)
			}
			if again.String() != out.String() {
				t.Errorf("in another order it is\n%s", again.String())
			}
		})
	}
}

// TestPhasesAddUp: the phases of the path follow each other and are the interruption,
// also when records were merged.
func TestPhasesAddUp(t *testing.T) {
	all := map[string][]Record{}
	for _, s := range stories(t) {
		fault, _, _ := strings.Cut(s.name, "-db")
		all[fault] = append(all[fault], newest(track(s.events))...)
	}
	for name, records := range all {
		for _, r := range slices.Concat(records, Merge(records)) {
			path := slices.DeleteFunc(slices.Clone(r.Phases), func(p Phase) bool { return !p.Path })
			if r.Interruption == 0 || len(path) == 0 {
				continue
			}
			for i, p := range path {
				if p.Duration != p.End.Sub(p.Begin) || i > 0 && !p.Begin.Equal(path[i-1].End) {
					t.Errorf("%s %s: %s does not follow the phase before it", name, r.ID, p.Name)
				}
			}
			if sum := path[len(path)-1].End.Sub(path[0].Begin); sum != r.Interruption {
				t.Errorf("%s %s: the phases are %v, the interruption %v", name, r.ID, sum, r.Interruption)
			}
		}
	}
}

// TestTheEndOfAProcessComesFromItsNode: what one node alone saw is in the merged record.
func TestTheEndOfAProcessComesFromItsNode(t *testing.T) {
	var own, other []Event
	for _, s := range stories(t) {
		if strings.Contains(s.name, "killed and comes back") {
			own = s.events
		}
	}
	for _, e := range own {
		if e.Kind == UnitDied || e.Source == FromKernel {
			continue
		}
		e.Observer = "db3"
		other = append(other, e)
	}
	merged := Merge(slices.Concat(track(other), track(own)))
	if len(merged) != 1 {
		t.Fatalf("%d records, want 1", len(merged))
	}
	r := merged[0]
	if r.Occurrence.Basis != Measured || !slices.Equal(r.Observers, []string{"db2", "db3"}) || r.Cause.Kind != DatabaseDied {
		t.Errorf("occurrence %v, observers %v, cause %v", r.Occurrence, r.Observers, r.Cause)
	}
}

// TestTheOthersKnowWhatWritesWaitedFor: the node whose database died sees no view without it, and
// the merged record has that of the node with the address.
func TestTheOthersKnowWhatWritesWaitedFor(t *testing.T) {
	for title, want := range map[string]time.Duration{"the address is back before": 900 * time.Millisecond, "is killed on a node without the address": 850 * time.Millisecond} {
		stories := stories(t)
		i := slices.IndexFunc(stories, func(s story) bool { return strings.Contains(s.name, title) })
		if i < 0 {
			t.Fatalf("no scenario is called %q", title)
		}
		var own []Event
		for _, e := range stories[i].events {
			if e.Observer = "db1"; e.Kind != ViewChanged {
				own = append(own, e)
			}
		}
		records := slices.Concat(track(own), track(stories[i].events))
		for range 2 {
			merged := Merge(records)
			if len(merged) != 1 || merged[0].Interruption != want {
				t.Errorf("%s: %d records, the first with an interruption of %v; want one of %v", title, len(merged), merged[0].Interruption, want)
			}
			slices.Reverse(records)
		}
	}
}

// TestTheFirstToMissTheTokenKnowsWhen: the one that missed it later is still passed the token of
// a ring that is broken elsewhere, also if its record is the one that is added to.
func TestTheFirstToMissTheTokenKnowsWhen(t *testing.T) {
	record := func(observer string, ms int) Record {
		at := func(ms int) time.Time { return midnight().Add(time.Duration(ms) * time.Millisecond) }
		return Record{
			ID: "x", Observers: []string{observer}, Interruption: time.Duration(900-ms) * time.Millisecond,
			Begin: Point{At: at(ms)}, Occurrence: Point{At: at(ms), Basis: Estimated, How: tokenStopped + ", 267 ms before Corosync missed it"},
			Phases: []Phase{
				{Name: PhaseView, Begin: at(ms), End: at(500), Duration: time.Duration(500-ms) * time.Millisecond},
				{Name: PhaseDetection, Begin: at(ms), End: at(300), Duration: time.Duration(300-ms) * time.Millisecond, Path: true},
				{Name: PhaseRecovery, Begin: at(300), End: at(900), Duration: 600 * time.Millisecond, Path: true},
			},
		}
	}
	first, later := record("db1", 0), record("db2", 66)
	first.Gaps = make([]Blind, 1)
	m := Merge([]Record{later, first})[0]
	if m.Interruption != 900*time.Millisecond || !m.Occurrence.At.Equal(midnight()) {
		t.Errorf("interruption %v, occurrence %v", m.Interruption, m.Occurrence)
	}
	for _, p := range m.Phases {
		if p.Duration != p.End.Sub(p.Begin) || p.Name != PhaseRecovery && !p.Begin.Equal(m.Occurrence.At) {
			t.Errorf("%+v", p)
		}
	}
}

// TestTheOthersWaitedForADatabaseThatHangs: its own node notices it only when the others have already
// given it up, and feels nothing of what they waited for.
func TestTheOthersWaitedForADatabaseThatHangs(t *testing.T) {
	at := func(ms int) Point {
		return Point{At: midnight().Add(time.Duration(ms) * time.Millisecond), Basis: Estimated}
	}
	hangs := Cause{Kind: DatabaseHung, Node: "db1"}
	own := Record{ID: "x", Observers: []string{"db1"}, Cause: hangs, From: "db2", To: "db2", Outcome: Unaffected,
		Begin: at(1000), Occurrence: at(1000), Detection: at(1000)}
	other := Record{ID: "x", Observers: []string{"db2"}, Cause: hangs, From: "db2", To: "db2", Outcome: Waited, Interruption: 800 * time.Millisecond,
		Begin: at(550), Occurrence: at(0), Detection: at(1000), ServiceBack: at(800), Phases: []Phase{
			{Name: PhaseWrites, Begin: at(0).At, End: at(800).At, Duration: 800 * time.Millisecond, Path: true},
			{Name: PhaseView, Node: "db2", Begin: at(0).At, End: at(800).At, Duration: 800 * time.Millisecond, Waited: true},
		}}
	for _, records := range [][]Record{{own, other}, {other, own}} {
		if m := Merge(records)[0]; m.Outcome != Waited || m.Interruption != 800*time.Millisecond {
			t.Errorf("%s for %v", m.Outcome, m.Interruption)
		}
	}
}

// TestAnotherClusterIsAnotherIncident: a cluster that was set up anew counts the versions
// of its CIB from the start, so the same may happen with the same version.
func TestAnotherClusterIsAnotherIncident(t *testing.T) {
	in := func(cluster, observer string) []Record {
		var events []Event
		for _, e := range readEvents(t, "testdata/planned-move-"+observer+".events.jsonl") {
			if e.CIB != "" {
				e.Cluster = cluster
			}
			events = append(events, e)
		}
		return track(events)
	}
	merged := Merge(slices.Concat(in("a", "db1"), in("a", "db2"), in("b", "db1"), in("b", "db3")))
	if len(merged) != 2 || merged[0].ID == merged[1].ID || len(merged[0].Observers) != 2 || len(merged[1].Observers) != 2 {
		t.Fatalf("%d records, want one of each cluster, of two nodes: %+v", len(merged), merged)
	}
}

// What a node says of its own return is no second incident, whether it or the others noticed it first.
func TestMergeOfANodesOwnReturn(t *testing.T) {
	at := func(s int) Point { return Point{At: midnight().Add(time.Duration(s) * time.Second), Basis: Measured} }
	cause := Cause{Kind: NodeReturned, Node: "db3"}
	others := Record{ID: "a", Observers: []string{"db1", "db2"}, Cause: cause, Begin: at(0), End: at(30)}
	later := Record{ID: "c", Observers: []string{"db3"}, Cause: cause, Begin: at(300), End: at(330)}
	for _, begin := range []int{4, -1} {
		own := Record{ID: "b", Observers: []string{"db3"}, Cause: cause, Begin: at(begin), End: at(30), Gaps: []Blind{{Observer: "db3"}}}
		merged := Merge([]Record{own, others, later})
		if len(merged) != 2 || merged[0].ID != "a" || merged[1].ID != "c" {
			t.Fatalf("own from %d s: got %+v", begin, merged)
		}
		if len(merged[0].Observers) != 3 || len(merged[0].Gaps) != 0 {
			t.Errorf("own from %d s: got observers %v, gaps %v", begin, merged[0].Observers, merged[0].Gaps)
		}
	}
}

// A node that was stopped in order before the others lost their power does not know that there was something to
// lose: they do.
func TestTheLossOfAClusterIsTakenFromWhoWasThere(t *testing.T) {
	var lost []Record
	for _, file := range files(t, "testdata/cluster-lost-*.events.jsonl") {
		events := readEvents(t, file)
		if strings.Contains(file, "-db1.") {
			events = slices.DeleteFunc(events, func(e Event) bool { return e.Kind == ServiceKnown })
		}
		lost = append(lost, track(events)...)
	}
	if !slices.ContainsFunc(lost, func(r Record) bool { return r.Cause.Kind == ClusterStarted && r.Observers[0] == "db1" }) {
		t.Fatal("db1 does not say that the cluster was started")
	}
	merged := Merge(lost)
	if len(merged) != 1 || merged[0].Cause.Kind != ClusterLost || merged[0].Planned || !slices.Equal(merged[0].Observers, []string{"db1", "db2", "db3"}) {
		t.Errorf("together they say %+v", merged)
	}
}

// Of nodes that leave one after another the last one sees what becomes of the service, though it leaves, too.
func TestTheEndIsTakenFromWhoWasThere(t *testing.T) {
	at := func(s int) Point { return Point{At: midnight().Add(time.Duration(s) * time.Second)} }
	stop := Record{ID: "a", Cause: Cause{Kind: NodeStopped, Node: "db2"}, Planned: true, Begin: at(0)}
	record := func(observer string, end int, open bool, outcome Outcome, also ...Cause) Record {
		r := stop
		r.Observers, r.End, r.Open, r.Outcome, r.Also = []string{observer}, at(end), open, outcome, also
		return r
	}
	for name, c := range map[string]struct {
		records []Record
		want    Outcome
		open    bool
	}{
		"the last one has no quorum":         {[]Record{record("db2", 5, false, Unaffected), record("db1", 8, true, Halted)}, Halted, true},
		"who left hears of its own end":      {[]Record{record("db2", 6, true, Unaffected), record("db1", 5, false, Restored)}, Restored, false},
		"who left saw the address stop only": {[]Record{record("db2", 4, true, Down), record("db1", 5, false, Restored)}, Restored, false},
		"who is cut off knows nothing":       {[]Record{record("db2", 9, true, Halted, Cause{Kind: QuorumGone, Node: "db2"}), record("db1", 5, false, Restored)}, Restored, false},
		"nobody saw the end":                 {[]Record{record("db2", 5, true, Unaffected), record("db1", 8, true, Halted), record("db3", 2, true, Unaffected)}, Halted, true},
	} {
		merged := Merge(c.records)
		if len(merged) != 1 || merged[0].Outcome != c.want || merged[0].Open != c.open {
			t.Errorf("%s: %+v", name, merged)
		}
	}
}

// TestTheAddressIsUpBeforeOthersHearOfTheDecision: where the CIB lags behind on the other nodes, they are told of the
// start after the kernel of the node that has the address.
func TestTheAddressIsUpBeforeOthersHearOfTheDecision(t *testing.T) {
	at := func(s float64, how string) Point {
		return Point{At: midnight().Add(time.Duration(s * float64(time.Second))), Basis: Measured, How: how}
	}
	told := func(observer string, decided, back Point, occurred Basis) Record {
		died, noticed := at(0, "died"), at(1, "noticed")
		died.Basis = occurred
		return Record{
			ID: "one", Observers: []string{observer}, Revision: 1, Cause: Cause{Kind: DatabaseDied, Node: "db1"}, From: "db1", To: "db2",
			Begin: died, End: back, Occurrence: died, Detection: noticed, ServiceBack: back, Interruption: back.At.Sub(died.At),
			Phases: []Phase{phase(PhaseDetection, died, noticed, true), phase(PhaseDecision, noticed, decided, true), phase(PhaseRecovery, decided, back, true)},
		}
	}
	merged := Merge([]Record{
		told("db3", at(71.9, "start of vip began"), at(72, "start of vip gave 0"), Measured),
		told("db2", at(71.4, "start of vip began"), at(71.4, "added"), Estimated),
	})
	if len(merged) != 1 || merged[0].Interruption != 71400*time.Millisecond || merged[0].ServiceBack.How != "added" {
		t.Fatalf("%+v, want one record of 71.4 s", merged)
	}
	for i, want := range []float64{1, 71.4, 71.4} {
		if p := merged[0].Phases[i]; !p.End.Equal(at(want, "").At) || p.Duration != p.End.Sub(p.Begin) {
			t.Errorf("%+v, want an end after %v s", p, want)
		}
	}
}
