package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/verify"
)

// verified is a result with one node.
func verified(err error, f ledger.Findings) *verify.Result {
	return &verify.Result{Nodes: []verify.NodeResult{{Name: "db1", Err: err, Findings: f}}, Lost: f.Lost}
}

func TestJudge(t *testing.T) {
	sound, lost := verified(nil, ledger.Findings{Rows: 3}), verified(nil, ledger.Findings{Lost: []uint64{7, 8}})
	unread := verified(errors.New("not synced"), ledger.Findings{})
	back := outage.Figures{Interruption: outage.Gap{From: 1 * time.Second, To: 2930 * time.Millisecond}}
	open := outage.Gap{From: time.Second, To: time.Minute, Open: true}
	gone := outage.Figures{Interruption: open, Gaps: []outage.Gap{open}}
	tests := []struct {
		name         string
		figures      outage.Figures
		verification *verify.Result
		max          time.Duration
		faultErr     error
		broken       error
		status       int
		last         string
	}{
		{"all right", back, sound, 0, nil, nil, exitOK, "interruption: 1.93 s  acknowledged writes lost: 0"},
		{"without verification", back, nil, 0, nil, nil, exitOK, "interruption: 1.93 s  acknowledged writes lost: unknown (not verified)"},
		{"lost", back, lost, 0, nil, nil, exitFailed, "interruption: 1.93 s  acknowledged writes lost: 2"},
		{"a node not read", back, unread, 0, nil, nil, exitFailed, "interruption: 1.93 s  acknowledged writes lost: unknown (not verified: db1)"},
		{"refused, but there", back, verified(nil, ledger.Findings{Unexpected: []uint64{1}}), 0, nil, nil, exitFailed, "interruption: 1.93 s  acknowledged writes lost: 0"},
		{"not back", gone, sound, 0, nil, nil, exitFailed, "interruption: 59.00 s (no end)  acknowledged writes lost: 0"},
		{"the command failed", back, sound, 0, errors.New("exit status 1"), nil, exitNoStart, "interruption: 1.93 s  acknowledged writes lost: 0"},
		{"loss is worse than a failed command", back, lost, 0, errors.New("exit status 1"), nil, exitFailed, "interruption: 1.93 s  acknowledged writes lost: 2"},
		{"short enough", back, sound, 2 * time.Second, nil, nil, exitOK, "interruption: 1.93 s  acknowledged writes lost: 0"},
		{"too long", back, sound, time.Second, nil, nil, exitTooLong, "interruption: 1.93 s  acknowledged writes lost: 0"},
		{"broken off", back, nil, 0, nil, errors.New("signal"), exitFailed, "interruption: 1.93 s  acknowledged writes lost: unknown (not verified)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSession(options{maxInterruption: test.max, output: "json"}, "r", nil, nil, nil)
			s.faultErr, s.broken = test.faultErr, test.broken
			r := report{session: s, figures: test.figures, verification: test.verification}
			var stdout, stderr, people strings.Builder
			status := exitStatus(r.deliver(&stdout, &stderr, &screen{out: &people}))
			if status != test.status {
				t.Errorf("exit status %d, want %d: %s", status, test.status, stderr.String())
			}
			if !strings.HasSuffix(people.String(), "\n"+test.last+"\n") {
				t.Errorf("the last line is not %q:\n%s", test.last, people.String())
			}
			if said := strings.Count(stderr.String(), "\n"); said != min(status, 1) {
				t.Errorf("%d sentences for exit status %d: %q", said, status, stderr.String())
			}
			checkJSON(t, stdout.String(), status, test.verification)
		})
	}
}

// checkJSON checks what scripts rely on.
func checkJSON(t *testing.T, text string, status int, v *verify.Result) {
	t.Helper()
	var o struct {
		ExitStatus   int  `json:"exit_status"`
		Lost         *int `json:"lost"`
		Interruption struct {
			Seconds float64 `json:"seconds"`
		} `json:"interruption"`
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	known := v != nil && v.Complete()
	if o.ExitStatus != status || (o.Lost != nil) != known || o.Interruption.Seconds == 0 {
		t.Errorf("got %+v", o)
	}
}
