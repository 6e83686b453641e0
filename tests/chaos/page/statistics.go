package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// figure is an interruption, or what is known of one without an end.
type figure struct {
	length result.Milliseconds
	open   bool
}

// compare puts an open interruption above every other: it was at least so long,
// and nobody knows how much longer.
func (f figure) compare(other figure) int {
	if f.open != other.open {
		if f.open {
			return 1
		}
		return -1
	}
	return cmp.Compare(f.length, other.length)
}

// median is the middle of sorted figures, of an even number the mean of the two
// in the middle; open when one of them is.
func median(sorted []figure) figure {
	n := len(sorted)
	a, b := sorted[(n-1)/2], sorted[n/2]
	return figure{length: (a.length + b.length) / 2, open: a.open || b.open}
}

// nearestRank is the least of the sorted figures that the given share of them
// does not exceed. No value is made up between two: with less than 20 figures,
// the 95th percentile is the longest.
func nearestRank(sorted []figure, part float64) figure {
	rank := int(math.Ceil(part*float64(len(sorted)) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// group is a fault over its repetitions.
type group struct {
	name          string
	repetitions   []result.Fault
	interruptions []figure // sorted; of those repetitions that had a writer
	ticks, inTime float64  // of the writer
	acked         int
	lost          int
	indeterminate int
	doubled       result.Milliseconds // the longest time with the address on two nodes
	violations    int
	unmeasured    int // repetitions in which something could not be seen
}

// groups joins the repetitions of each fault, in the order of their first.
func groups(faults []result.Fault) []group {
	var all []group
	for _, f := range faults {
		i := slices.IndexFunc(all, func(g group) bool { return g.name == f.Name })
		if i < 0 {
			i = len(all)
			all = append(all, group{name: f.Name})
		}
		all[i].add(f)
	}
	for _, g := range all {
		slices.SortFunc(g.interruptions, figure.compare)
	}
	return all
}

func (g *group) add(f result.Fault) {
	g.repetitions = append(g.repetitions, f)
	g.acked += f.Acked
	g.lost += f.Lost
	g.indeterminate += f.Indeterminate
	g.violations += len(f.Violations)
	g.doubled = max(g.doubled, f.LongestDoubled())
	if len(f.Unmeasured) > 0 {
		g.unmeasured++
	}
	if writer, measured := sla.Writer(f); measured {
		g.interruptions = append(g.interruptions, figure{length: writer.Interruption, open: writer.Open})
		g.ticks += float64(writer.Attempts)
		g.inTime += float64(writer.Attempts) * writer.Availability
	}
}

// worst is the index of the repetition that one should look at first: a broken
// promise, then the longest interruption.
func (g group) worst() int {
	worst := 0
	for i, f := range g.repetitions {
		if severity(f).compare(severity(g.repetitions[worst])) > 0 {
			worst = i
		}
	}
	return worst
}

func severity(f result.Fault) figure {
	writer, _ := sla.Writer(f)
	return figure{length: writer.Interruption, open: writer.Open || len(f.Violations) > 0 || f.Lost > 0}
}

// ruleOfThree is the upper bound at 95 % of the share of repetitions in which
// something happens that never happened in n of them, as a sentence (Hanley and
// Lippman-Hand, JAMA 249, 1983). The repetitions are counted and not the writes:
// writes that fail together are not independent.
func ruleOfThree(n int) string {
	switch {
	case n == 0:
		return "None was done, so nothing is known."
	case n <= 3:
		return fmt.Sprintf("None in %s says little: at 95%s%% confidence, nothing at all is excluded.",
			plural(n, "repetition", "repetitions"), narrow)
	}
	return fmt.Sprintf("None in %d repetitions means, at 95%s%% confidence, in at most 3/%d = %s of such repetitions.",
		n, narrow, n, roundShare(3/float64(n)))
}

// roundShare rounds a bound up, to a whole percent where that is enough.
func roundShare(part float64) string {
	percent := part * 100
	if percent >= 10 {
		return fmt.Sprintf("%.0f%s%%", math.Ceil(percent-1e-9), narrow)
	}
	return fmt.Sprintf("%.1f%s%%", math.Ceil(percent*10-1e-9)/10, narrow)
}
