//go:build lab

package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// The table goes to differences, from where make bridge-differences takes it, and what
// the nodes wrote to bridgeJournals.
const (
	differences    = "../../build/bridge-differences.txt"
	bridgeJournals = "../../build/bridge-journals"
)

// legend is what a reader of the table has to know.
const legend = `* more than 50 ms apart.

Times are UTC; the nodes and the monitor are on one machine and share its clock. The difference is crmbridge's time minus the
monitor's, and crmbridge's are those of the merged record of all nodes.
  occurrence     The monitor knows it in three ways, none of which is exact for every fault. "injected" is when it began to run the
                 command, in a shell in the node or as pcs: what that does comes 50 to 200 ms later. "last answer" and "first error" are
                 those of a writer that tries every 10 ms and gives up after 250 ms, by which the first error of a lost packet is late.
                 Where nothing refuses a write (planned-move, standby) the writer only waits.
  detection      Nobody can see from outside when the cluster noticed.
  address moved  The first write that another node answered; service back is the first good one after the longest interruption.
  interruption   From the last answer to the first good one. A second interruption by the database, when a node leaves it or joins it,
                 is the monitor's and not crmbridge's, unless a probe tells it (crmbridge(8), PROBES).
`

// agreement is within what the daemon's times and the monitor's shall be.
const agreement = 50 * time.Millisecond

// seenFault is a fault of the monitor's catalogue that the daemon can see, and what it has
// to call it. A fault without causes may leave no record.
type seenFault struct {
	name    string
	causes  []string
	planned bool
}

func seenFaults() []seenFault {
	return []seenFault{
		{name: "planned-move", causes: []string{"moved"}, planned: true},
		{name: "database-kill", causes: []string{"database-died"}},
		{name: "database-stop", causes: []string{"database-died"}},
		{name: "database-hang", causes: []string{"database-hung", "database-failed"}},
		{name: "address-deleted", causes: []string{"address-lost"}},
		{name: "standby", causes: []string{"standby"}, planned: true},
		{name: "power-cut", causes: []string{"node-lost"}},
		{name: "machine-freeze", causes: []string{"node-lost"}},
		{name: "cable-out", causes: []string{"node-lost", "quorum-lost"}},
		{name: "cut-off-from-peers", causes: []string{"node-lost", "quorum-lost"}},
		{name: "corosync-kill", causes: []string{"node-lost"}},
		{name: "pacemakerd-kill"},
	}
}

// measured is the part of a result of the monitor that is compared; offsets are in
// milliseconds from Injected.
type measured struct {
	Injected time.Time `json:"injected"`
	Marks    []struct {
		Name string  `json:"name"`
		At   float64 `json:"at"`
	} `json:"marks"`
	Clients []struct {
		Kind  string  `json:"kind"`
		Since float64 `json:"since"`
	} `json:"clients"`
}

func (m measured) at(ms float64) time.Time {
	return m.Injected.Add(time.Duration(ms * float64(time.Millisecond)))
}

func (m measured) mark(name string) time.Time {
	for _, k := range m.Marks {
		if k.Name == name {
			return m.at(k.At)
		}
	}
	return time.Time{}
}

// told is the part of a merged record that is compared.
type told struct {
	ID        string   `json:"id"`
	Observers []string `json:"observers"`
	Planned   bool     `json:"planned"`
	Outcome   string   `json:"outcome"`
	Cause     struct {
		Kind string `json:"kind"`
		Node string `json:"node"`
	} `json:"cause"`
	Begin        moment        `json:"begin"`
	Occurrence   source        `json:"occurrence"`
	Detection    source        `json:"detection"`
	ServiceBack  source        `json:"service_back"`
	Interruption time.Duration `json:"interruption"`
}

type source struct {
	At    time.Time `json:"at"`
	Basis string    `json:"basis"`
	How   string    `json:"how"`
}

// TestBridgeBesideTheMonitor lets the monitor do its faults, and holds what the merged
// records of the nodes say against what it measured from outside.
func TestBridgeBesideTheMonitor(t *testing.T) {
	f := startFixture(t)
	firstBoot(t, f)
	f.installBridge(t)
	m := newMonitor(t, f)
	m.write(t, "labctl", fmt.Sprintf("#!/bin/sh\nexec %s --state %s \"$@\"\n", f.labctl, f.State()))
	crmbridge := filepath.Join(m.dir, "crmbridge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", crmbridge, "../../crmbridge").CombinedOutput(); err != nil {
		t.Fatalf("build crmbridge: %v\n%s", err, out)
	}
	if err := os.MkdirAll(bridgeJournals, 0o755); err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tFIELD\tCHAOS\tCRMBRIDGE\tDIFFERENCE\tHOW CRMBRIDGE KNOWS")
	for _, fault := range seenFaults() {
		t.Run(fault.name, func(t *testing.T) {
			begin := time.Now()
			from := m.measure(t, f, fault.name)
			record, found := f.mergedRecord(t, crmbridge, fault, begin)
			compare(w, fault, from, record, found)
		})
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	versions := f.run(t, "db1", "dpkg-query", "--show", "--showformat=${Package} ${Version}\n", "pacemaker", "corosync", "mariadb-server", "galera-4", "holdfast-crmbridge", "holdfast-agents")
	text := fmt.Sprintf("%s\n%s\n%s", versions, table.String(), legend)
	t.Logf("\n%s", text)
	if err := os.WriteFile(differences, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// measure does a fault and returns what the monitor measured.
func (m monitor) measure(t *testing.T, f *fixture, fault string) measured {
	t.Helper()
	run := fmt.Sprintf("chaos run %[1]s --out %[1]s --address 192.168.205.70 --password-file password --node db1=192.168.205.71 --node db2=192.168.205.72"+
		" --node db3=192.168.205.73 --target lab --labctl ./labctl --undo-file undo.json", fault)
	out, err := m.command(t.Context(), f, run).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Logf("the monitor ended with %v", err) // what it found is not this test's business
	}
	file, err := os.Open(filepath.Join(m.dir, fault, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var line struct {
			Done *measured `json:"result"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Done != nil {
			return *line.Done
		}
	}
	t.Fatalf("the monitor measured nothing: %v", lines.Err())
	return measured{}
}

// mergedRecord is what crmbridge history makes of the journals of all nodes.
func (f *fixture) mergedRecord(t *testing.T, crmbridge string, fault seenFault, begin time.Time) (told, bool) {
	t.Helper()
	args := []string{"history", "--output", "json", "--since", begin.UTC().Format(time.RFC3339Nano)}
	for _, node := range names() {
		entries := f.run(t, node, "journalctl", "--identifier=crmbridge", "--output=json", "--all", "--quiet", "--no-pager")
		file := filepath.Join(bridgeJournals, node+".json")
		if err := os.WriteFile(file, []byte(entries), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--journal", file)
	}
	out, err := exec.CommandContext(t.Context(), crmbridge, args...).Output()
	if err != nil {
		t.Fatalf("crmbridge history: %v", err)
	}
	var records []told
	if err := json.Unmarshal(out, &records); err != nil {
		t.Fatalf("read the history: %v\n%s", err, out)
	}
	var kinds []string
	for _, r := range records {
		kinds = append(kinds, fmt.Sprintf("%s on %s (planned %v, %s, of %v)", r.Cause.Kind, r.Cause.Node, r.Planned, r.Outcome, r.Observers))
	}
	t.Logf("records: %s", strings.Join(kinds, "; "))
	for _, r := range records {
		if slices.Contains(fault.causes, r.Cause.Kind) && !r.Begin.At.Before(begin) {
			if r.Planned != fault.planned {
				t.Errorf("%s: planned %v", r.Cause.Kind, r.Planned)
			}
			return r, true
		}
	}
	if len(fault.causes) > 0 {
		t.Errorf("no record of %v, but of %v", fault.causes, kinds)
	}
	return told{}, false
}

// compare writes the rows of a fault. When it happened is known from outside in three ways:
// when the monitor began to inject it, when the last write was answered, and when the first
// one failed; each is late or early for some faults.
func compare(w *tabwriter.Writer, fault seenFault, m measured, r told, found bool) {
	if !found {
		fmt.Fprintf(w, "%s\t-\t-\t-\t-\tno record\n", fault.name)
		return
	}
	row := func(field string, chaos time.Time, ours source) {
		difference := "-"
		if !chaos.IsZero() && !ours.At.IsZero() {
			d := ours.At.Sub(chaos)
			difference = fmt.Sprintf("%+d ms", d.Milliseconds())
			if d.Abs() > agreement {
				difference += " *"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s: %s\n", fault.name, field, clockTime(chaos), clockTime(ours.At), difference, ours.Basis, ours.How)
	}
	row("occurrence, injected", m.Injected, r.Occurrence)
	row("occurrence, last answer", m.lastAnswer(), r.Occurrence)
	row("occurrence, first error", m.mark("first-error"), r.Occurrence)
	if !fault.planned {
		row("detection", time.Time{}, r.Detection)
	}
	row("address moved", m.mark("address-moved"), r.ServiceBack)
	row("service back", m.mark("first-ok"), r.ServiceBack)
	felt, difference := "-", "-"
	if last, ok := m.lastAnswer(), m.mark("first-ok"); !last.IsZero() && !ok.IsZero() {
		d := ok.Sub(last)
		felt, difference = fmt.Sprintf("%d ms", d.Milliseconds()), fmt.Sprintf("%+d ms", (r.Interruption-d).Milliseconds())
	}
	fmt.Fprintf(w, "%s\tinterruption\t%s\t%d ms\t%s\tcause %s on %s, records of %s\n", fault.name, felt, r.Interruption.Milliseconds(), difference,
		r.Cause.Kind, r.Cause.Node, strings.Join(r.Observers, " "))
}

// lastAnswer is when the writer was served for the last time before the interruption.
func (m measured) lastAnswer() time.Time {
	for _, c := range m.Clients {
		if c.Kind == "new-connection" && c.Since != 0 {
			return m.at(c.Since)
		}
	}
	return time.Time{}
}

func clockTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("15:04:05.000")
}
