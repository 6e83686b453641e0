package junit_test

import (
	"cmp"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/junit"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

var update = flag.Bool("update", false, "write the golden file")

// syntheticRun is made up; nobody measured it.
func syntheticRun() result.Run {
	started := time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("CET", 3600))
	writer := func(length result.Milliseconds, open bool) []result.Client {
		return []result.Client{{Kind: sla.WriterKind, Interruption: length, Open: open}}
	}
	fault := func(name string, repetition int, clients []result.Client) result.Fault {
		return result.Fault{Name: name, Repetition: repetition, Targets: []string{"db1"}, Injected: started.Add(time.Minute),
			From: -3000, To: 12000, Acked: 1000, Indeterminate: 1, Clients: clients,
			Marks: []result.Mark{{Name: result.Injected, Node: "db1"}, {Name: result.FirstOK, At: 1870.4}}}
	}
	run := result.Run{
		ID: "SYNTHETIC", Started: started, Ended: started.Add(5 * time.Minute), Address: "192.0.2.70",
		Versions: map[string]string{"MariaDB": "synthetic"}, Settings: map[string]string{"token": "<synthetic>"},
		Faults: []result.Fault{
			fault("kept", 1, writer(1870.4, false)), fault("too-long", 1, writer(2300, false)), fault("kept", 2, writer(2000, false)),
			fault("not-back", 1, writer(12000, true)), fault("no-writer", 1, nil), fault("data", 1, writer(10, false)),
		},
		SLA: &result.SLA{Objective: "99.95%", Window: "30d", MaxInterruption: 2000, Verdict: "breached", Reason: "The longest interruption took 12s, more than 2s."},
	}
	unclean := fault("unclean", 1, writer(900, false))
	unclean.Error = "the cluster is not clean: waited 240 s for a clean cluster: db2 is on standby"
	both := fault("unclean", 2, writer(12000, true))
	both.Error = unclean.Error
	stopped := fault("stopped", 1, writer(1500, true))
	stopped.Error, stopped.Stopped = "it was stopped by a signal", true
	run.Faults = append(run.Faults, unclean, both, stopped)
	run.NotBegun = []result.NotBegun{
		{Name: "stopped", Repetition: 2, At: started.Add(4 * time.Minute), Why: "the run was stopped by a signal"},
		{Name: "never", Repetition: 1, At: started.Add(4 * time.Minute), Why: "the cluster is not clean: db2 is OFFLINE"},
	}
	data := &run.Faults[5]
	data.Lost, data.Unmeasured = 1, []string{"db3 could not be read: \x1b[31mno route\x1b[0m."}
	data.Violations = []result.Violation{{Kind: "two-primaries", Detail: "db1 & db2 were Primary apart."}, {Kind: "lost", Detail: "id 17 is on no node."}}
	return run
}

func write(t *testing.T, run result.Run) string {
	t.Helper()
	var out strings.Builder
	if err := junit.Write(&out, run); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal([]byte(out.String()), &struct{}{}); err != nil {
		t.Fatalf("not XML: %v", err)
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	got, file := write(t, syntheticRun()), filepath.Join("testdata", "synthetic.xml")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make it with go test ./tests/chaos/junit -update, and read it", err)
	}
	if got != string(want) {
		t.Errorf("differs from %s:\n%s", file, got)
	}
}

func TestWhatIsAFailure(t *testing.T) {
	type problem struct {
		Type string `xml:"type,attr"`
	}
	var read struct {
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Failure *problem `xml:"failure"`
				Error   *problem `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	text := write(t, syntheticRun())
	if err := xml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range read.Suites {
		for _, c := range s.Cases {
			said := ""
			if c.Failure != nil {
				said += " failure " + c.Failure.Type
			}
			if c.Error != nil {
				said += " error " + c.Error.Type
			}
			got[s.Name] = strings.TrimSpace(got[s.Name] + cmp.Or(said, " passed"))
		}
	}
	want := map[string]string{
		"kept": "passed passed", "too-long": "failure max-interruption", "not-back": "failure open",
		"no-writer": "error unmeasured", "data": "failure two-primaries", "service level": "failure breached",
		"unclean": "error unmeasured failure open error unmeasured", "stopped": "error unmeasured error not-begun", "never": "error not-begun",
	}
	for name, said := range want {
		if got[name] != said {
			t.Errorf("%s: got %q, want %q", name, got[name], said)
		}
	}
	if read.Failures != 5 || read.Errors != 6 {
		t.Errorf("counted %d failures and %d errors, want 5 and 6", read.Failures, read.Errors)
	}
	for _, words := range []string{"lost: id 17 is on no node.", "not measured: db3 could not be read"} {
		if !strings.Contains(text, words) {
			t.Errorf("does not say %q", words)
		}
	}
	if strings.Contains(text, "skipped") {
		t.Error("something is skipped")
	}
}

func TestAVerdictNobodyCanGiveIsAnError(t *testing.T) {
	run := syntheticRun()
	run.Faults, run.NotBegun, run.SLA.Verdict = nil, nil, "unknown"
	if text := write(t, run); !strings.Contains(text, `errors="1"`) || strings.Contains(text, "<failure") {
		t.Errorf("got:\n%s", text)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	if err := junit.Write(full{}, syntheticRun()); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
}
