package fault_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/fault"
)

func place() fault.Place {
	return fault.Place{Holder: "db2", Address: "192.0.2.70", Resource: "vip", Nodes: []fault.Node{
		{Name: "db1", Address: "192.0.2.71"}, {Name: "db2", Address: "192.0.2.72"}, {Name: "db3", Address: "192.0.2.73"},
	}}
}

// TestCatalogue holds every entry against what the monitor relies on.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range fault.Catalogue() {
		if seen[f.Name] || f.Name == "" || f.Name == "all" {
			t.Errorf("the name %q is not unique", f.Name)
		}
		seen[f.Name] = true
		if f.Description == "" || f.Expected == "" || len(f.Inject) == 0 {
			t.Errorf("%s has no description, expected effect or injection", f.Name)
		}
		b, err := fault.Bind(f, place(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range slices.Concat(b.Inject, b.Undo) {
			if a.Verb == fault.Script == (a.Script == "") {
				t.Errorf("%s: %s has the script %q", f.Name, a.Verb, a.Script)
			}
			for _, brace := range []string{"{address}", "{node}", "{peers}", "{other}", "{witness}", "{resource}"} {
				if strings.Contains(a.Script, brace) {
					t.Errorf("%s leaves %s in %q", f.Name, brace, a.Script)
				}
			}
		}
	}
}

// TestWhatLastsIsUndone: every verb that lasts has its opposite among the undoing,
// on the same nodes.
func TestWhatLastsIsUndone(t *testing.T) {
	opposite := map[fault.Verb]fault.Verb{
		fault.PowerOff: fault.PowerOn, fault.CableOut: fault.CableIn, fault.Freeze: fault.Thaw,
		fault.DiskFull: fault.DiskFree, fault.DiskHold: fault.DiskFree,
	}
	lasting := map[string]string{"kill -STOP": "signal=CONT", "nft add": "nft delete", "--update on": "--delete", "--move": "--clear"}
	for _, f := range fault.Catalogue() {
		b, err := fault.Bind(f, place(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range b.Inject {
			undone := func(ok func(u fault.Action) bool) bool {
				return slices.ContainsFunc(b.Undo, func(u fault.Action) bool { return u.Node == a.Node && ok(u) })
			}
			if verb, lasts := opposite[a.Verb]; lasts && !undone(func(u fault.Action) bool { return u.Verb == verb }) {
				t.Errorf("%s: %s on %s is not undone", f.Name, a.Verb, a.Node)
			}
			for does, undoes := range lasting {
				if strings.Contains(a.Script, does) && !undone(func(u fault.Action) bool { return strings.Contains(u.Script, undoes) }) {
					t.Errorf("%s: %q on %s is not undone", f.Name, a.Script, a.Node)
				}
			}
		}
	}
}

func TestBindTakesEachOtherNodeInTurn(t *testing.T) {
	f := fault.Fault{Inject: []fault.Step{{Verb: fault.Freeze, On: fault.Other}}}
	var nodes []string
	for turn := range 3 {
		b, err := fault.Bind(f, place(), turn)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, b.Targets...)
	}
	if want := []string{"db1", "db3", "db1"}; !reflect.DeepEqual(nodes, want) {
		t.Errorf("got %v, want %v", nodes, want)
	}
}

func TestBindFillsScripts(t *testing.T) {
	f := fault.Fault{Inject: []fault.Step{{Verb: fault.Script, On: fault.Holder, Script: "{node} {peers} {address} {resource} {other} {witness}"}}}
	b, err := fault.Bind(f, place(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.Inject[0].Script, "db2 192.0.2.71, 192.0.2.73 192.0.2.70 vip db3 db1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBindRefuses(t *testing.T) {
	stranger := place()
	stranger.Holder = "web1"
	small := place()
	small.Nodes = small.Nodes[:2]
	for name, p := range map[string]fault.Place{"web1": stranger, "three nodes": small} {
		if _, err := fault.Bind(fault.Catalogue()[0], p, 0); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestStruckAt(t *testing.T) {
	begun := time.Date(2026, 11, 25, 7, 0, 0, 0, time.UTC)
	ended := begun.Add(200 * time.Millisecond)
	for printed, want := range map[string]time.Duration{
		"at 2026-11-25T07:00:00.123456789Z\n":                          123456789,
		"pid 7\nat 2026-11-25T07:00:00.1Z\nat 2026-11-25T07:00:00.15Z": 100 * time.Millisecond,
		"at 2026-11-25T07:00:01.1Z":                                    0, // another clock
		"at 2026-11-25T06:59:59.9Z":                                    0,
		"at once":                                                      0,
		"":                                                             0,
	} {
		at, known := fault.StruckAt(printed, begun, ended)
		if known != (want > 0) || known && at.Sub(begun) != want {
			t.Errorf("%q: got %v, %v, want %v", printed, at, known, want)
		}
	}
}

// TestCatalogueTellsWhen: every script of the catalogue that breaks something says when.
func TestCatalogueTellsWhen(t *testing.T) {
	for _, f := range fault.Catalogue() {
		for _, s := range f.Inject {
			if s.Verb == fault.Script && !strings.Contains(s.Script, "date -u +'at %FT%T.%NZ'") {
				t.Errorf("%s does not say when: %q", f.Name, s.Script)
			}
		}
	}
}

// TestWaitsEndInASentence: a wait for the cluster that runs out says what it waited for, and nothing is
// done after it.
func TestWaitsEndInASentence(t *testing.T) {
	bin := t.TempDir()
	tools := map[string]string{"crm_attribute": `echo "$*" >>"$(dirname "$0")/asked"`, "crm_resource": `[ "$*" = "--wait --timeout=300s" ] && exit 124`}
	for name, text := range tools {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	found, err := fault.Find(fault.Catalogue(), []string{"rolling-restart"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := fault.Bind(found[0], place(), 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-e")
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(b.Inject[0].Script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 124 || !strings.Contains(stderr.String(), "had not settled when an operator had waited for 300 s") {
		t.Errorf("ended with %v: %s", err, stderr.String())
	}
	asked, err := os.ReadFile(filepath.Join(bin, "asked"))
	if err != nil || string(asked) != "--node db1 --name standby --update on\n" {
		t.Errorf("asked %q, %v", asked, err)
	}
}

// TestEveryWaitHasTheLimit: and none waits for ever.
func TestEveryWaitHasTheLimit(t *testing.T) {
	for _, f := range fault.Catalogue() {
		for _, s := range slices.Concat(f.Inject, f.Undo) {
			if waits := strings.Count(s.Script, "crm_resource --wait --timeout="); waits != strings.Count(s.Script, "--timeout=300s ||") {
				t.Errorf("%s waits otherwise: %q", f.Name, s.Script)
			}
			if strings.Count(s.Script, "--wait ") != strings.Count(s.Script, "--wait --timeout=300s") {
				t.Errorf("%s waits without a limit: %q", f.Name, s.Script)
			}
		}
	}
}

func TestFind(t *testing.T) {
	all := fault.Catalogue()
	found, err := fault.Find(all, []string{"standby", "power-cut"})
	if err != nil || !slices.Equal(fault.Names(found), []string{"standby", "power-cut"}) {
		t.Errorf("got %v, %v", fault.Names(found), err)
	}
	if found, err := fault.Find(all, []string{"all"}); err != nil || len(found) != len(all) {
		t.Errorf("all gave %d of %d, %v", len(found), len(all), err)
	}
	_, err = fault.Find(all, []string{"power"})
	if err == nil || !strings.Contains(err.Error(), `"power"`) || !strings.Contains(err.Error(), "power-cut-other") {
		t.Errorf("an unknown name gave %v", err)
	}
}
