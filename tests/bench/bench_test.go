package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func samples() []sample {
	var all []sample
	for i := range 30 {
		f := float64(i)
		all = append(all,
			sample{Action: "IPaddr2 monitor", Provider: ours, Scope: scopeAction, CPU: 2 + f/100, Wall: 3},
			sample{Action: "IPaddr2 monitor", Provider: original, Scope: scopeAction, CPU: 44 + f/100, Wall: 46},
			sample{Action: "galera stop", Provider: original, Scope: scopeNode, CPU: 140, Wall: 120},
			sample{Action: "galera stop", Provider: ours, Scope: scopeNode, CPU: 180, Wall: 170},
		)
	}
	return append(all,
		sample{Action: "IPaddr2 monitor", Provider: ours, Traced: true, Peak: 4200},
		sample{Action: "IPaddr2 monitor", Provider: original, Traced: true, Execs: 21, Forks: 40, Peak: 3800},
		sample{Action: "galera stop", Provider: ours, Traced: true, Execs: 2, Forks: 2, Peak: 12800},
		sample{Action: "galera stop", Provider: original, Traced: true, Execs: 29, Forks: 60, Peak: 12000},
	)
}

func TestTable(t *testing.T) {
	var table bytes.Buffer
	if err := printTable(&table, compare(samples())); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "table.golden")
	if *update {
		if err := os.WriteFile(golden, table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(table.Bytes(), want) {
		t.Errorf("got\n%s\nwant\n%s", table.Bytes(), want)
	}
}

// TestJSON holds the names that readers of the file rely on.
func TestJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench", "agents.json")
	if err := writeJSON(file, compare(samples())); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]any
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"action": "IPaddr2 monitor", "n": 30.0, "holdfast_cpu_ms": 2.145, "heartbeat_cpu_ms": 44.145, "cpu_ratio": 0.0486,
		"wall_ratio": 0.0652, "holdfast_execs": 0.0, "heartbeat_execs": 21.0, "missed": "",
	}
	for name, value := range want {
		if rows[0][name] != value {
			t.Errorf("%s is %v, not %v", name, rows[0][name], value)
		}
	}
}

func TestMissed(t *testing.T) {
	tests := []struct {
		row  row
		want string
	}{
		{row{Action: "IPaddr2 monitor", CPURatio: 0.06}, ""},
		{row{Action: "IPaddr2 monitor", CPURatio: 0.07, OursExecs: 1, WallRatio: 1.1}, "CPU above 1/15, execs, slower"},
		{row{Action: "IPaddr2 IPv6 start", CPURatio: 0.11}, "CPU above 1/10"},
		{row{Action: "IPaddr2 stop", CPURatio: 0.1}, ""},
		{row{Action: "IPaddr2 monitor, first", CPURatio: 0.9}, ""},
		{row{Action: "galera start", CPURatio: 1.1}, ""},
	}
	for _, test := range tests {
		if got := missed(test.row); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.row, got, test.want)
		}
	}
}

func TestMiddle(t *testing.T) {
	of := func(s sample) float64 { return s.CPU }
	if median, p95 := middle([]sample{{CPU: 9}, {CPU: 1}, {CPU: 2}, {CPU: 4}}, of); median != 3 || p95 != 9 {
		t.Errorf("median %v, p95 %v", median, p95)
	}
	if median, p95 := middle(nil, of); median != 0 || p95 != 0 {
		t.Errorf("of nothing: median %v, p95 %v", median, p95)
	}
}

// TestOrderAlternates is what makes the comparison fair.
func TestOrderAlternates(t *testing.T) {
	life := cycle{{Label: "a"}, {Label: "b", both: true}}
	var got []string
	for n := range 2 {
		for _, leader := range order(n) {
			for _, c := range life.calls(leader, n) {
				got = append(got, c.Label+" "+c.provider)
			}
		}
	}
	want := []string{
		"a holdfast", "b holdfast", "b heartbeat", "a heartbeat", "b holdfast", "b heartbeat",
		"a heartbeat", "b heartbeat", "b holdfast", "a holdfast", "b heartbeat", "b holdfast",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestTrace counts a shell's children, on this machine.
func TestTrace(t *testing.T) {
	agent := filepath.Join(t.TempDir(), "agent")
	script := "#!/bin/sh\n/bin/true; (/bin/true; :) & wait; exit 7\n"
	if err := os.WriteFile(agent, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	// The path of an agent is made from provider and name; a relative one leads out of it.
	up, err := filepath.Rel("/usr/lib/ocf/resource.d", filepath.Dir(agent))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := trace(ctx, call{step{agent: "agent", action: "monitor", want: 7}, up})
	if err != nil {
		t.Fatal(err)
	}
	if s.Execs != 2 || s.Forks != 3 || s.Peak < 100 {
		t.Errorf("%+v; want 2 execs, 3 forks and some memory", s)
	}
}

func TestParseCPU(t *testing.T) {
	if got, err := parseCPU("usage_usec 1500\nuser_usec 1000\n"); err != nil || got != 1500*time.Microsecond {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzParseCPU(f *testing.F) {
	f.Add("usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := parseCPU(text); err != nil && d != 0 {
			t.Errorf("%v with %v", d, err)
		}
	})
}

func FuzzProcessStatus(f *testing.F) {
	f.Add("Name:\tsh\nTgid:\t12\nVmHWM:\t    1700 kB\n", "VmHWM")
	f.Fuzz(func(_ *testing.T, text, field string) { processStatus(text).number(field) })
}
