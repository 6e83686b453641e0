package main

import (
	"slices"
	"strings"
	"testing"
)

const made = `Making 'IPaddr2':
    - case 0: check base env
    - case 1: no 'nic'
    - case 2: vanished
    - case 3: hangs
    - case 4: never
Making 'other':
`

const tested = "Initializing 'IPaddr2' ...\nDone.\n\n" +
	"Starting '\x1b[33mIPaddr2\x1b[0m' case 0 '\x1b[33mcheck base env\x1b[0m':\n" +
	"Running agent:                ./IPaddr2 start\n" +
	"Checking return value:        \x1b[32mOK\x1b[0m. The return value '\x1b[34mOCF_SUCCESS\x1b[0m' == '\x1b[34mOCF_SUCCESS\x1b[0m'\n" +
	"Starting 'IPaddr2' case 1 'no 'nic'':\n" +
	"Running agent:                ./IPaddr2 start\n" +
	"Checking return value:        \x1b[31mFAILED\x1b[0m. The return value 'OCF_ERR_INSTALLED' != 'OCF_ERR_CONFIGURED'. See details below:\n" +
	"cat: /tmp/.ocft_runlog: No such file or directory\n" +
	"Starting 'IPaddr2' case 2 'vanished':\n" +
	"ERROR: 'ip addr del' failed, the return code is 2.\n" +
	"Starting 'IPaddr2' case 3 'hangs':\n" +
	"ERROR: The agent was hanging, killed it, maybe you damaged the agent or system's environment, see details below:\n" +
	"Cleaning 'IPaddr2' ...\n" +
	"ERROR: of the cleaning\n"

func TestJudge(t *testing.T) {
	want := []string{
		"",
		"./IPaddr2 start: The return value 'OCF_ERR_INSTALLED' != 'OCF_ERR_CONFIGURED'.",
		"ERROR: 'ip addr del' failed, the return code is 2.",
		"ERROR: The agent was hanging, killed it, maybe you damaged the agent or system's environment, see details below:",
		notRun,
	}
	var got []string
	for _, c := range judge(parseMade("IPaddr2", made), tested) {
		got = append(got, c.Failure)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPointChangesTwoStatements(t *testing.T) {
	const config = "# Agent of old\nCONFIG\n\tAgent IPaddr2\n\tAgentRoot /usr/lib/ocf/resource.d/heartbeat\n\tHangTimeout 20\nCASE \"Agent x\"\n\tAgentRun start\n"
	const want = "# Agent of old\nCONFIG\n\tAgent galera\n\tAgentRoot /usr/lib/ocf/resource.d/holdfast\n\tHangTimeout 20\nCASE \"Agent x\"\n\tAgentRun start\n"
	if got := point(config, "holdfast", "galera"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestVerdict(t *testing.T) {
	passed := ocftCase{Suite: "IPaddr2", Number: 0, Summary: "start"}
	failed := ocftCase{Suite: "IPaddr2", Number: 1, Summary: "no nic", Failure: "start: The return value 'OCF_ERR_INSTALLED' != 'OCF_ERR_CONFIGURED'."}
	otherwise := ocftCase{Suite: "IPaddr2", Number: 1, Summary: "no nic", Failure: "start: The return value 'OCF_SUCCESS' != 'OCF_ERR_CONFIGURED'."}
	skipped := ocftCase{Suite: "IPaddr2", Number: 1, Summary: "no nic", Failure: notRun}
	own := check{name: "ocft galera", own: true, cases: []ocftCase{{Suite: "galera", Summary: "promote"}}}
	known := []difference{{"IPaddr2", 1, "OCF_ERR_INSTALLED", "because"}}
	tests := []struct {
		name   string
		checks []check
		known  []difference
		ok     bool
		last   string
	}{
		{"all pass", []check{own, {cases: []ocftCase{passed}}}, nil, true, "ocft: 1 of 1 passed"},
		{"a known difference", []check{own, {cases: []ocftCase{passed, failed}}}, known, true, "ocft: 1 of 2 passed; differences with their reasons above: 1"},
		{"an unknown one", []check{own, {cases: []ocftCase{passed, failed}}}, nil, false, "ocft: 1 of 2 passed; UNEXPECTED: 1"},
		{"a known case with another answer", []check{own, {cases: []ocftCase{passed, otherwise}}}, known, false, "ocft: 1 of 2 passed; UNEXPECTED: 1"},
		{"a known one is gone", []check{own, {cases: []ocftCase{passed}}}, known, false, "ocft: 1 of 1 passed"},
		{"a known one was not run", []check{own, {cases: []ocftCase{passed, skipped}}}, known, false, "ocft: 1 of 2 passed; UNEXPECTED: 1"},
		{"ocf-tester failed", []check{own, {failed: "rc=1"}, {cases: []ocftCase{passed}}}, nil, false, "ocft: 1 of 1 passed"},
		{"no case at all", []check{own}, nil, false, "ocft: 0 of 0 passed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lines, ok := verdict(test.checks, test.known)
			if last := lines[len(lines)-1]; ok != test.ok || last != test.last {
				t.Errorf("got %v, %q; want %v, %q\n%s", ok, last, test.ok, test.last, strings.Join(lines, "\n"))
			}
		})
	}
}

func TestComplaints(t *testing.T) {
	const out = "Beginning tests\n* rc=3: Your agent does not support\n* Your agent does not support the reload action (optional)\n* rc=1: Stop failed\n"
	if got, want := complaints(out), "rc=3: Your agent does not support; rc=1: Stop failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(made, tested)
	f.Fuzz(func(t *testing.T, made, tested string) {
		cases := parseMade("s", made)
		for i, c := range judge(cases, "") {
			if c.Failure != notRun {
				t.Errorf("case %d of an empty output: %q", i, c.Failure)
			}
		}
		if got := judge(cases, tested); len(got) != len(cases) {
			t.Errorf("%d cases became %d", len(cases), len(got))
		}
	})
}
