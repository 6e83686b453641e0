// Package completion_test holds the completions for bash against the programs: what a program
// says of itself is what is completed, no more and no less.
package completion_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// completer asks bash to complete the last of its words, as it does at the Tab key. Readline takes "=" for a
// word of its own.
const completer = `set -u; . "./$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
set -- $(complete -p "$0"); "${@: -2:1}" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"`

// complete gives what is offered for the last word. The first word is the program that is asked.
func complete(t *testing.T, file string, words ...string) []string {
	t.Helper()
	out, status := output(t, "bash", append([]string{"-c", completer, file}, words...)...)
	if status != 0 {
		t.Fatalf("completing %q: status %d: %s", words, status, out)
	}
	return slices.Sorted(slices.Values(strings.Fields(out)))
}

// output runs a command and returns all it says.
func output(t *testing.T, name string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// build makes a program of the module.
func build(t *testing.T, path string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), filepath.Base(path))
	if out, status := output(t, "go", "build", "-ldflags=-s -w", "-o", program, path); status != 0 {
		t.Fatal(out)
	}
	return program
}

// matches are what a pattern finds in a program's help, each once.
func matches(text, pattern string) []string {
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%s: completed %q, the program has %q", what, got, want)
	}
}

func TestChaos(t *testing.T) {
	t.Parallel()
	chaos := build(t, "holdfast/tests/chaos")
	t.Run("words", func(t *testing.T) { chaosWords(t, chaos) })
	t.Run("values", func(t *testing.T) { chaosValues(t, chaos) })
}

func chaosWords(t *testing.T, chaos string) {
	t.Helper()
	help, _ := output(t, chaos, "--help")
	verbs := matches(help, `(?m)^  chaos ([a-z]+)`)
	same(t, "commands", complete(t, "chaos", chaos, ""), slices.Sorted(slices.Values(append(slices.Clone(verbs), "help"))))
	flags := matches(help, `(--[a-z-]+[a-z])`)
	for _, verb := range verbs {
		var taken []string
		for _, f := range flags {
			// Without a value, or without an address, nothing is done.
			if out, status := output(t, chaos, verb, f); !strings.Contains(out, "provided but not defined") {
				taken = append(taken, f)
				if status != 2 {
					t.Errorf("chaos %s %s: status %d: %s", verb, f, status, out)
				}
			}
		}
		same(t, "options of "+verb, complete(t, "chaos", chaos, verb, "--"), taken)
	}
	catalogue, _ := output(t, chaos, "faults")
	names := append(matches(catalogue, `(?m)^([a-z-]+)  `), "all")
	same(t, "faults", complete(t, "chaos", chaos, "run", "--yes", ""), slices.Sorted(slices.Values(names)))
}

func chaosValues(t *testing.T, chaos string) {
	t.Helper()
	for _, test := range []struct {
		words, want []string
	}{
		{[]string{"run", "--target", ""}, []string{"lab", "ssh"}},
		{[]string{"run", "--target", "=", "s"}, []string{"ssh"}},
		{[]string{"watch", "--output", "="}, []string{"json", "text"}},
		{[]string{"run", "--continue", "planned"}, []string{"planned-move"}},
		{[]string{"run", "--inventory", "completion_"}, []string{"completion_test.go"}},
		{[]string{"verify", "--ledger", "holdfast-c"}, []string{"holdfast-cluster"}},
		{[]string{"run", "--", "printen"}, []string{"printenv"}},
		{[]string{"run", "--", "cat", "holdfast-c"}, []string{"holdfast-cluster"}},
		{[]string{"run", "--repeat", ""}, []string{}},
		{[]string{"watch", ""}, []string{}},
	} {
		if got := complete(t, "chaos", append([]string{chaos}, test.words...)...); !slices.Equal(slices.Compact(got), test.want) && len(got)+len(test.want) > 0 {
			t.Errorf("%q: got %q, want %q", test.words, got, test.want)
		}
	}
}

func TestCrmbridge(t *testing.T) {
	t.Parallel()
	crmbridge := build(t, "holdfast/crmbridge")
	help, _ := output(t, crmbridge, "--help")
	verbs := matches(help, `(?m)^  ([a-z]+)  `)
	same(t, "commands", complete(t, "crmbridge", crmbridge, ""), slices.Sorted(slices.Values(append(slices.Clone(verbs), "help", "version"))))
	for _, verb := range verbs {
		help, _ := output(t, crmbridge, verb, "--help")
		var options []string
		for _, name := range matches(help, `(?m)^  -([a-z-]+)`) {
			options = append(options, "--"+name)
		}
		same(t, "options of "+verb, complete(t, "crmbridge", crmbridge, verb, "--"), options)
	}
	same(t, "values", complete(t, "crmbridge", crmbridge, "sla", "--utc", "--output", ""), []string{"json", "text"})
}

// TestIncidents: the ids are those of the journals on the command line.
func TestIncidents(t *testing.T) {
	t.Parallel()
	answer := "#!/bin/sh\necho \"$@\" >\"$0.asked\"\n" + `printf '[\n  {\n    "id": "3spx2dte6u",\n    "nested": {\n      "id": "no"\n    }\n  },\n  {\n    "id": "3abc"\n  }\n]\n'`
	program := filepath.Join(t.TempDir(), "crmbridge")
	if err := os.WriteFile(program, []byte(answer), 0o700); err != nil {
		t.Fatal(err)
	}
	same(t, "all", complete(t, "crmbridge", program, "show", ""), []string{"3abc", "3spx2dte6u"})
	same(t, "one", complete(t, "crmbridge", program, "show", "--journal", "a", "--journal", "=", "b", "--utc", "3s"), []string{"3spx2dte6u"})
	asked, err := os.ReadFile(program + ".asked")
	if err != nil || strings.TrimSpace(string(asked)) != "history --output json --journal a --journal b" {
		t.Errorf("asked %q, %v", asked, err)
	}
}

func TestHoldfastCluster(t *testing.T) {
	t.Parallel()
	program, err := filepath.Abs("../pcs/holdfast-cluster")
	if err != nil {
		t.Fatal(err)
	}
	help, _ := output(t, program, "--help")
	actions := matches(help, `(?m)^  ([a-z]+)  `)
	same(t, "actions", complete(t, "holdfast-cluster", program, ""), actions)
	same(t, "options", complete(t, "holdfast-cluster", program, "setup", "-"), slices.Sorted(slices.Values(append(matches(help, `(--[a-z-]+)`), "--help"))))
	same(t, "files", complete(t, "holdfast-cluster", program, "--settings", "=", "completion_"), []string{"completion_test.go"})
	if got := complete(t, "holdfast-cluster", program, "--dry-run", "setup", ""); len(got) > 0 {
		t.Errorf("a second action is offered: %q", got)
	}
}
