package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journal"
)

// filters are which records history shows.
type filters struct {
	cause, node, resource       string
	planned, unplanned, service bool
}

func (f filters) wants(r incident.Record) bool {
	about := func(c incident.Cause) bool { return string(c.Kind) == f.cause }
	switch {
	case f.planned && !r.Planned, f.unplanned && (r.Planned || r.Cause.Kind.Neutral()):
		return false
	case f.service && r.Outcome == incident.Unaffected:
		return false
	case f.cause != "" && !about(r.Cause) && !slices.ContainsFunc(r.Also, about):
		return false
	case f.node != "" && !slices.Contains(r.Nodes, f.node):
		return false
	case f.resource != "" && !slices.Contains(r.Resources, f.resource):
		return false
	}
	return true
}

// runHistory is "crmbridge history".
func runHistory(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	r := newReading("history", time.Now(), stderr)
	r.timeRange()
	var f filters
	r.flags.StringVar(&f.cause, "cause", "", "only incidents with this `CAUSE`, as node-lost")
	r.flags.StringVar(&f.node, "node", "", "only incidents of this `NODE`")
	r.flags.StringVar(&f.resource, "resource", "", "only incidents of this `RESOURCE`")
	r.flags.BoolVar(&f.planned, "planned", false, "only what an administrator asked for")
	r.flags.BoolVar(&f.unplanned, "unplanned", false, "only failures")
	r.flags.BoolVar(&f.service, "service", false, "only incidents that the service felt")
	return finish(stderr, history(ctx, r, &f, args, stdout), exitFailed)
}

func history(ctx context.Context, r *reading, f *filters, args []string, stdout io.Writer) error {
	if _, err := r.parse(args, 0); err != nil {
		return err
	}
	if f.planned && f.unplanned {
		return usagef("--planned and --unplanned exclude each other: leave one out")
	}
	read, err := r.load(ctx, journal.Range{Since: r.since})
	if err != nil {
		return err
	}
	records := []incident.Record{}
	for _, x := range read.records {
		if r.visible(x) && f.wants(x) {
			records = append(records, x)
		}
	}
	if r.json {
		return asJSON(stdout, records)
	}
	r.table(stdout, records, read)
	return nil
}

func (r *reading) table(out io.Writer, records []incident.Record, read readings) {
	if len(records) == 0 {
		fmt.Fprintf(out, "No incidents in %d journal entries of %d nodes.\n", read.log.Entries(), len(read.log.Nodes()))
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "ID\tBEGIN (%s)\tCAUSE\tNODE\tRESOURCE\tPLANNED\tSERVICE\tSEEN BY\n", r.timeZone())
	for _, x := range records {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, r.place(x.Begin.At).Format("2006-01-02 15:04:05.000"), x.Cause.Kind,
			orNone(x.Cause.Node), orNone(x.Cause.Resource), planned(x.Planned, x.Cause.Kind), service(x), strings.Join(x.Observers, " "))
	}
	_ = w.Flush() // like every print to a terminal
	for _, x := range records {
		if len(x.Gaps) > 0 || x.Open {
			fmt.Fprintln(out, "\n* not over, or something in it was not seen: crmbridge show ID says what")
			break
		}
	}
}

// planned says, in a word, whether incidents of a cause were; of some causes there is nothing to say.
func planned(asked bool, cause incident.CauseKind) string {
	switch {
	case asked:
		return "yes"
	case cause.Neutral():
		return "-"
	}
	return "no"
}

// service is what became of the service, in a word.
func service(x incident.Record) string {
	text := string(x.Outcome)
	switch {
	case x.Outcome == incident.Waited:
		text = "waited " + seconds(x.Interruption)
	case x.Interruption > 0:
		text = "away " + seconds(x.Interruption)
	}
	if len(x.Gaps) > 0 || x.Open {
		text += " *"
	}
	return text
}
