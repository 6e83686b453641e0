package journal

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
)

// memory is a journal in memory, with what journald adds.
type memory struct{ entries []map[string]string }

func (m *memory) send(fields map[string]string) error {
	f := maps.Clone(fields)
	f["__REALTIME_TIMESTAMP"] = strconv.FormatInt(1795438206000000+int64(len(m.entries))*1000, 10)
	f["_SYSTEMD_UNIT"], f["_BOOT_ID"] = Unit, "b"
	m.entries = append(m.entries, f)
	return nil
}

func (m *memory) log(t *testing.T) *Log {
	t.Helper()
	l := &Log{}
	for _, f := range m.entries {
		if err := l.add(f); err != nil {
			t.Fatal(err)
		}
	}
	l.sort()
	return l
}

func writer(t *testing.T, m *memory, state string) *Writer {
	t.Helper()
	w, err := NewWriterTo("db1", "1.2", state, Head{}, m.send)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func someEvent(i int) incident.Event {
	return incident.Event{
		Kind: incident.UnitDied, Source: incident.FromSystemd, Observer: "db1", Node: "db1", Basis: incident.Measured,
		At: incident.Moment{Wall: time.Date(2026, 11, 23, 12, 0, i, 7, time.UTC), Mono: 5, Boot: "b"}, Unit: incident.Unit{Name: "mariadb.service", PID: i},
	}
}

func someRecord() incident.Record {
	return incident.Record{
		Schema: 1, ID: "abcdefghij", Revision: 1, Observers: []string{"db1"}, Outcome: incident.Restored, Interruption: 1640 * time.Millisecond, From: "db1", To: "db2",
		Cause: incident.Cause{Kind: incident.DatabaseDied, Node: "db1", Resource: "galera", Evidence: []incident.Evidence{{What: "line one\nline two"}}},
	}
}

// filled is a journal with a begin, three events, a record and an end.
func filled(t *testing.T) (*memory, string) {
	t.Helper()
	m, state := &memory{}, filepath.Join(t.TempDir(), "chain")
	w := writer(t, m, state)
	for i := range 3 {
		if err := w.WriteEvent(someEvent(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteRecord(someRecord()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return m, state
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	m, _ := filled(t)
	l := m.log(t)
	events, err := l.Events("db1")
	if err != nil || !slices.Equal(events, []incident.Event{someEvent(0), someEvent(1), someEvent(2)}) {
		t.Errorf("events %v, %v", events, err)
	}
	records, err := l.Records()
	if err != nil || len(records) != 1 || fmt.Sprint(records[0]) != fmt.Sprint(someRecord()) {
		t.Errorf("records %v, %v", records, err)
	}
	if chains, found := l.Verify(); len(found) != 0 || len(chains) != 1 || chains[0].First != 1 || chains[0].Last != 6 {
		t.Errorf("chains %+v, findings %+v", chains, found)
	}
	if got := m.entries[4]; got[fieldMessage] != "abcdefghij: database died (galera) on db1; the service was away for 1.640 s and moved from db1 to db2" || got[fieldPriority] != "2" {
		t.Errorf("the record's entry is %v", got)
	}
}

func TestTheChainGoesOnAfterARestart(t *testing.T) {
	m, state := filled(t)
	w := writer(t, m, state)
	if err := w.WriteEvent(someEvent(9)); err != nil {
		t.Fatal(err)
	}
	if chains, found := m.log(t).Verify(w.Head()); len(found) != 0 || len(chains) != 1 || chains[0].Last != 8 {
		t.Errorf("chains %+v, findings %+v", chains, found)
	}
}

func TestWhatIsWrittenAfterARestartIsNewer(t *testing.T) {
	m, state := &memory{}, filepath.Join(t.TempDir(), "chain")
	write := func(w *Writer, revision int, open bool) {
		t.Helper()
		r := someRecord()
		r.Revision, r.Open = revision, open
		if err := w.WriteRecord(r); err != nil {
			t.Fatal(err)
		}
	}
	w := writer(t, m, state)
	write(w, 1, true)
	write(w, 2, true)
	write(writer(t, m, state), 1, false)
	records, err := m.log(t).Records()
	if err != nil || len(records) != 3 || records[2].Revision != 3 {
		t.Fatalf("read: %+v, %v", records, err)
	}
	if merged := incident.Merge(records); len(merged) != 1 || merged[0].Open {
		t.Errorf("what was written last does not count: %+v", merged)
	}
}

func TestTheJournalKnowsBetterThanTheFile(t *testing.T) {
	m, state := filled(t)
	old := `{"chain":"` + m.entries[0][fieldChain] + `","sequence":2,"hash":"` + m.entries[1][fieldHash] + `"}`
	if err := os.WriteFile(state, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewWriterTo("db1", "1.2", state, m.log(t).Head("db1"), m.send); err != nil {
		t.Fatal(err)
	}
	if _, found := m.log(t).Verify(); len(found) != 0 {
		t.Errorf("findings %+v", found)
	}
}

// TestACrashLosesTheNewest: what a crash took away is told by the daemon itself, and no removal passes
// for it.
func TestACrashLosesTheNewest(t *testing.T) {
	crashed := func(t *testing.T) (*memory, string) {
		m, state := filled(t)
		w := writer(t, m, state)
		for i := range 2 { // entries 8 and 9
			if err := w.WriteEvent(someEvent(i)); err != nil {
				t.Fatal(err)
			}
		}
		return m, state
	}
	begin := func(t *testing.T, m *memory, state string) {
		if _, err := NewWriterTo("db1", "1.2", state, m.log(t).Head("db1"), m.send); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name     string
		loses    int
		tampers  func(m *memory)
		message  string
		lost     []Loss
		problems []Problem
	}{
		{name: "nothing", message: "crmbridge 1.2 follows the cluster from now on"},
		{name: "one", loses: 1, message: "crmbridge 1.2 follows the cluster from now on; entry 9 was lost in a crash before", lost: []Loss{{From: 9, To: 9}}},
		{name: "two", loses: 2, message: "crmbridge 1.2 follows the cluster from now on; entries 8 to 9 were lost in a crash before", lost: []Loss{{From: 8, To: 9}}},
		{
			name: "one, and the one before is taken out later", loses: 1, tampers: func(m *memory) { m.entries = slices.Delete(m.entries, 7, 8) },
			message: "crmbridge 1.2 follows the cluster from now on; entry 9 was lost in a crash before", problems: []Problem{Missing},
		},
		{
			name: "none, and the newest is taken out later", tampers: func(m *memory) { m.entries = slices.Delete(m.entries, 8, 9) },
			message: "crmbridge 1.2 follows the cluster from now on", problems: []Problem{Missing},
		},
		{
			name: "none, and a begin is made to say so", tampers: func(m *memory) {
				m.entries = slices.Delete(m.entries, 8, 9)
				m.entries[8][fieldLost] = "9"
			},
			message: "crmbridge 1.2 follows the cluster from now on", problems: []Problem{Altered},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, state := crashed(t)
			m.entries = m.entries[:len(m.entries)-c.loses]
			begin(t, m, state)
			begun := m.entries[len(m.entries)-1]
			if begun[fieldMessage] != c.message {
				t.Errorf("it says %q, want %q", begun[fieldMessage], c.message)
			}
			if c.tampers != nil {
				c.tampers(m)
			}
			chains, found := m.log(t).Verify()
			var problems []Problem
			for _, f := range found {
				problems = append(problems, f.Problem)
			}
			lost := slices.Clone(chains[0].Lost)
			for i := range lost {
				lost[i].Told = time.Time{}
			}
			if !slices.Equal(problems, c.problems) || c.problems == nil && !slices.Equal(lost, c.lost) {
				t.Errorf("found %+v and lost %+v", found, chains[0].Lost)
			}
		})
	}
}

// TestAnEmptyFile is what a file system may make of a file that was just replaced when the power went.
func TestAnEmptyFile(t *testing.T) {
	m, state := filled(t)
	if err := os.WriteFile(state, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewWriterTo("db1", "1.2", state, m.log(t).Head("db1"), m.send); err != nil {
		t.Fatal(err)
	}
	if chains, found := m.log(t).Verify(); len(chains) != 1 || len(found) != 0 {
		t.Errorf("chains %+v, findings %+v", chains, found)
	}
}

func TestVerifyFinds(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *memory)
		want   []Problem
	}{
		{"an altered message", func(m *memory) { m.entries[2][fieldMessage] += "!" }, []Problem{Altered}},
		{"an altered value", func(m *memory) {
			m.entries[4][fieldRecord] = strings.Replace(m.entries[4][fieldRecord], "1640", "0640", 1)
		}, []Problem{Altered}},
		{"an added field", func(m *memory) { m.entries[4]["CRMBRIDGE_NOTE"] = "fine" }, []Problem{Altered}},
		{"a field taken out", func(m *memory) { delete(m.entries[4], fieldCause) }, []Problem{Altered}},
		{"an entry taken out", func(m *memory) { m.entries = slices.Delete(m.entries, 2, 3) }, []Problem{Missing}},
		{"an entry written anew", func(m *memory) {
			m.entries[2][fieldMessage] = "nothing"
			m.entries[2][fieldHash] = hash(m.entries[2])
		}, []Problem{Replaced}},
		{"a second entry with a number", func(m *memory) {
			f := maps.Clone(m.entries[2])
			f[fieldMessage] = "something else"
			f[fieldHash] = hash(f)
			m.entries = append(m.entries, f)
		}, []Problem{Doubled, Replaced}},
		{"the newest taken out", func(m *memory) { m.entries = m.entries[:4] }, []Problem{CutOff}},
		{"the oldest gone, as journald does it", func(m *memory) { m.entries = m.entries[2:] }, nil},
		{"somebody else's entry", func(m *memory) {
			f := maps.Clone(m.entries[2])
			f["_SYSTEMD_UNIT"] = "user@1000.service"
			m.entries = append(m.entries, f)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, state := filled(t)
			text, err := os.ReadFile(state)
			if err != nil {
				t.Fatal(err)
			}
			var head Head
			if err := json.Unmarshal(text, &head); err != nil {
				t.Fatal(err)
			}
			c.change(m)
			var got []Problem
			_, found := m.log(t).Verify(head)
			for _, f := range found {
				got = append(got, f.Problem)
			}
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("found %+v, want %v", found, c.want)
			}
		})
	}
}

func TestWatched(t *testing.T) {
	m, state := filled(t)
	writer(t, m, state)
	now := time.UnixMicro(1795438206000000).UTC().Add(time.Hour)
	watched := m.log(t).Watched(now)
	if len(watched) != 2 || watched[0].To.Sub(watched[0].From) != 5*time.Millisecond || !watched[1].To.Equal(now) {
		t.Errorf("watched %v", watched)
	}
}

// TestCatalog compiles the catalog with journalctl, and finds every ID in it.
func TestCatalog(t *testing.T) {
	const file = "../../packaging/journal/holdfast-crmbridge.catalog"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ids := messageIDs()
	for kind, id := range ids {
		if n := strings.Count(string(text), "\n-- "+id+"\n"); n != 1 {
			t.Errorf("%s: %s is in the catalog %d times", kind, id, n)
		}
	}
	if n := strings.Count(string(text), "\n-- "); n != len(ids) {
		t.Errorf("the catalog has %d messages, there are %d kinds", n, len(ids))
	}
	root := t.TempDir()
	for _, dir := range []string{"usr/lib/systemd/catalog", "var/lib/systemd/catalog"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "usr/lib/systemd/catalog/holdfast-crmbridge.catalog"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--update-catalog"}, {"--list-catalog"}} {
		out, err := exec.CommandContext(t.Context(), "journalctl", append(args, "--root="+root)...).CombinedOutput()
		if err != nil {
			t.Fatalf("journalctl %v: %v\n%s", args, err, out)
		}
		if args[0] == "--list-catalog" && !strings.Contains(string(out), "An incident is over") {
			t.Errorf("journalctl lists\n%s", out)
		}
	}
}
