// Package tests_test holds the architecture as tests: which package may import
// which, and what an agent may never link.
package tests_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "holdfast/"

// mayImport are the arrows: for each package, by its path in the module or a
// prefix of it, the packages of the module that it may import. The longest entry
// counts; a package without one fails the test.
var mayImport = map[string][]string{
	"ocf":                     {},
	"ocf/ocftest":             {},
	"agents/galera":           {"ocf", "agents/galera/", "agents/internal/crm"},
	"agents/galera/bootstrap": {},
	"agents/announce":         {},
	"agents/ipaddr2":          {"ocf", "agents/ipaddr2/"},
	"agents/ipaddr2/plan":     {},
	"agents/internal/crm":     {"crmbridge/pacemaker", "crmbridge/qb"},
	"cib":                     {},
	"crmbridge":               {"crmbridge/", "cib"},
	"crmbridge/qb":            {},
	"crmbridge/corosync":      {"crmbridge/qb"},
	"crmbridge/pacemaker":     {"crmbridge/qb", "cib"},
	"crmbridge/unit":          {},
	"crmbridge/kernel":        {},
	"crmbridge/journalctl":    {},
	"crmbridge/incident":      {"cib"},
	"crmbridge/journal":       {"crmbridge/incident"},
	"crmbridge/metrics":       {"crmbridge/incident"},
	"crmbridge/sla":           {"crmbridge/incident"},
	"tests":                   {"tests/"},
	"tests/chaos":             {"tests/chaos/"},
	"tests/crosscheck":        {"tests/crosscheck/", "tests/chaos/", "crmbridge/incident"}, // it reads what both wrote
	"packaging":               {},
}

// brains decide and do nothing else, so that every decision can be read and tried
// without a cluster.
var brains = []string{"agents/galera/bootstrap", "agents/ipaddr2/plan", "crmbridge/incident", "crmbridge/sla"}

// notInBrains are what would let a brain act or depend on when it runs.
var notInBrains = []string{"os", "os/exec", "net", "log", "log/slog", "syscall"}

// notInAgents cost every monitor milliseconds of package initialisation.
var notInAgents = []string{"net/http", "github.com/prometheus/", "encoding/gob", "testing", "flag"}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
	GoFiles    []string
	Dir        string
}

func TestArrows(t *testing.T) {
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, ok := arrowsOf(name)
		if !ok {
			t.Errorf("%s has no floor: add it to mayImport, with what it may import", name)
			continue
		}
		for _, imp := range p.Imports {
			target, ours := strings.CutPrefix(imp, module)
			if !ours || slices.ContainsFunc(allowed, func(a string) bool {
				return target == a || strings.HasSuffix(a, "/") && strings.HasPrefix(target, a)
			}) {
				continue
			}
			t.Errorf("%s imports %s; allowed: %v", name, target, allowed)
		}
	}
}

func TestContractIsStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t, "./ocf") {
		for _, dep := range p.Deps {
			if strings.Contains(strings.SplitN(dep, "/", 2)[0], ".") && !strings.HasPrefix(dep, "vendor/") {
				t.Errorf("ocf depends on %s; it is for the standard library only", dep)
			}
		}
	}
}

func TestBrainsDoNothing(t *testing.T) {
	for _, brain := range brains {
		for _, p := range list(t, "./"+brain) {
			for _, imp := range p.Imports {
				if slices.Contains(notInBrains, imp) || strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
					t.Errorf("%s imports %s: a brain decides, its hands act", brain, imp)
				}
			}
			for _, file := range p.GoFiles {
				source, err := os.ReadFile(filepath.Join(p.Dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(source, []byte("time.Now(")) {
					t.Errorf("%s/%s reads the clock: pass the time in", brain, file)
				}
			}
		}
	}
}

func TestAgentsStayLight(t *testing.T) {
	for _, agent := range []string{"./agents/galera", "./agents/ipaddr2"} {
		for _, p := range list(t, agent) {
			for _, dep := range p.Deps {
				for _, bad := range notInAgents {
					if dep == bad || strings.HasSuffix(bad, "/") && strings.HasPrefix(dep, bad) {
						t.Errorf("%s links %s", agent, dep)
					}
				}
			}
		}
	}
}

// TestFilesStayReadable keeps the house's limit of 400 lines a file.
func TestFilesStayReadable(t *testing.T) {
	const limit = 400
	for _, p := range list(t, "./...") {
		for _, file := range p.GoFiles {
			source, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(source, []byte("\n")); n > limit {
				t.Errorf("%s/%s has %d lines, more than %d: split it by meaning", p.ImportPath, file, n, limit)
			}
		}
	}
}

func arrowsOf(name string) (allowed []string, ok bool) {
	for path := name; path != "."; path = filepath.Dir(path) {
		if allowed, ok := mayImport[path]; ok {
			return allowed, true
		}
	}
	return nil, false
}

// list asks the go command for packages of the module, by a pattern from its top.
func list(t *testing.T, pattern string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags", "lab", "-json=ImportPath,Imports,Deps,Standard,GoFiles,Dir", pattern)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", pattern, err, stderr.String())
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("read go list %s: %v", pattern, err)
		}
		packages = append(packages, p)
	}
}
