package figures

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"holdfast/tests/chaos/result"
)

// median is the middle of the interruptions, of an even number the mean of the two in
// the middle, as the page has it.
func median(s result.Summary) string {
	sorted := slices.Sorted(slices.Values(s.Interruption))
	n := len(sorted)
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f s", ((sorted[(n-1)/2] + sorted[n/2]) / 2).Duration().Seconds())
}

// percentile is the least of the interruptions that so many per cent of them do not
// exceed; a dash without any. No value is made up between two.
func percentile(s result.Summary, percent int) string {
	sorted := slices.Sorted(slices.Values(s.Interruption))
	if len(sorted) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f s", sorted[(len(sorted)*percent+99)/100-1].Duration().Seconds())
}

// Text is the whole run for people: median, 95th percentile and longest interruption
// of each fault. Errors have a column when there are some.
func Text(all []result.Summary) string {
	errors := slices.ContainsFunc(all, func(s result.Summary) bool { return s.Errors > 0 })
	var out strings.Builder
	tab := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	line := func(last string, cells ...any) {
		fmt.Fprintf(tab, strings.Repeat("%v\t", len(cells)), cells...)
		if errors {
			fmt.Fprintf(tab, "%s\t", last)
		}
		fmt.Fprintln(tab)
	}
	line("errors", "fault", "n", "median", "p95", "longest", "acked", "lost", "unknown", "violations")
	for _, s := range all {
		line(strconv.Itoa(s.Errors), s.Fault, s.N, median(s), percentile(s, 95), percentile(s, 100), s.Acked, s.Lost, s.Indeterminate, len(s.Violations))
	}
	tab.Flush() //nolint:errcheck // a strings.Builder does not fail
	return out.String()
}

// Markdown is the same for the README: a sentence on the whole and a table.
func Markdown(all []result.Summary) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n<details><summary>Each fault</summary>\n\n", sentence(all))
	out.WriteString("| fault | times | median | longest | acknowledged writes lost |\n|---|---|---|---|---|\n")
	for _, s := range all {
		fmt.Fprintf(&out, "| `%s` | %d | %s | %s | %d |\n", s.Fault, s.N, median(s), percentile(s, 100), s.Lost)
	}
	out.WriteString("\n</details>\n")
	return out.String()
}

func sentence(all []result.Summary) string {
	var whole result.Summary
	for _, s := range all {
		whole.N, whole.Errors, whole.Acked, whole.Lost = whole.N+s.N, whole.Errors+s.Errors, whole.Acked+s.Acked, whole.Lost+s.Lost
		whole.Violations = append(whole.Violations, s.Violations...)
	}
	text := fmt.Sprintf("%d faults, done %d times in all: %s acknowledged writes, of which %s lost; %s.",
		len(all), whole.N, thousands(whole.Acked), were(whole.Lost), broken(len(whole.Violations)))
	if whole.Errors > 0 {
		text += fmt.Sprintf(" %d of the repetitions could not be measured as they should.", whole.Errors)
	}
	return text
}

func were(n int) string {
	switch n {
	case 0:
		return "none was"
	case 1:
		return "1 was"
	}
	return thousands(n) + " were"
}

func broken(violations int) string {
	switch violations {
	case 0:
		return "no promise about the data was broken"
	case 1:
		return "a promise was broken once"
	}
	return fmt.Sprintf("promises were broken %d times", violations)
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Missing are the faults that were not measured so many times, and how often they were.
// There are none when the campaign is whole.
func Missing(all []result.Summary, faults []string, times int) []string {
	var missing []string
	for _, name := range faults {
		measured := 0
		for _, s := range all {
			if s.Fault == name {
				measured += s.N - s.Errors
			}
		}
		if measured < times {
			missing = append(missing, fmt.Sprintf("%s (%d)", name, measured))
		}
	}
	return missing
}

// The markers of what Replace replaces.
const (
	Begin = "<!-- campaign: make evidence writes this -->"
	End   = "<!-- campaign: end -->"
)

// Replace puts text between the markers of a page; false when it does not have them,
// once each and in this order.
func Replace(page, text string) (string, bool) {
	before, rest, begins := strings.Cut(page, Begin+"\n")
	_, after, ends := strings.Cut(rest, End+"\n")
	if !begins || !ends || strings.Contains(after, Begin) || strings.Contains(after, End) {
		return page, false
	}
	return before + Begin + "\n" + text + End + "\n" + after, true
}
