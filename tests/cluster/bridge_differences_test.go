//go:build lab

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/tests/crosscheck/agree"
)

// The table goes to differences, and what the nodes wrote to bridgeJournals.
const (
	differences    = "../../build/bridge-differences.txt"
	bridgeJournals = "../../build/bridge-journals"
)

// TestBridgeBesideTheMonitor lets the monitor do its faults, and holds what the merged
// records of the nodes say against what it measured from outside: a campaign of one round,
// laid side by side as crosscheck does it. How far times may be apart is not its business.
func TestBridgeBesideTheMonitor(t *testing.T) {
	f := startFixture(t)
	firstBoot(t, f)
	f.installBridge(t)
	m := newMonitor(t, f)
	m.write(t, "labctl", fmt.Sprintf("#!/bin/sh\nexec %s --state %s \"$@\"\n", f.labctl, f.State()))
	campaign := m.measure(t, f, "all")
	f.keepRecords(t, campaign)
	laid, err := agree.Read(campaign)
	if err != nil {
		t.Fatal(err)
	}
	report, err := agree.Compare(laid, agree.Limits{Difference: 50 * time.Millisecond, Lag: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString(f.run(t, "db1", "dpkg-query", "--show", "--showformat=${Package} ${Version}\n",
		"pacemaker", "corosync", "mariadb-server", "galera-4", "holdfast-crmbridge", "holdfast-agents") + "\n")
	if err := report.Write(&text, len(report.Disagreements)); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", text.String())
	if err := os.WriteFile(differences, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Disagreements {
		if d.Grave() {
			t.Errorf("%s: %s: %s, record %s: %s", d.Fault, d.What, d.Monitor, d.Record, d.Crmbridge)
		}
	}
}

// measure does faults, once each, and returns the directory with what the monitor measured.
func (m monitor) measure(t *testing.T, f *fixture, faults ...string) string {
	t.Helper()
	run := fmt.Sprintf("chaos run %s --out campaign --address 192.168.205.70 --password-file password --node db1=192.168.205.71 --node db2=192.168.205.72"+
		" --node db3=192.168.205.73 --target lab --labctl ./labctl --undo-file undo.json", strings.Join(faults, " "))
	out, err := m.command(t.Context(), f, run).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Logf("the monitor ended with %v", err) // what it found is not this test's business
	}
	return filepath.Join(m.dir, "campaign")
}

// keepRecords adds to a campaign what the daemon wrote on each node, and what crmbridge
// history makes of it, as tests/demo/campaign does.
func (f *fixture) keepRecords(t *testing.T, campaign string) {
	t.Helper()
	journals, err := filepath.Abs(bridgeJournals)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(journals); err != nil { // of another run
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(campaign, "bridge"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(journals, filepath.Join(campaign, "bridge", "1")); err != nil {
		t.Fatal(err)
	}
	f.history(t, journals)
}

// history keeps what the daemons wrote in a directory, and what crmbridge makes of it together, which it returns.
func (f *fixture) history(t *testing.T, dir string) []byte {
	t.Helper()
	crmbridge := filepath.Join(t.TempDir(), "crmbridge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", crmbridge, "../../crmbridge").CombinedOutput(); err != nil {
		t.Fatalf("build crmbridge: %v\n%s", err, out)
	}
	args := append([]string{"history", "--output", "json"}, f.keepJournals(t, dir)...)
	records, err := exec.CommandContext(t.Context(), crmbridge, args...).Output()
	if err != nil {
		t.Fatalf("crmbridge history: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "failovers.json"), records, 0o644); err != nil {
		t.Fatal(err)
	}
	return records
}

// keepJournals writes what the daemon said on each node into files of dir, and returns the options that have crmbridge
// read them.
func (f *fixture) keepJournals(t *testing.T, dir string) []string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var options []string
	for _, node := range names() {
		entries := f.run(t, node, wholeJournal()...)
		file := filepath.Join(dir, node+".json")
		if err := os.WriteFile(file, []byte(entries), 0o644); err != nil {
			t.Fatal(err)
		}
		options = append(options, "--journal", file)
	}
	return options
}
