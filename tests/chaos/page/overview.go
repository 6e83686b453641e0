package page

import (
	"fmt"
	"strings"

	"holdfast/tests/chaos/result"
)

// drawOverview shows every interruption of a run on one logarithmic scale: a row
// for each fault, a dot for each repetition, a bar at the median of three and
// more. Empty when none was measured.
func drawOverview(all []group, longest result.Milliseconds) string {
	const rowHeight, many = 40, 8
	head := 18.0
	if len(all) > many { // the scale below is out of sight
		head += 16
	}
	values := []result.Milliseconds{longest}
	measured := 0
	for _, g := range all {
		measured += len(g.interruptions)
		for _, f := range g.interruptions {
			values = append(values, f.length)
		}
	}
	if measured == 0 {
		return ""
	}
	scale := newDecades(values, 1, 4)
	bottom := head + float64(rowHeight*len(all))
	var d drawing
	for _, tick := range scale.fineTicks() {
		d.line("grid", tick.at, head, tick.at, bottom+4)
		d.text("tick", tick.at, 0, bottom+16, tick.label)
		if len(all) > many {
			d.text("tick", tick.at, 0, 10, tick.label)
		}
	}
	if longest > 0 {
		d.line("limit", scale.at(longest)*100, head-4, scale.at(longest)*100, bottom)
	}
	var told []string
	for i, g := range all {
		y := head + float64(rowHeight*i)
		d.text("what", 0, 0, y+12, g.name)
		d.line("rail", 0, y+rowHeight-2, 100, y+rowHeight-2)
		told = append(told, overviewRow(&d, g, scale, y+25))
	}
	if longest > 0 {
		d.text("limitname", scale.at(longest)*100, 0, head-7, "promised "+atMost+duration(longest))
		told = append(told, "Promised: at most "+duration(longest)+".")
	}
	return picture("overview", "overview", bottom+axisHeight, "Interruptions of each fault, logarithmic scale",
		strings.Join(told, " "), d.String())
}

// overviewRow draws one fault and says it in words.
func overviewRow(d *drawing, g group, scale decades, y float64) string {
	if len(g.interruptions) == 0 {
		d.text("what", 0, 0, y+4, "not measured")
		return g.name + ": not measured."
	}
	words := make([]string, 0, len(g.interruptions))
	for _, f := range g.interruptions {
		x := scale.at(f.length) * 100
		said := figureWords(f)
		if f.open {
			d.at(x, y, "repetition open", fmt.Sprintf(`<path d="M-4 -5 6 0 -4 5z"><title>%s</title></path>`, said))
		} else {
			d.circle("repetition", x, y, 4.5, said)
		}
		words = append(words, said)
	}
	if len(g.interruptions) > 2 {
		middle := scale.at(median(g.interruptions).length) * 100
		d.line("median", middle, y-9, middle, y+9)
	}
	return g.name + ": " + strings.Join(words, ", ") + "."
}

// figureWords is a figure for a sentence.
func figureWords(f figure) string {
	if f.open {
		return atLeast + duration(f.length) + " (open)"
	}
	return duration(f.length)
}
