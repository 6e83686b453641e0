package agree

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// legend is what a reader of the table has to know.
const legend = `The differences are crmbridge's merged record minus the monitor, in ms: median/max of their absolute values.
N is how often the fault was done, RECORDS what was recorded from 1 s before it struck until the repetition was over. Then how many
repetitions have no record (NONE), a wrong cause or are wrongly called planned (PLAN), and are not recorded under one ID by every node
that was left (ID). HAPPENED is when it struck: as whoever did it said, or the last answer to a writer that tries every 10 ms, if the
fault is felt at once; otherwise it is not compared. What was asked for took effect somewhen between the begin of the command and its return:
there it is by how much crmbridge names no moment of that. MOVED is the address up on another node, beside the first ARP answer of one. BACK
is the service, beside the answer to the first write that got one. Such a write takes its time, with all those that had waited: some of
these may be answered while others fail. The service was back somewhen between the begin of the write from which on each one was answered,
and its answer: SERVED is by how much crmbridge names no moment of it, and that is what may be held against it. AWAY is the interruption, as
long as until the first answer; it disagrees if it ends outside of the other write. UNTOLD are interruptions of more than
250 ms of which the record says nothing (what only a client can feel: see crmbridge(8), PROBES), UNTRUE are those that some other
record claims and nobody felt, STRAY are records that the fault does not explain, OPEN are records that a node never said to be over.
LAG is from the last phase of a record to the first time it was written with it, by each node that was left. PHASES are records whose
phases do not add up, or that were detected before they happened.
`

// Write prints the table, and the worst disagreements, no more than worst of them.
func (r Report) Write(out io.Writer, worst int) error {
	text := &strings.Builder{}
	w := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tN\tRECORDS\tNONE\tCAUSE\tPLAN\tID\tHAPPENED\tMOVED\tBACK\tSERVED\tAWAY\tUNTOLD\tUNTRUE\tSTRAY\tOPEN\tLAG\tPHASES")
	for _, f := range r.Faults {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Fault, f.N, f.Records,
			count(f.NoRecord), count(f.WrongCause), count(f.WrongPlanned), count(f.NotSame),
			f.Occurrence.text(), f.AddressMoved.text(), f.ServiceBack.text(), f.Served.text(), f.Interruption.text(),
			count(f.Untold), count(f.Untrue), count(f.Strays), count(f.NeverClosed), f.Lag.text(), count(f.PhasesOff))
	}
	_ = w.Flush() // a strings.Builder takes everything
	fmt.Fprintf(text, "\n%s\n", legend)
	if r.Told.N > 0 {
		fmt.Fprintf(text, "From Pacemaker's own log of a result to crmbridge's entry in the journal of that node: %d results, median %.1f ms, p99 %.1f ms, longest %.1f ms.\n\n",
			r.Told.N, float64(r.Told.Median), float64(r.Told.P99), float64(r.Told.Max))
	}
	r.writeWorst(text, worst)
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

func (r Report) writeWorst(text io.Writer, worst int) {
	if r.Agree {
		fmt.Fprintf(text, "Everything is within %v ms, and every record was written within %v ms.\n", r.Limit, r.LagLimit)
		return
	}
	shown := r.Disagreements[:min(worst, len(r.Disagreements))]
	fmt.Fprintf(text, "%d disagreements (more than %v ms apart, written more than %v ms late, or another thing), the worst %d:\n",
		len(r.Disagreements), r.Limit, r.LagLimit, len(shown))
	w := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tREPETITION\tRECORD\tWHAT\tBY (MS)\tMONITOR\tCRMBRIDGE")
	for _, d := range shown {
		by := "-"
		if d.By != 0 {
			by = fmt.Sprintf("%+.0f", float64(d.By))
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", d.Fault, d.Repetition, orNone(d.Record), d.What, by, orNone(d.Monitor), d.Crmbridge)
	}
	_ = w.Flush() // as above
}

// count prints what should be 0.
func count(n int) string {
	if n == 0 {
		return "."
	}
	return fmt.Sprint(n)
}

func (s Spread) text() string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f/%.0f", math.Round(float64(s.Median)), math.Round(float64(s.Max)))
}

func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
