package main

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/sla"
)

// Sizes in a chart, in pixels; horizontal places are percentages, so that it fills a
// phone, a screen or a sheet and its letters keep their size.
const (
	rowHeight = 22
	barHeight = 14
)

// chart draws the phases of a record as a waterfall. What is measured, from a log or
// estimated differs in its pattern, not only in its colour.
func chart(x incident.Record) template.HTML {
	if len(x.Phases) == 0 {
		return ""
	}
	from, to := x.Phases[0].Begin, x.Phases[0].End
	for _, p := range x.Phases {
		if p.Begin.Before(from) {
			from = p.Begin
		}
		if p.End.After(to) {
			to = p.End
		}
	}
	whole := float64(max(to.Sub(from), 1))
	place := func(t time.Time) float64 { return 100 * float64(t.Sub(from)) / whole }
	var b strings.Builder
	height := rowHeight*len(x.Phases) + 20
	fmt.Fprintf(&b, `<svg class="chart" height="%d" role="img" aria-label="phases, %s in all">`, height, seconds(to.Sub(from)))
	for _, t := range ticks(to.Sub(from)) {
		at := place(from.Add(t))
		fmt.Fprintf(&b, `<line class="grid" x1="%.3f%%" x2="%.3f%%" y1="0" y2="%d"/><text class="tick" x="%.3f%%" y="%d">%s</text>`,
			at, at, height-16, at, height-3, tickLabel(t))
	}
	for i, p := range x.Phases {
		y := i * rowHeight
		class := string(p.Basis)
		if p.Path {
			class += " path"
		}
		if p.Failed {
			class += " failed"
		}
		fmt.Fprintf(&b, `<rect class="span %s" x="%.3f%%" y="%d" height="%d" style="width:max(2px,%.3f%%)"><title>%s</title></rect>`,
			class, place(p.Begin), y+4, barHeight, place(p.End)-place(p.Begin),
			template.HTMLEscapeString(fmt.Sprintf("%s: %s, %s. %s", phaseLabel(p), seconds(p.Duration), p.Basis, p.Note)))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // made of numbers and escaped text
}

// ticks are round times on a scale, at most seven.
func ticks(whole time.Duration) []time.Duration {
	step := time.Millisecond
	for factors := []time.Duration{2, 5, 10}; ; { // 1, 2, 5, 10, 20, 50 ...
		decade := step
		for _, f := range factors {
			if whole/step <= 6 {
				break
			}
			step = decade * f
		}
		if whole/step <= 6 {
			break
		}
	}
	var all []time.Duration
	for t := time.Duration(0); t <= whole; t += step {
		all = append(all, t)
	}
	return all
}

func tickLabel(t time.Duration) string {
	if t < time.Second && t > 0 {
		return fmt.Sprintf("%d ms", t.Milliseconds())
	}
	return t.String()
}

// timeline draws the window: when the service was away, and every other incident.
func timeline(v sla.Verdict, records []incident.Record) template.HTML {
	whole := float64(max(v.To.Sub(v.From), 1))
	place := func(t time.Time) float64 { return min(100, max(0, 100*float64(t.Sub(v.From))/whole)) }
	var b strings.Builder
	b.WriteString(`<svg class="window" height="44" role="img" aria-label="incidents in the window"><rect class="rail" x="0" y="14" width="100%" height="16"/>`)
	outages := sla.Outages(records, v.To)
	for _, x := range records {
		class := "mark"
		switch {
		case len(outages[x.ID]) > 0 && x.Planned:
			class = "mark planned"
		case len(outages[x.ID]) > 0:
			class = "mark away"
		}
		width := 0.0
		for _, s := range outages[x.ID] {
			width = place(s.To) - place(s.From)
		}
		fmt.Fprintf(&b, `<a href="#%s"><rect class="%s" x="%.3f%%" y="6" height="32" style="width:max(3px,%.3f%%)"><title>%s</title></rect></a>`,
			template.HTMLEscapeString(x.ID), class, place(x.Begin.At), width, template.HTMLEscapeString(x.ID+" "+string(x.Cause.Kind)))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // made of numbers and escaped text
}
