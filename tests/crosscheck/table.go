package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// limits are what crmbridge and the monitor may differ by, and a record may come late by.
type limits struct{ difference, lag time.Duration }

// agrees says whether everything of a finding is as it should be.
func (f finding) agrees(l limits) bool {
	if f.Missing || f.WrongCause || f.WrongPlanned || f.Split || f.Unbalanced || f.Lag != nil && *f.Lag > l.lag {
		return false
	}
	return !slices.ContainsFunc([]*time.Duration{f.Occurrence, f.Back, f.Interruption}, func(d *time.Duration) bool {
		return d != nil && d.Abs() > l.difference
	})
}

const legend = `
Differences are crmbridge's time minus the monitor's, the median and the one that is furthest from zero, in milliseconds.
  OCCURRENCE    against when the fault struck the node; of what is planned, when it was asked for
  SERVICE BACK  against the first write that was answered again
  INTERRUPTION  against what a client felt that connects anew for each write
  LATE          from the end of an incident until its record was in the journal of the last node, the longest
  WRONG         records with another cause than the fault's, or planned taken for unplanned
  SPLIT         faults that two nodes of one partition recorded under two IDs
`

// print makes the table of all faults and the list of the worst differences.
func print(w io.Writer, findings []finding, l limits) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FAULT\tN\tRECORDS\tWRONG\tSPLIT\tOCCURRENCE\tSERVICE BACK\tINTERRUPTION\tLATE")
	var names []string
	by := map[string][]finding{}
	for _, f := range findings {
		if by[f.Fault] == nil {
			names = append(names, f.Fault)
		}
		by[f.Fault] = append(by[f.Fault], f)
	}
	for _, name := range names {
		fs := by[name]
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", name, len(fs),
			count(fs, func(f finding) bool { return f.Record != "" }), count(fs, func(f finding) bool { return f.WrongCause || f.WrongPlanned }),
			count(fs, func(f finding) bool { return f.Split }),
			spread(fs, func(f finding) *time.Duration { return f.Occurrence }), spread(fs, func(f finding) *time.Duration { return f.Back }),
			spread(fs, func(f finding) *time.Duration { return f.Interruption }), latest(fs))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, legend)
	return printWorst(w, findings, l)
}

// printWorst lists what is not as it should be.
func printWorst(w io.Writer, findings []finding, l limits) error {
	bad := slices.DeleteFunc(slices.Clone(findings), func(f finding) bool { return f.agrees(l) })
	if len(bad) == 0 {
		_, err := fmt.Fprintf(w, "\nAll %d repetitions agree within %v, and no record is more than %v late.\n", len(findings), l.difference, l.lag)
		return err
	}
	fmt.Fprintf(w, "\n%d of %d repetitions do not agree within %v, or have a record more than %v late:\n\n", len(bad), len(findings), l.difference, l.lag)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FAULT\tRECORD\tCAUSE\tOCCURRENCE\tSERVICE BACK\tINTERRUPTION\tLATE\tWHAT ELSE")
	for _, f := range bad {
		fmt.Fprintf(t, "%s #%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Fault, f.Repetition, cmp.Or(f.Record, "-"), cmp.Or(string(f.Cause), "-"),
			ms(f.Occurrence), ms(f.Back), ms(f.Interruption), ms(f.Lag), f.otherwise())
	}
	return t.Flush()
}

func (f finding) otherwise() string {
	text := ""
	for _, c := range []struct {
		is   bool
		what string
	}{
		{f.Missing, "no record"}, {f.WrongCause, "another cause"}, {f.WrongPlanned, "planned mistaken"}, {f.Split, "two IDs"},
		{f.Unbalanced, "phases do not add up"},
	} {
		if c.is {
			text += c.what + " "
		}
	}
	return text
}

func count(fs []finding, is func(finding) bool) (n int) {
	for _, f := range fs {
		if is(f) {
			n++
		}
	}
	return n
}

func ms(d *time.Duration) string {
	if d == nil {
		return "-"
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

// spread is the median of differences and the one furthest from zero.
func spread(fs []finding, of func(finding) *time.Duration) string {
	var all []time.Duration
	for _, f := range fs {
		if d := of(f); d != nil {
			all = append(all, *d)
		}
	}
	if len(all) == 0 {
		return "-"
	}
	slices.Sort(all)
	median := (all[(len(all)-1)/2] + all[len(all)/2]) / 2
	furthest := slices.MaxFunc(all, func(a, b time.Duration) int { return cmp.Compare(a.Abs(), b.Abs()) })
	return fmt.Sprintf("%+d (%+d)", median.Milliseconds(), furthest.Milliseconds())
}

func latest(fs []finding) string {
	var longest *time.Duration
	for _, f := range fs {
		if f.Lag != nil && (longest == nil || *f.Lag > *longest) {
			longest = f.Lag
		}
	}
	return ms(longest)
}
