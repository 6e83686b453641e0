package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// row is a fault in the summary table; empty figures are a dash.
type row struct {
	ID, Fault, N           string
	Median, P95, Max       string
	Availability           string
	Acked, Lost, Doubled   string
	Indeterminate, Broken  string
	LostBad, ViolationsBad bool
}

func newRow(g group, id string, digits int) row {
	r := row{
		ID: id, Fault: g.name, N: strconv.Itoa(len(g.repetitions)),
		Median: nothing, P95: nothing, Max: nothing, Availability: nothing,
		Acked: count(g.acked), Lost: count(g.lost), Doubled: nothing, Indeterminate: count(g.indeterminate), Broken: count(g.violations),
		LostBad: g.lost > 0, ViolationsBad: g.violations > 0,
	}
	if n := len(g.interruptions); n < len(g.repetitions) {
		r.N += fmt.Sprintf(" (%d measured)", n)
	}
	if all := g.interruptions; len(all) > 0 {
		r.Median = figureCell(median(all), digits)
		r.P95 = figureCell(nearestRank(all, 0.95), digits)
		r.Max = figureCell(all[len(all)-1], digits)
	}
	if g.doubled > 0 {
		r.Doubled = seconds(g.doubled, digits)
	}
	if g.ticks > 0 {
		r.Availability = share(g.inTime / g.ticks)
	}
	return r
}

func figureCell(f figure, digits int) string {
	if f.open {
		return atLeast + seconds(f.length, digits)
	}
	return seconds(f.length, digits)
}

// clientRow is a client in the table of a repetition.
type clientRow struct {
	Name, Interruption, Availability        string
	Attempts, Acked, Refused, Indeterminate string
	P50, P95, P99, Max                      string
}

func newClientRow(c result.Client, digits int) clientRow {
	name := c.Kind
	if c.Node != "" {
		name += " " + c.Node
	}
	return clientRow{
		Name:         name,
		Interruption: figureCell(figure{length: c.Interruption, open: c.Open}, digits),
		Availability: share(c.Availability),
		Attempts:     count(c.Attempts), Acked: count(c.Acked), Refused: count(c.Refused), Indeterminate: count(c.Indeterminate),
		P50: latencyCell(c.Latency.P50), P95: latencyCell(c.Latency.P95), P99: latencyCell(c.Latency.P99), Max: latencyCell(c.Latency.Max),
	}
}

func latencyCell(m result.Milliseconds) string { return strconv.FormatFloat(float64(m), 'f', 1, 64) }

// doubledWords says when two nodes answered for the address.
func doubledWords(f result.Fault) []string {
	words := make([]string, len(f.Doubled))
	for i, d := range f.Doubled {
		words[i] = fmt.Sprintf("For %s, from %s on, %s answered ARP for the address.", duration(d.To-d.From), offset(d.From), strings.Join(d.Nodes, " and "))
	}
	return words
}

// remarks are the sentences without which the summary would claim too much.
func remarks(run result.Run, all []group) []string {
	repetitions, acked, lost, violations, unmeasured, missing, open, most := 0, 0, 0, 0, 0, 0, 0, 0
	for _, g := range all {
		repetitions += len(g.repetitions)
		most = max(most, len(g.repetitions))
		acked, lost, violations, unmeasured = acked+g.acked, lost+g.lost, violations+g.violations, unmeasured+g.unmeasured
		missing += len(g.repetitions) - len(g.interruptions)
		for _, f := range g.interruptions {
			if f.open {
				open++
			}
		}
	}
	var said []string
	if lost == 0 && violations == 0 {
		said = append(said, fmt.Sprintf("No acknowledged write was found lost (of %s), and no violation. %s For one fault alone, put its own N there.",
			count(acked), ruleOfThree(repetitions)))
	}
	if unmeasured > 0 {
		said = append(said, fmt.Sprintf("In %s something could not be seen; a zero there means “none seen”. The sentences stand with each.",
			plural(unmeasured, "repetition", "repetitions")))
	}
	if open > 0 {
		said = append(said, fmt.Sprintf("%s marks an open interruption: the service was not back when the observation ended, so only a lower bound is known. It counts as longer than every other.", atLeast))
	}
	if missing > 0 {
		said = append(said, fmt.Sprintf("%s means not measured: no client wrote over a new connection.", nothing))
	}
	if slices.ContainsFunc(all, func(g group) bool { return g.doubled > 0 }) {
		said = append(said, "Doubled is the longest time for which two nodes answered ARP for the address: one that is cut off cannot be told to let go. It is a violation only when both acknowledged writes meanwhile and neither was being fenced, or when it lasted.")
	}
	said = append(said, fmt.Sprintf("An interruption lasts from the last good answer before to the first good one after, as a client sees it that connects anew every %s.", duration(run.Interval)))
	if most < 20 {
		said = append(said, "The 95th percentile is by nearest rank; with fewer than 20 repetitions it is the maximum.")
	}
	return append(said, "Availability is the share of that client's attempts that were answered in time while a fault was observed. It says nothing of ordinary days.")
}

// verdict is the head of the page.
type verdict struct {
	Class, Mark, Words string // good, bad or unsure
	Reasons            []string
}

// newVerdict sums a run up. Anything broken is said first; what could not be
// measured is never called good.
func newVerdict(run result.Run) verdict {
	broken, unmeasured, acked := 0, 0, 0
	for _, f := range run.Faults {
		acked += f.Acked
		if len(sla.Breaches(f, maxInterruption(run))) > 0 {
			broken++
		}
		if _, measured := sla.Writer(f); !measured || f.Error != "" || len(f.Unmeasured) > 0 {
			unmeasured++
		}
	}
	var v verdict
	if broken > 0 {
		v.Reasons = append(v.Reasons, fmt.Sprintf("%s of %s broke a promise.", count(broken), plural(len(run.Faults), "repetition", "repetitions")))
	}
	if run.SLA != nil {
		v.Reasons = append(v.Reasons, run.SLA.Reason)
	}
	for _, n := range run.NotBegun {
		v.Reasons = append(v.Reasons, fmt.Sprintf("The run ended before %s, repetition %d: %s.", n.Name, n.Repetition, n.Why))
	}
	unknown := run.SLA != nil && run.SLA.Verdict == string(sla.Unknown)
	switch {
	case broken > 0 || run.SLA != nil && run.SLA.Verdict == string(sla.Breached):
		v.Class, v.Mark, v.Words = "bad", "✗", "A promise was broken"
	case len(run.Faults) == 0:
		v.Class, v.Mark, v.Words = "unsure", "?", "Nothing was measured"
	case unmeasured > 0 || unknown || len(run.NotBegun) > 0:
		v.Class, v.Mark, v.Words = "unsure", "?", "Nothing was found broken, but not everything was measured"
	default:
		v.Class, v.Mark, v.Words = "good", "✓", "No promise was broken"
	}
	if broken == 0 && len(run.Faults) > 0 {
		v.Reasons = append(v.Reasons, fmt.Sprintf("No acknowledged write was found lost (of %s), no violation, and every interruption measured had an end.", count(acked)))
	}
	return v
}
