package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/verify"
)

// report is a run that is over.
type report struct {
	session      *session
	figures      outage.Figures
	verification *verify.Result // nil when none was made
}

// deliver prints the report and returns the verdict of the run.
func (r report) deliver(stdout, stderr io.Writer, scr *screen) error {
	verdict := r.judge()
	scr.plain("\n" + r.table())
	if r.verification != nil {
		scr.plain("\n" + verificationTable(*r.verification))
	}
	if r.session.opt.output == "json" {
		if err := writeJSON(stdout, r.output(verdict)); err != nil {
			return err
		}
	}
	scr.plain("\n")
	verdict = tell(stderr, verdict)
	scr.plain(r.lastLine() + "\n")
	return verdict
}

// lastLine is the figure that people compare.
func (r report) lastLine() string {
	g := r.figures.Interruption
	length := seconds(g.Length())
	if g.Open {
		length += " (no end)"
	}
	return fmt.Sprintf("interruption: %s  acknowledged writes lost: %s", length, lostWords(r.verification))
}

// table is the summary of the writes and the interruption.
func (r report) table() string {
	s, counts, latency := r.session, r.session.ledger.Counts(), outage.LatencyOf(r.session.answers)
	var out strings.Builder
	tab := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(&out, "run %s through %s\n", s.name, s.opt.address)
	fmt.Fprintf(tab, "attempts\t%d\tevery %v, deadline %v, started at most %s late\n",
		counts.Attempts, s.opt.interval, s.opt.timeout, milliseconds(s.latest))
	fmt.Fprintf(tab, "acknowledged\t%d\tmedian %s, 99 %% within %s, longest %s\n",
		counts.Acknowledged, milliseconds(latency.Median), milliseconds(latency.P99), milliseconds(latency.Max))
	fmt.Fprintf(tab, "failed\t%d\t%d of them indeterminate\n", counts.Refused+counts.Indeterminate, counts.Indeterminate)
	for _, f := range s.failureClasses() {
		fmt.Fprintf(tab, "  %s\t%d\t%s\n", f.class, s.failures[f], meaning(f.verdict))
	}
	if s.faultCommand != nil {
		fmt.Fprintf(tab, "fault\t%s\t%s, returned after %s\n", clock(s.origin, s.course.started),
			strings.Join(s.faultCommand, " "), seconds(s.course.returned-s.course.started))
	}
	fmt.Fprintf(tab, "interruption\t%s\t%s\n", seconds(r.figures.Interruption.Length()), r.gapWords(r.figures.Interruption))
	if gaps := r.figures.Gaps; len(gaps) > 1 || len(gaps) == 1 && gaps[0] != r.figures.Interruption {
		fmt.Fprintf(tab, "all gaps\t%s\t%d of %v and more\n", seconds(r.figures.Dark), len(gaps), s.opt.threshold)
		for _, g := range gaps {
			fmt.Fprintf(tab, "\t%s\t%s\n", seconds(g.Length()), r.gapWords(g))
		}
	}
	tab.Flush() //nolint:errcheck // a strings.Builder does not fail
	return out.String()
}

// gapWords says when a gap was and between which nodes.
func (r report) gapWords(g outage.Gap) string {
	origin, after := r.session.origin, g.After
	if g.Open {
		after = "nobody, no end"
	}
	return fmt.Sprintf("%s to %s, %s -> %s, resolution %v", clock(origin, g.From), clock(origin, g.To),
		cmp.Or(g.Before, "start"), after, r.session.opt.interval)
}

// failureClasses lists the classes that occurred, the most frequent first.
func (s *session) failureClasses() []failureClass {
	return slices.SortedFunc(maps.Keys(s.failures), func(a, b failureClass) int {
		return cmp.Or(s.failures[b]-s.failures[a], cmp.Compare(a.class, b.class), int(a.verdict)-int(b.verdict))
	})
}

// verificationTable shows what every node has.
func verificationTable(v verify.Result) string {
	var out strings.Builder
	tab := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "node\trows\tlost\tindeterminate\tduplicate\tunexpected\tunknown\t")
	for _, n := range v.Nodes {
		if n.Err != nil {
			fmt.Fprintf(tab, "%s\t-\t-\t-\t-\t-\t-\tNOT VERIFIED: %v\n", n.Name, n.Err)
			continue
		}
		f := n.Findings
		fmt.Fprintf(tab, "%s\t%d\t%d\t%d\t%d\t%d\t%d\tsynced, waited %s\n",
			n.Name, f.Rows, len(f.Lost), len(f.Doubtful), len(f.Duplicate), len(f.Unexpected), len(f.Unknown), seconds(n.Waited))
	}
	tab.Flush() //nolint:errcheck // a strings.Builder does not fail
	return out.String()
}

func clock(origin time.Time, offset time.Duration) string {
	return origin.Add(offset).Format("15:04:05.000")
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
