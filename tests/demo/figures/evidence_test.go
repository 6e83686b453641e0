package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/figures"
	"holdfast/tests/chaos/result"
)

// ran is the directory of a campaign in which every fault but disk-full was done so many times.
func ran(t *testing.T, times int) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var all []result.Summary
	for _, name := range fault.Names(fault.Catalogue()) {
		if name != "disk-full" {
			all = append(all, result.Summary{Fault: name, N: times, Acked: 1000, Interruption: []result.Milliseconds{1250}})
		}
	}
	asJSON := func(v any) string {
		content, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	write("summary.json", asJSON(all))
	write("run.json", asJSON(result.Run{Settings: map[string]string{"not run: disk-full": "no disk of its own"}}))
	write("log.txt", "short\n"+strings.Repeat("long ", 200)+"\n")
	for _, name := range []string{"index.html", "pcs-config.txt", "pcs-status.txt", "bridge/1/failovers.txt", "bridge/2/failovers.txt", "ledger.jsonl"} {
		write(name, "of "+name+"\n")
	}
	return dir
}

// evidence runs the script on a directory; files are what is in the tree afterwards.
func evidence(t *testing.T, dir string, env ...string) (said string, files []string, page string, err error) {
	t.Helper()
	tree := t.TempDir()
	to, readme := filepath.Join(tree, "campaign"), filepath.Join(tree, "README.md")
	old := "above\n" + figures.Begin + "\nold\n" + figures.End + "\nbelow\n"
	if err := os.WriteFile(readme, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "stale.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "../evidence", dir)
	cmd.Env = append(os.Environ(), append([]string{"EVIDENCE=" + to, "README=" + readme}, env...)...)
	out, err := cmd.CombinedOutput()
	entries, _ := os.ReadDir(to)
	for _, e := range entries {
		files = append(files, e.Name())
	}
	content, _ := os.ReadFile(readme)
	return string(out), files, string(content), err
}

// taken are the files of a campaign; its log has a long line.
func taken() []string {
	return []string{"failovers.txt", "figures.txt", "index.html.gz", "log.txt.gz", "pcs-config.txt", "pcs-status.txt", "run.json", "summary.json"}
}

func TestEvidence(t *testing.T) {
	said, files, page, err := evidence(t, ran(t, 5), "N=5", "PARTIAL=")
	if err != nil || !slices.Equal(files, taken()) {
		t.Fatalf("%v, took %q: %s", err, files, said)
	}
	if !strings.HasPrefix(page, "above\n") || !strings.HasSuffix(page, "below\n") || strings.Contains(page, "old") || !strings.Contains(page, "| `power-cut` | 5 | 1.25 s | 1.25 s | 0 |") {
		t.Errorf("the page is\n%s", page)
	}
}

func TestEvidenceOfHalfACampaign(t *testing.T) {
	dir := ran(t, 4)
	said, files, page, err := evidence(t, dir, "N=5", "PARTIAL=")
	if err == nil || !slices.Equal(files, []string{"stale.txt"}) || !strings.Contains(page, "old") || !strings.Contains(said, "power-cut (4)") || strings.Contains(said, "disk-full (") {
		t.Errorf("%v, took %q: %s", err, files, said)
	}
	if said, files, page, err := evidence(t, dir, "N=5", "PARTIAL=1"); err != nil || !slices.Equal(files, taken()) || strings.Contains(page, "old") {
		t.Errorf("with PARTIAL: %v, took %q: %s", err, files, said)
	}
	if err := os.Remove(filepath.Join(dir, "pcs-status.txt")); err != nil {
		t.Fatal(err)
	}
	if said, files, _, err := evidence(t, dir, "PARTIAL=1"); err == nil || !slices.Equal(files, []string{"stale.txt"}) || !strings.Contains(said, "pcs-status.txt does not exist") {
		t.Errorf("without a file: %v, took %q: %s", err, files, said)
	}
}
