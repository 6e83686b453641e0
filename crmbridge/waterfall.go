package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
)

// width is how many characters the time of an incident takes in a waterfall.
const width = 50

// waterfall draws the phases of a record: when each began and ended, on one scale.
func waterfall(out io.Writer, x incident.Record) {
	if len(x.Phases) == 0 {
		return
	}
	from, to := x.Phases[0].Begin, x.Phases[0].End
	label := 0
	for _, p := range x.Phases {
		if p.Begin.Before(from) {
			from = p.Begin
		}
		if p.End.After(to) {
			to = p.End
		}
		label = max(label, len(phaseLabel(p)))
	}
	fmt.Fprintf(out, "\n  %-*s  %9s  %9s  |%-*s|\n", label, "Phase", "from", "for", width, " "+seconds(to.Sub(from)))
	path := true
	for _, p := range x.Phases {
		if path && !p.Path {
			path = false
			fmt.Fprintf(out, "  %-*s  %9s  %9s  |%s|\n", label, "", "", "", strings.Repeat(" ", width))
		}
		note := ""
		if p.Failed || p.Name == incident.PhaseUnfinished {
			note = "  " + p.Note
		}
		fmt.Fprintf(out, "  %-*s  %9s  %9s  |%s|%s\n", label, phaseLabel(p), offset(p.Begin.Sub(from)), seconds(p.Duration), bar(p, from, to), note)
	}
	fmt.Fprint(out, "\n  = measured   - from a log   . estimated   (the first lines add up to the interruption)\n")
}

func phaseLabel(p incident.Phase) string {
	text := string(p.Name)
	if p.Resource != "" {
		text += " " + p.Resource
	}
	if p.Node != "" {
		text += " " + p.Node
	}
	return text
}

func offset(d time.Duration) string { return fmt.Sprintf("+%.3f", d.Seconds()) }

// bar is a phase on the scale; what is too short to see is one character.
func bar(p incident.Phase, from, to time.Time) string {
	mark := map[incident.Basis]string{incident.Measured: "=", incident.Logged: "-", incident.Estimated: "."}[p.Basis]
	whole := max(to.Sub(from), 1)
	column := func(t time.Time) int { return int(float64(t.Sub(from)) / float64(whole) * width) }
	begin := min(column(p.Begin), width-1)
	length := max(1, min(column(p.End), width)-begin)
	return strings.Repeat(" ", begin) + strings.Repeat(mark, length) + strings.Repeat(" ", width-begin-length)
}
