package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"holdfast/crmbridge/journal"
	"holdfast/crmbridge/sla"
)

// The exit statuses of crmbridge sla. A command line that means nothing, and a journal
// that cannot be read, leave the verdict unknown.
const (
	exitMet      = 0
	exitBreached = 1
	exitUnknown  = 2
)

// runSLA is "crmbridge sla".
func runSLA(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runSLAAt(ctx, time.Now(), args, stdout, stderr)
}

func runSLAAt(ctx context.Context, now time.Time, args []string, stdout, stderr io.Writer) int {
	r := newReading("sla", now, stderr)
	p := r.promise("time that the objective is for, until now")
	v, err := judge(ctx, r, p, args)
	if err != nil || v == nil {
		return finish(stderr, err, exitUnknown)
	}
	if r.json {
		err = asJSON(stdout, v)
	} else {
		r.verdict(stdout, *v)
	}
	if err != nil {
		return finish(stderr, err, exitUnknown)
	}
	switch v.Outcome {
	case sla.Met:
		return exitMet
	case sla.Breached:
		return exitBreached
	case sla.Unknown:
	}
	return exitUnknown
}

// promise are the options that say what the service has to keep.
type promise struct {
	objective, window *string
	planned           *bool
}

// promise adds the options; window says what the window is for.
func (r *reading) promise(window string) promise {
	return promise{
		objective: r.flags.String("objective", "99.95%", "share of time for which the service must be there"),
		window:    r.flags.String("window", "30d", window),
		planned:   r.flags.Bool("exclude-planned", false, "interruptions that an administrator asked for do not use the budget"),
	}
}

// terms are what the options mean, once they are parsed.
func (p promise) terms() (terms sla.Terms, err error) {
	terms.ExcludePlanned = *p.planned
	if terms.Objective, err = sla.ParseObjective(*p.objective); err != nil {
		return terms, usageError{error: err}
	}
	if terms.Window, err = sla.ParseWindow(*p.window); err != nil {
		return terms, usageError{error: err}
	}
	return terms, nil
}

func judge(ctx context.Context, r *reading, p promise, args []string) (*sla.Verdict, error) {
	if _, err := r.parse(args, 0); err != nil {
		return nil, err
	}
	terms, err := p.terms()
	if err != nil {
		return nil, err
	}
	read, err := r.load(ctx, journal.Range{})
	if err != nil {
		return nil, err
	}
	v := sla.Judge(terms, read.records, spans(read.watched), r.now)
	return &v, nil
}

func spans(watched []journal.Watch) []sla.Span {
	var all []sla.Span
	for _, w := range watched {
		all = append(all, sla.Span{From: w.From, To: w.To})
	}
	return all
}

func (r *reading) verdict(out io.Writer, v sla.Verdict) {
	fmt.Fprintf(out, "%s: %s\n\n", v.Outcome, v.Reason)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fact := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	fact("Objective", "%s of %s", v.Objective, sla.FormatWindow(v.Window))
	fact("Window", "%s to %s", r.place(v.From).Format(time.DateTime), r.place(v.To).Format("2006-01-02 15:04:05 MST"))
	fact("Watched", "%s; for %s nobody watched", v.Watched.Round(time.Second), v.Unwatched.Round(time.Second))
	fact("Availability", "%s of the time watched", percent(v.Availability))
	fact("Away", "%s, of that planned %s; the longest %s", seconds(v.Down), seconds(v.PlannedDown), seconds(v.Longest))
	fact("Error budget", "%s, used %s, left %s", seconds(v.Budget), seconds(v.Used), left(v.Left))
	fact("Failovers", "%d, and %d planned", v.Failovers, v.Planned)
	fact("MTTD", "%s", mean(v.MTTD))
	fact("MTTR", "%s", mean(v.MTTR))
	_ = w.Flush() // like every print to a terminal
	if len(v.Causes) == 0 {
		return
	}
	fmt.Fprintln(out)
	fmt.Fprintln(w, "CAUSE\tINCIDENTS\tPLANNED\tAWAY\tLONGEST\tMTTD\tMTTR")
	for _, c := range v.Causes {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", c.Cause, c.Incidents, planned(c.Planned, c.Cause), away(c.Down), away(c.Longest), mean(c.MTTD), mean(c.MTTR))
	}
	_ = w.Flush() // like every print to a terminal
}

// percent has as many decimals as objectives may have; it never rounds up to all.
func percent(share float64) string {
	text := fmt.Sprintf("%.5f%%", 100*share)
	if share < 1 && text == "100.00000%" {
		return "99.99999%"
	}
	return text
}

// away is how long the service was away, if it was.
func away(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return seconds(d)
}

func left(d time.Duration) string {
	if d < 0 {
		return "nothing: " + seconds(-d) + " too much"
	}
	return seconds(d)
}

func mean(m sla.Mean) string {
	switch {
	case m.Of == 0:
		return "-"
	case m.Estimated > 0:
		return fmt.Sprintf("%s (of %d, %d estimated)", seconds(m.Mean), m.Of, m.Estimated)
	}
	return fmt.Sprintf("%s (of %d)", seconds(m.Mean), m.Of)
}
