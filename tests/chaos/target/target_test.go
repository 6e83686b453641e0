package target

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/fault"
)

// here runs the scripts of every node on this machine, in a directory of the
// node's own.
func here(t *testing.T) (Target, func(name string) string) {
	t.Helper()
	dir := t.TempDir()
	target := Target{
		Name:  "here",
		shell: []string{"sh", "-ec", "mkdir -p " + dir + "/{node}; cd " + dir + "/{node}; exec sh -e"},
		verbs: map[fault.Verb][]string{
			fault.PowerOff: {"touch", dir + "/{node}-off"}, fault.Crash: {"touch", dir + "/{node}-crashed"},
		},
	}
	return target, func(name string) string { return filepath.Join(dir, name) }
}

func script(node, text string) fault.Action {
	return fault.Action{Verb: fault.Script, Node: node, Script: text}
}

func TestDo(t *testing.T) {
	target, path := here(t)
	if err := target.Do(t.Context(), script("db1", "echo hello > word")); err != nil {
		t.Fatal(err)
	}
	if err := target.Do(t.Context(), fault.Action{Verb: fault.PowerOff, Node: "db2"}); err != nil {
		t.Fatal(err)
	}
	// A machine can do this to itself, but here is a better way.
	if err := target.Do(t.Context(), fault.Action{Verb: fault.Crash, Node: "db3"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"db1/word", "db2-off", "db3-crashed"} {
		if _, err := os.Stat(path(name)); err != nil {
			t.Error(err)
		}
	}
	err := target.Do(t.Context(), script("db1", "echo first >&2; echo no such thing >&2; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "script on db1") || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("a script that failed gave %v", err)
	}
	if err := target.Do(t.Context(), fault.Action{Verb: fault.Freeze, Node: "db1"}); err == nil {
		t.Error("a verb without a command succeeded")
	}
}

func TestCannot(t *testing.T) {
	target, _ := here(t)
	for _, test := range []struct {
		verb fault.Verb
		want string // empty: it can
	}{
		{fault.PowerOff, ""}, {fault.Script, ""}, {fault.DiskHold, ""}, {fault.DiskFull, ""}, {fault.CableOut, "CABLE_OUT"},
	} {
		why := target.Cannot(fault.Fault{Inject: []fault.Step{{Verb: test.verb}}})
		if (test.want == "") != (why == "") || !strings.Contains(why, test.want) {
			t.Errorf("%s: got %q, want %q", test.verb, why, test.want)
		}
	}
}

func TestLabCanDoEveryFault(t *testing.T) {
	for _, f := range fault.Catalogue() {
		if why := Lab("labctl").Cannot(f); why != "" {
			t.Errorf("%s: %s", f.Name, why)
		}
	}
}

// TestAlong: actions that belong together are under way at the same time; each
// of these waits for the other.
func TestAlong(t *testing.T) {
	target, path := here(t)
	meet := "touch ../{me}; until [ -e ../{you} ]; do :; done"
	a := script("db1", strings.NewReplacer("{me}", "a", "{you}", "b").Replace(meet))
	b := script("db2", strings.NewReplacer("{me}", "b", "{you}", "a").Replace(meet))
	b.Along = true
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := target.All(ctx, []fault.Action{a, b, script("db3", "[ -e ../a ] && touch ../after")}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path("after")); err != nil {
		t.Error(err)
	}
}

// TestAFailureIsTheLast: what comes after it is meant for a node that went well.
func TestAFailureIsTheLast(t *testing.T) {
	target, path := here(t)
	together := script("db2", "touch ../together")
	together.Along = true
	_, err := target.All(t.Context(), []fault.Action{script("db1", "exit 3"), together, script("db3", "touch ../after")})
	if err == nil || !strings.Contains(err.Error(), "script on db1") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path("together")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path("after")); err == nil {
		t.Error("the next node was disturbed although the first failed")
	}
}

// TestStruck: what a command says of when it did it counts, the first time of each
// node, unless it is by another clock.
func TestStruck(t *testing.T) {
	target, _ := here(t)
	before := time.Now()
	struck, err := target.All(t.Context(), []fault.Action{
		script("db1", "echo begins; date -u +'at %FT%T.%NZ'"), script("db1", "date -u +'at %FT%T.%NZ'"),
		script("db2", "echo at 2001-01-01T00:00:00.5Z"), script("db3", "echo at last"),
	})
	if err != nil || len(struck) != 1 || struck[0].Node != "db1" || struck[0].At.Before(before.Round(0)) || struck[0].At.After(time.Now()) {
		t.Errorf("got %v, %v", struck, err)
	}
}

func TestUndoInsists(t *testing.T) {
	target, _ := here(t)
	// The machine can be told nothing until the third time.
	if err := target.Undo(t.Context(), []fault.Action{script("db1", "echo >> tries; [ $(wc -l < tries) -ge 3 ]")}); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := target.Undo(ctx, []fault.Action{script("db1", "exit 1")}); err == nil {
		t.Error("what was never undone is said to be")
	}
}

func TestUndoFile(t *testing.T) {
	file := UndoFile(filepath.Join(t.TempDir(), "undo.json"))
	if _, err := file.Read(); !errors.Is(err, ErrNothing) {
		t.Errorf("without a file: %v", err)
	}
	want := Injected{Fault: "power-cut on db1", Target: "lab", Labctl: []string{"labctl"}, Undo: []fault.Action{{Verb: fault.PowerOn, Node: "db1"}}}
	if err := file.Write(want); err != nil {
		t.Fatal(err)
	}
	if got, err := file.Read(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := file.Write(want); err == nil || !strings.Contains(err.Error(), "chaos undo") {
		t.Errorf("a second fault over the first gave %v", err)
	}
	if err := errors.Join(file.Remove(), file.Remove()); err != nil {
		t.Error(err)
	}
}

func TestParseInventory(t *testing.T) {
	inv, err := ParseInventory(strings.NewReader("# machines\nNODE=db1 root@db1.example\nNODE=db2 root@192.0.2.72\n\nPOWER_OFF=fence-it off {node}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Inventory{Logins: map[string]string{"db1": "root@db1.example", "db2": "root@192.0.2.72"},
		Verbs: map[fault.Verb][]string{fault.PowerOff: {"fence-it", "off", "{node}"}}}
	if !reflect.DeepEqual(inv, want) {
		t.Errorf("got %+v, want %+v", inv, want)
	}
	if missing := inv.Missing([]string{"db1", "db3"}); !reflect.DeepEqual(missing, []string{"db3"}) {
		t.Errorf("missing: %v", missing)
	}
	for text, says := range map[string]string{
		"":                                 "NODE",
		"NODE=db1":                         "line 1",
		"NODE=db1 a\nNODE=db1 b":           "line 2",
		"NODE=db1 -oProxyCommand=evil":     "line 1",
		"NODE=db1 a\nPOWER=x":              "POWER_OFF",
		"NODE=db1 a\n\n# more\nPOWER_OFF=": "line 4",
	} {
		if _, err := ParseInventory(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want something about %s", text, err, says)
		}
	}
}

// FuzzParseInventory: what is accepted names nodes, none of which ssh would take
// for an option.
func FuzzParseInventory(f *testing.F) {
	f.Add("NODE=db1 root@db1\nPOWER_OFF=a {node}\n")
	f.Add("# nothing\n")
	f.Fuzz(func(t *testing.T, text string) {
		inv, err := ParseInventory(strings.NewReader(text))
		if err != nil {
			return
		}
		for node, login := range inv.Logins {
			if node == "" || login == "" || strings.HasPrefix(login, "-") {
				t.Errorf("node %q with login %q", node, login)
			}
		}
		if len(inv.Logins) == 0 {
			t.Error("accepted without a node")
		}
	})
}
