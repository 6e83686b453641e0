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

// differences is where the table goes; make bridge-differences takes it from there.
const differences = "../../build/bridge-differences.txt"

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
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tFIELD\tCHAOS\tCRMBRIDGE\tDIFFERENCE\tHOW CRMBRIDGE KNOWS")
	for _, fault := range seenFaults() {
		t.Run(fault.name, func(t *testing.T) {
			begin := time.Now()
			from := m.measure(t, f, fault.name)
			record, found := f.mergedRecord(t, m, crmbridge, fault, begin)
			compare(w, fault, from, record, found)
		})
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	versions := f.run(t, "db1", "dpkg-query", "--show", "--showformat=${Package} ${Version}\n", "pacemaker", "corosync", "mariadb-server", "galera-4", "holdfast-crmbridge", "holdfast-agents")
	text := fmt.Sprintf("%s\n%s", versions, table.String())
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
func (f *fixture) mergedRecord(t *testing.T, m monitor, crmbridge string, fault seenFault, begin time.Time) (told, bool) {
	t.Helper()
	args := []string{"history", "--output", "json", "--since", begin.UTC().Format(time.RFC3339Nano)}
	for _, node := range names() {
		entries := f.run(t, node, "journalctl", "--identifier=crmbridge", "--output=json", "--all", "--quiet", "--no-pager")
		m.write(t, node+".json", entries)
		args = append(args, "--journal", filepath.Join(m.dir, node+".json"))
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
		if slices.Contains(fault.causes, r.Cause.Kind) {
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

// compare writes the rows of a fault.
func compare(w *tabwriter.Writer, fault seenFault, m measured, r told, found bool) {
	const clock = "15:04:05.000"
	row := func(field string, chaos time.Time, ours source) {
		theirs, mine, difference := "-", "-", "-"
		if !chaos.IsZero() {
			theirs = chaos.UTC().Format(clock)
		}
		if !ours.At.IsZero() {
			mine = ours.At.UTC().Format(clock)
		}
		if !chaos.IsZero() && !ours.At.IsZero() {
			d := ours.At.Sub(chaos)
			difference = fmt.Sprintf("%+d ms", d.Milliseconds())
			if d.Abs() > agreement {
				difference += " *"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s: %s\n", fault.name, field, theirs, mine, difference, ours.Basis, ours.How)
	}
	if !found {
		fmt.Fprintf(w, "%s\t-\t-\t-\t-\tno record\n", fault.name)
		return
	}
	row("occurrence", m.Injected, r.Occurrence)
	row("detection", time.Time{}, r.Detection)
	row("address moved", m.mark("address-moved"), r.ServiceBack)
	row("service back", m.mark("first-ok"), r.ServiceBack)
	interruption := 0.0
	for _, c := range m.Clients {
		if c.Kind == "new-connection" && c.Since != 0 {
			interruption = m.mark("first-ok").Sub(m.at(c.Since)).Seconds()
		}
	}
	fmt.Fprintf(w, "%s\tinterruption\t%.3f s\t%.3f s\t%+d ms\tcause %s on %s, records of %s\n", fault.name, interruption, r.Interruption.Seconds(),
		int((r.Interruption.Seconds()-interruption)*1000), r.Cause.Kind, r.Cause.Node, strings.Join(r.Observers, " "))
}
