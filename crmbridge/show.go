package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journal"
)

// runShow is "crmbridge show".
func runShow(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	r := newReading("show", time.Now(), stderr)
	return finish(stderr, show(ctx, r, args, stdout), exitFailed)
}

func show(ctx context.Context, r *reading, args []string, stdout io.Writer) error {
	ids, err := r.parse(args, 1)
	if err != nil {
		return err
	}
	read, err := r.load(ctx, journal.Range{})
	if err != nil {
		return err
	}
	records, err := find(read.records, ids[0])
	if err != nil {
		return err
	}
	if r.json {
		return asJSON(stdout, records)
	}
	for i, x := range records {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		r.showRecord(stdout, x)
	}
	return nil
}

// find finds a record by its ID or the begin of it. It can be more than one if a
// cluster was set up anew, and began to count from the start.
func find(records []incident.Record, id string) ([]incident.Record, error) {
	var found []incident.Record
	for _, x := range records {
		if strings.HasPrefix(x.ID, id) {
			if len(found) > 0 && found[0].ID != x.ID {
				return nil, fmt.Errorf("both %s and %s begin with %q: say more of it", found[0].ID, x.ID, id)
			}
			found = append(found, x)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no incident %q in these journals: crmbridge history shows those that there are", id)
	}
	return found, nil
}

const clockTime = "15:04:05.000"

func (r *reading) showRecord(out io.Writer, x incident.Record) {
	fmt.Fprintf(out, "%s\n\n", journal.Sentence(x))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fact := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	fact("Date", "%s", r.place(x.Begin.At).Format("Monday 2006-01-02, times in MST (-07:00)"))
	for _, p := range []struct {
		name string
		incident.Point
	}{{"Occurred", x.Occurrence}, {"Detected", x.Detection}, {"Service back", x.ServiceBack}, {"Over", x.End}} {
		if p.Known() && (p.name != "Over" || !x.Open) {
			fact(p.name, "%s  %s: %s", r.place(p.At).Format(clockTime), p.Basis, p.How)
		}
	}
	switch {
	case x.Outcome == incident.Waited:
		fact("Interruption", "%s, writes waited; the address stayed on %s", seconds(x.Interruption), x.To)
	case x.Interruption > 0:
		fact("Interruption", "%s, the address went from %s to %s", seconds(x.Interruption), x.From, x.To)
	}
	fact("Nodes", "%s", strings.Join(x.Nodes, ", "))
	fact("Resources", "%s", orNone(strings.Join(x.Resources, ", ")))
	fact("Decided by", "%s (DC at the end), CIB %s to %s", orNone(x.DC), x.CIB[0], x.CIB[1])
	fact("Seen by", "%s", strings.Join(x.Observers, ", "))
	_ = w.Flush() // like every print to a terminal
	fmt.Fprintln(out, "\nWhy")
	r.evidence(out, x.Cause)
	for _, c := range x.Also {
		fmt.Fprintf(out, "  also %s %s\n", c.Kind, strings.TrimSpace(c.Node+" "+c.Resource))
		r.evidence(out, c)
	}
	waterfall(out, x)
	r.rest(out, x)
}

func (r *reading) evidence(out io.Writer, c incident.Cause) {
	for _, e := range c.Evidence {
		fmt.Fprintf(out, "  %s  %-8s  %s\n", r.place(e.At).Format(clockTime), e.Source, e.What)
	}
}

// rest is what is a list of sentences.
func (r *reading) rest(out io.Writer, x incident.Record) {
	section := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(out, "\n%s\n  %s\n", title, strings.Join(lines, "\n  "))
		}
	}
	var operator, plans, clocks, gaps []string
	for _, a := range x.Operator {
		operator = append(operator, fmt.Sprintf("%s  %s, by %s", r.place(a.At).Format(clockTime), a.What, orNone(a.By)))
	}
	for _, t := range x.Transitions {
		plans = append(plans, strings.TrimSpace(fmt.Sprintf("%d  %s  %s", t.Number, t.PEInput, t.Outcome)))
	}
	for _, c := range x.Clocks {
		clocks = append(clocks, c.Node+": "+r.clockText(c))
	}
	for _, g := range x.Gaps {
		until := "now"
		if !g.Until.IsZero() {
			until = r.place(g.Until).Format(clockTime)
		}
		gaps = append(gaps, fmt.Sprintf("%s - %s  %s on %s: %s", r.place(g.From).Format(clockTime), until, g.Source, g.Observer, g.What))
	}
	section("What the operator did", operator)
	section("Plans of Pacemaker (crm_simulate -S -x FILE repeats one)", plans)
	section("Clocks", clocks)
	section("What was not seen", gaps)
}

// clockText is how far the times of a node can be compared with those of other nodes.
func (r *reading) clockText(c incident.ClockState) string {
	var text string
	switch {
	case c.Unread != "":
		text = "not known whether it is synchronised: " + c.Unread
	case !c.Synchronised:
		text = "not synchronised; do not compare its times with those of other nodes"
	default:
		text = "synchronised, to within " + c.MaxError.Round(time.Microsecond).String()
	}
	if c.Stepped != 0 {
		text += "; set by " + c.Stepped.String() + " meanwhile, or shortly before"
	}
	if c.Read.Mono != 0 {
		text += fmt.Sprintf("; %s was [%.6f] of its boot %s", r.place(c.Read.Wall).Format(clockTime), c.Read.Mono.Seconds(), c.Read.Boot)
	}
	return text
}
