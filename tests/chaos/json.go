package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/verify"
)

// output is the object that --output json prints; durations are in seconds.
// chaos(8) documents it.
type output struct {
	Run           string              `json:"run"`
	Address       string              `json:"address"`
	Started       time.Time           `json:"started"`
	Interval      float64             `json:"interval_s"`
	Timeout       float64             `json:"timeout_s"`
	Attempts      int                 `json:"attempts"`
	Acknowledged  int                 `json:"acknowledged"`
	Failed        int                 `json:"failed"`
	Indeterminate int                 `json:"indeterminate"`
	Failures      []failureOutput     `json:"failures"`
	Latency       latencyOutput       `json:"latency"`
	LatestStart   float64             `json:"latest_start_s"`
	Fault         *faultOutput        `json:"fault"`
	Interruption  gapOutput           `json:"interruption"`
	Gaps          []gapOutput         `json:"gaps"`
	Lost          *int                `json:"lost"` // null when not every node was read
	Verification  *verificationOutput `json:"verification"`
	ExitStatus    int                 `json:"exit_status"`
	Reason        string              `json:"reason,omitempty"`
}

type failureOutput struct {
	Class   string `json:"class"`
	Count   int    `json:"count"`
	Verdict string `json:"verdict"`
}

type latencyOutput struct {
	Median float64 `json:"median_s"`
	P99    float64 `json:"p99_s"`
	Max    float64 `json:"max_s"`
}

type faultOutput struct {
	Command  []string  `json:"command"`
	Started  time.Time `json:"started"`
	Returned time.Time `json:"returned"`
	Error    string    `json:"error,omitempty"`
}

type gapOutput struct {
	Seconds float64   `json:"seconds"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Before  string    `json:"node_before"`
	After   string    `json:"node_after"`
	Open    bool      `json:"open"`
}

type verificationOutput struct {
	Passed    bool         `json:"passed"`
	Nodes     []nodeOutput `json:"nodes"`
	Lost      []uint64     `json:"lost"`
	Divergent []uint64     `json:"divergent"`
	Split     bool         `json:"split"`
}

type nodeOutput struct {
	Name       string   `json:"name"`
	Address    string   `json:"address"`
	Waited     float64  `json:"waited_s"`
	Error      string   `json:"error,omitempty"`
	Rows       int      `json:"rows"`
	Lost       []uint64 `json:"lost"`
	Doubtful   []uint64 `json:"indeterminate"` // indeterminate writes that are there
	Duplicate  []uint64 `json:"duplicate"`
	Unexpected []uint64 `json:"unexpected"`
	Unknown    []uint64 `json:"unknown"`
}

// verifyOutput is what chaos verify prints.
type verifyOutput struct {
	Run          string              `json:"run"`
	Acknowledged int                 `json:"acknowledged"`
	Verification *verificationOutput `json:"verification"`
	ExitStatus   int                 `json:"exit_status"`
	Reason       string              `json:"reason,omitempty"`
}

func (r report) output(verdict error) output {
	s, counts, latency := r.session, r.session.ledger.Counts(), outage.LatencyOf(r.session.answers)
	o := output{
		Run: s.name, Address: s.opt.address, Started: s.origin,
		Interval: s.opt.interval.Seconds(), Timeout: s.opt.timeout.Seconds(),
		Attempts: counts.Attempts, Acknowledged: counts.Acknowledged,
		Failed: counts.Refused + counts.Indeterminate, Indeterminate: counts.Indeterminate,
		Failures:    []failureOutput{},
		Latency:     latencyOutput{latency.Median.Seconds(), latency.P99.Seconds(), latency.Max.Seconds()},
		LatestStart: s.latest.Seconds(), Interruption: r.gap(r.figures.Interruption), Gaps: []gapOutput{},
		ExitStatus: exitStatus(verdict), Reason: reason(verdict),
	}
	for _, f := range s.failureClasses() {
		o.Failures = append(o.Failures, failureOutput{string(f.class), s.failures[f], f.verdict.String()})
	}
	for _, g := range r.figures.Gaps {
		o.Gaps = append(o.Gaps, r.gap(g))
	}
	if s.faultCommand != nil {
		o.Fault = &faultOutput{s.faultCommand, s.origin.Add(s.course.started), s.origin.Add(s.course.returned), reason(s.faultErr)}
	}
	if v := r.verification; v != nil {
		o.Verification = verificationJSON(*v)
		if lost := len(v.Lost); v.Complete() {
			o.Lost = &lost
		}
	}
	return o
}

func (r report) gap(g outage.Gap) gapOutput {
	return gapOutput{
		Seconds: g.Length().Seconds(), From: r.session.origin.Add(g.From), To: r.session.origin.Add(g.To),
		Before: g.Before, After: g.After, Open: g.Open,
	}
}

func verificationJSON(v verify.Result) *verificationOutput {
	o := &verificationOutput{Passed: v.Passed(), Lost: list(v.Lost), Divergent: list(v.Divergent), Split: v.Split}
	for _, n := range v.Nodes {
		f := n.Findings
		o.Nodes = append(o.Nodes, nodeOutput{
			Name: n.Name, Address: n.Address, Waited: n.Waited.Seconds(), Error: reason(n.Err), Rows: f.Rows,
			Lost: list(f.Lost), Doubtful: list(f.Doubtful), Duplicate: list(f.Duplicate), Unexpected: list(f.Unexpected), Unknown: list(f.Unknown),
		})
	}
	return o
}

// list makes an empty list of none, so that scripts find [] and never null.
func list(ids []uint64) []uint64 { return append([]uint64{}, ids...) }

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write the JSON report: %w", err)
	}
	return nil
}
