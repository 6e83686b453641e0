package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"holdfast/tests/crosscheck/agree"
)

func TestRun(t *testing.T) {
	for _, x := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"the sample disagrees", []string{"testdata/campaign"}, exitDisagree, "and2euiwze", ""},
		{"help", []string{"--help"}, exitAgree, "usage: crosscheck", ""},
		{"no directory", nil, exitUnread, "", "give one directory"},
		{"not there", []string{"testdata/nothing"}, exitUnread, "", "testdata/nothing"},
		{"an unknown output", []string{"--output", "xml", "testdata/campaign"}, exitUnread, "", `"xml"`},
		{"a limit that is none", []string{"--limit", "-1s", "testdata/campaign"}, exitUnread, "", "give 0 or more"},
		{"an unknown flag", []string{"--what", "testdata/campaign"}, exitUnread, "", "-what"},
	} {
		t.Run(x.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(x.args, &stdout, &stderr); status != x.status {
				t.Errorf("status %d, want %d", status, x.status)
			}
			if !strings.Contains(stdout.String(), x.stdout) || !strings.Contains(stderr.String(), x.stderr) {
				t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
			}
			if lines := strings.Count(stderr.String(), "\n"); x.stderr != "" && lines != 1 {
				t.Errorf("%d lines instead of a sentence: %s", lines, stderr.String())
			}
		})
	}
}

// TestJSON holds that the JSON output is the report.
func TestJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	run([]string{"--output", "json", "testdata/campaign"}, &stdout, &stderr)
	var r agree.Report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if len(r.Faults) != 4 || r.Agree || len(r.Disagreements) == 0 || r.Limit != 50 {
		t.Errorf("got %+v", r)
	}
}
