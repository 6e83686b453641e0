package agree

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/result"
)

// sample is a part of a real campaign: four repetitions with the clients through the
// address, and what the three nodes wrote about them.
const sample = "../testdata/campaign"

func limits() Limits { return Limits{Difference: 50 * time.Millisecond, Lag: 2 * time.Second} }

func TestEveryFaultIsKnown(t *testing.T) {
	for _, f := range fault.Catalogue() {
		e, known := expected(f.Name)
		if !known {
			t.Errorf("nothing is expected of %s", f.Name)
		}
		if len(e.causes) == 0 && !e.silent {
			t.Errorf("of %s a record is expected, and no cause is right", f.Name)
		}
		for _, k := range e.causes {
			if k.Planned() != e.planned {
				t.Errorf("%s: %s does not go with planned %t", f.Name, k, e.planned)
			}
		}
	}
}

// compared is the sample, laid side by side.
func compared(t *testing.T) Report {
	t.Helper()
	c, err := Read(sample)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Compare(c, limits())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCampaign(t *testing.T) {
	r := compared(t)
	kill, other, power, move := find(t, r, "database-kill"), find(t, r, "database-kill-other"), find(t, r, "power-cut"), find(t, r, "planned-move")
	for _, x := range []struct {
		what      string
		got, want any
	}{
		{"records of database-kill", kill.Records, 1},
		{"address moved in database-kill", kill.AddressMoved.N, 1},
		{"stroke of database-kill known by", kill.Stroke[byClient], 1},
		{"database-kill-other without a record: the one before was not over", other.NoRecord, 1},
		{"records of power-cut: the loss, the return, and one of nothing", power.Records, 3},
		{"strays of power-cut", power.Strays, 1},
		{"nodes that wrote the lags of power-cut", power.Lag.N, 4}, // db1 and db3, two records
		{"cause of power-cut", power.WrongCause, 0},
		{"IDs of power-cut, without the node that was cut", power.NotSame, 0},
		{"planned of planned-move", move.WrongPlanned, 0},
		{"occurrences of planned-move: not felt at once", move.Occurrence.N, 0},
		{"they agree", r.Agree, false},
	} {
		if x.got != x.want {
			t.Errorf("%s: %v, want %v", x.what, x.got, x.want)
		}
	}
	for _, row := range r.Faults {
		if row.AddressMoved.Max > 10 {
			t.Errorf("%s: the address moved %v ms apart", row.Fault, row.AddressMoved.Max)
		}
		if row.PhasesOff > 0 {
			t.Errorf("%s: phases do not add up", row.Fault)
		}
	}
	if first := r.Disagreements[0]; first.What != noRecord || first.Record != "and2euiwze" || !strings.Contains(first.Crmbridge, "was not over until") {
		t.Errorf("the worst disagreement is %+v", first)
	}
}

func find(t *testing.T, r Report, fault string) Row {
	t.Helper()
	i := slices.IndexFunc(r.Faults, func(row Row) bool { return row.Fault == fault })
	if i < 0 {
		t.Fatalf("no row of %s", fault)
	}
	return r.Faults[i]
}

func TestText(t *testing.T) {
	r := compared(t)
	var out bytes.Buffer
	if err := r.Write(&out, 1); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAULT ", "database-kill-other  1  0        1 ", "the worst 1:", "no record"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := (Report{Limit: 50, LagLimit: 2000, Agree: true}).Write(&out, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Everything is within 50 ms") {
		t.Errorf("agreement is told as\n%s", out.String())
	}
}

// The clock of the tables below: seconds after an arbitrary moment.
func sec(s float64) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s * float64(time.Second)))
}

func at(s float64) incident.Point { return incident.Point{At: sec(s)} }

// powerCut is a repetition: db2 is lost at 100 s, and the address and the service are back at
// 102 s.
func powerCut() result.Fault {
	f := result.Fault{Name: "power-cut", Repetition: 1, Targets: []string{"db2"}, Injected: sec(100), From: -1000, To: 30000,
		Marks: []result.Mark{{Name: result.Injected}, {Name: result.Struck, At: 0}, {Name: result.ARPChanged, At: 2000}}}
	writer := result.Client{Kind: "new-connection"}
	for ms := result.Milliseconds(-1000); ms < 30000; ms += 50 {
		if ms <= 0 || ms >= 2000 {
			writer.Dots = append(writer.Dots, result.Dot{At: ms, Verdict: "acknowledged"})
		}
	}
	f.Clients = []result.Client{writer}
	return f
}

// lost is a record that agrees with powerCut in everything.
func lost() incident.Record {
	phases := []incident.Phase{
		{Name: incident.PhaseDetection, Path: true, Begin: sec(100), End: sec(100.5), Duration: 500 * time.Millisecond},
		{Name: incident.PhaseRecovery, Path: true, Begin: sec(100.5), End: sec(102), Duration: 1500 * time.Millisecond},
	}
	return incident.Record{
		ID: "a", Observers: []string{"db1", "db3"}, Cause: incident.Cause{Kind: incident.NodeLost, Node: "db2"}, Begin: at(100), End: at(102), Outcome: incident.Restored,
		Occurrence: at(100), Detection: at(100.5), ServiceBack: at(102), From: "db2", To: "db3", Interruption: 2000 * time.Millisecond, Phases: phases,
	}
}

func writings(records ...incident.Record) []Writing {
	all := []Writing{{Node: "db2", At: sec(1), Record: incident.Record{ID: "before"}}}
	for _, r := range records {
		for _, node := range r.Observers {
			all = append(all, Writing{Node: node, At: sec(103.5), Record: r})
		}
	}
	return all
}

// laidBeside is a repetition beside the records of it, which the observers of each wrote.
func laidBeside(t *testing.T, f result.Fault, records ...incident.Record) Report {
	t.Helper()
	report, err := Compare(Campaign{Repetitions: []result.Fault{f}, Records: records, Writings: writings(records...)}, limits())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// kindsOf are the kinds of the disagreements, sorted.
func kindsOf(r Report) []string {
	var all []string
	for _, d := range r.Disagreements {
		all = append(all, d.What)
	}
	slices.Sort(all)
	return all
}

func TestDisagreements(t *testing.T) {
	other := lost()
	other.ID, other.Observers = "b", []string{"db3"}
	for _, x := range []struct {
		name   string
		change func(*incident.Record)
		more   []incident.Record
		want   []string
	}{
		{name: "none", change: func(*incident.Record) {}},
		{name: "no record", change: func(r *incident.Record) { r.Occurrence, r.Begin, r.End = at(90), at(90), at(95) }, want: []string{noRecord}},
		{name: "wrong cause", change: func(r *incident.Record) { r.Cause.Kind = incident.NodeFenced }, want: []string{wrongCause}},
		{name: "wrong node", change: func(r *incident.Record) { r.Cause.Node = "db3" }, want: []string{wrongCause}},
		{name: "planned", change: func(r *incident.Record) { r.Planned = true }, want: []string{wrongPlanned}},
		{name: "one node did not see it", change: func(r *incident.Record) { r.Observers = []string{"db1"} }, more: []incident.Record{other}, want: []string{notSame}},
		{name: "occurrence", change: func(r *incident.Record) { r.Occurrence = at(100.06) }, want: []string{string(Occurrence)}},
		{name: "later than the address", change: func(r *incident.Record) { r.ServiceBack = at(102.06) }, want: []string{string(AddressMoved), string(ServiceBack)}},
		{name: "phases", change: func(r *incident.Record) { r.Phases[1].Begin, r.Phases[1].Duration = sec(100.6), 1400*time.Millisecond }, want: []string{phasesOff}},
		{name: "not told", change: func(r *incident.Record) { r.Interruption, r.Outcome = 0, incident.Unaffected }, want: []string{untold}},
		{name: "never over", change: func(r *incident.Record) { r.Open = true }, want: []string{neverClosed, neverClosed}},
		{name: "late", change: func(r *incident.Record) { r.Phases[1].Name, r.Phases = "x", r.Phases[:1]; r.Interruption = 0 }, want: []string{string(Lag), string(Lag), untold}},
		{name: "a record of nothing", change: func(*incident.Record) {}, more: []incident.Record{{ID: "c", Observers: []string{"db2"},
			Cause: incident.Cause{Kind: incident.ClusterDecision, Node: "db2"}, Begin: at(110)}}, want: []string{stray}},
		{name: "a false interruption", change: func(*incident.Record) {}, more: []incident.Record{{ID: "c", Observers: []string{"db2"},
			Cause: incident.Cause{Kind: incident.NodeReturned, Node: "db2"}, Begin: at(110), ServiceBack: at(120), Interruption: 10 * time.Second}}, want: []string{phasesOff, untrue}},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := lost()
			x.change(&r)
			report := laidBeside(t, powerCut(), append(slices.Clone(x.more), r)...)
			got := kindsOf(report)
			slices.Sort(x.want)
			if !slices.Equal(got, x.want) {
				t.Errorf("got %q, want %q: %+v", got, x.want, report.Disagreements)
			}
		})
	}
}

func TestUnknownFault(t *testing.T) {
	f := powerCut()
	f.Name = "earthquake"
	if _, err := Compare(Campaign{Repetitions: []result.Fault{f}}, limits()); err == nil || !strings.Contains(err.Error(), "earthquake") {
		t.Errorf("an unknown fault gave %v", err)
	}
}

func TestSpread(t *testing.T) {
	const ms = time.Millisecond
	for _, x := range []struct {
		all  []time.Duration
		want Spread
	}{
		{nil, Spread{}},
		{[]time.Duration{-7 * ms}, Spread{1, 7, 7}},
		{[]time.Duration{10 * ms, -20 * ms}, Spread{2, 15, 20}},
		{[]time.Duration{ms, -30 * ms, 2 * ms}, Spread{3, 2, 30}},
	} {
		if got := spread(x.all); got != x.want {
			t.Errorf("spread(%v) = %v, want %v", x.all, got, x.want)
		}
	}
}

// filled is a directory with files, by their path in it.
func filled(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestBadInput holds that what cannot be read is told with the name of the file.
func TestBadInput(t *testing.T) {
	good := `{"fault":"power-cut","injected":"2026-01-01T00:00:00Z"}`
	for _, x := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"empty", nil, "repetitions"},
		{"no repetition", map[string]string{"repetitions/x.txt": ""}, "holds no JSON"},
		{"not JSON", map[string]string{"repetitions/a.json": "x"}, "a.json is not the JSON"},
		{"not compressed", map[string]string{"repetitions/a.json.gz": "x"}, "a.json.gz is not compressed"},
		{"another thing", map[string]string{"repetitions/a.json": `{}`}, "is not a repetition"},
		{"fewer than counted", map[string]string{"repetitions/a.json": good, "summary.json": `[{"fault":"power-cut","n":2}]`}, "counts 2 repetitions of power-cut, and 1"},
		{"no records", map[string]string{"repetitions/a.json": good}, "what crmbridge wrote"},
		{"not merged", map[string]string{"repetitions/a.json": good, "bridge/1/db1.json": "{}"}, "has no failovers.json"},
		{"no journal", map[string]string{"repetitions/a.json": good, "bridge/1/failovers.json": "[]", "bridge/1/db1.json": "nothing"}, "db1.json, entry 1 is not"},
		{"no record in it", map[string]string{"repetitions/a.json": good, "bridge/1/failovers.json": "[]", "bridge/1/db1.json": "{}"}, "holds no record of any node"},
		{"no time in it", map[string]string{"repetitions/a.json": good, "bridge/1/failovers.json": "[]",
			"bridge/1/db1.json": `{"CRMBRIDGE_TYPE":"record","CRMBRIDGE_RECORD":"{}"}`}, "entry 1 has no time"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := Read(filled(t, x.files))
			if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one sentence with %q", err, x.want)
			}
		})
	}
}

// TestCutOff holds that a file that ends within is an error.
func TestCutOff(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "repetitions"), 0o755); err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	zipped := gzip.NewWriter(&whole)
	if _, err := zipped.Write([]byte(`{"fault":"power-cut"}`)); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "repetitions", "a.json.gz"), whole.Bytes()[:whole.Len()-15], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil {
		t.Error("a file that was cut off was read")
	}
}

// TestLag: what a node wrote with the last phase in it is in time, also when it said only later that
// nothing was left to do.
func TestLag(t *testing.T) {
	at := func(ms int) time.Time { return time.Date(2026, 11, 25, 12, 0, 0, ms*1_000_000, time.UTC) }
	record := func(open bool, ends ...int) incident.Record {
		r := incident.Record{ID: "a", Open: open}
		for _, end := range ends {
			r.Phases = append(r.Phases, incident.Phase{Name: incident.PhaseRecovery, End: at(end)})
		}
		return r
	}
	for _, test := range []struct {
		name     string
		writings []Writing
		lag      time.Duration
		state    int
	}{
		{"nothing", nil, 0, absent},
		{"of another node only", []Writing{{"db2", at(900), record(false, 100)}}, 0, absent},
		{"once", []Writing{{"db1", at(900), record(false, 100)}}, 800 * time.Millisecond, closed},
		{"never over", []Writing{{"db1", at(900), record(true, 100)}}, 0, unclosed},
		{"over later", []Writing{{"db1", at(900), record(true, 100)}, {"db1", at(9000), record(false, 100)}}, 800 * time.Millisecond, closed},
		{"a phase that came after it was written", []Writing{{"db1", at(900), record(true, 100)}, {"db1", at(4000), record(false, 100, 3000)}}, time.Second, closed},
	} {
		if lag, _, state := lagOf("a", "db1", test.writings); lag != test.lag || state != test.state {
			t.Errorf("%s: %v, state %d, wanted %v, %d", test.name, lag, state, test.lag, test.state)
		}
	}
}
