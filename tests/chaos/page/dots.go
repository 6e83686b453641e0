package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// latency draws the attempts of the writer and returns all of them: the answered
// by their latency, the others in a row for each verdict.
func (t *timeline) latency() []result.Dot {
	c, found := plotted(t.fault)
	if !found {
		return nil
	}
	dots := t.raster.thin(c.Dots, t.w, t.scale)
	t.drawn = len(dots)
	t.y += groupGap
	t.words.text("what", 0, 0, t.y+8, clientLabel(c)+": latency, log scale")
	t.y += 14
	t.rug("refused", dots, refused, "refused")
	t.rug("indeterm.", dots, indeterminate, "indeterminate")
	t.y += 10
	for _, tick := range t.scale.ticks() {
		y := t.y + plotHeight*(1-tick.at/100)
		t.body.line("grid", 0, y, 100, y)
		t.body.text("name tick", 0, -8, y+4, tick.label)
	}
	t.body.stretched(t.y, plotHeight, dotPath(acknowledged, t.raster.answered(dots, t.w, t.scale)))
	t.y += plotHeight
	t.tell("writer's latency", []string{fmt.Sprintf("median %s, 99%s%% within %s, longest %s",
		duration(c.Latency.P50), narrow, duration(c.Latency.P99), duration(c.Latency.Max))})
	return c.Dots
}

// answered draws the answered attempts. Those of one column that touch each
// other are one stroke, which looks the same and is a fraction of the page.
func (r raster) answered(dots []result.Dot, w window, scale decades) string {
	touching := max(3, int(plotHeight)/r.rows) // pixels; a dot is wider
	columns := map[int][]int{}
	for _, d := range dots {
		if d.Verdict == acknowledged {
			c := r.column(w, d.At)
			columns[c] = append(columns[c], int(plotHeight*(1-scale.at(d.Latency))+0.5))
		}
	}
	var path strings.Builder
	for _, c := range slices.Sorted(maps.Keys(columns)) {
		heights := slices.Sorted(slices.Values(columns[c]))
		x := (float64(c) + 0.5) * 1000 / float64(r.columns)
		for from := 0; from < len(heights); {
			to := from
			for to+1 < len(heights) && heights[to+1]-heights[to] <= touching {
				to++
			}
			fmt.Fprintf(&path, "M%.0f %dv%d", x, heights[from], heights[to]-heights[from])
			from = to + 1
		}
	}
	return path.String()
}

// rug draws the attempts of one verdict as strokes in a row.
func (t *timeline) rug(label string, dots []result.Dot, verdict, class string) {
	t.body.beside("name", t.y+10, label)
	t.body.line("rail", 0, t.y+rugHeight, 100, t.y+rugHeight)
	var path strings.Builder
	for _, d := range dots {
		if d.Verdict == verdict {
			fmt.Fprintf(&path, "M%.0f 2v%d", t.w.at(d.At)*10, rugHeight-3)
		}
	}
	t.body.stretched(t.y, rugHeight, dotPath(class, path.String()))
	t.y += rugHeight + 2
}

func dotPath(class, path string) string {
	if path == "" {
		return ""
	}
	return fmt.Sprintf(`<path class="dots %s" vector-effect="non-scaling-stroke" d="%s"/>`, class, path)
}

// plotted is the client whose latencies are drawn: the writer, or the first that
// has any.
func plotted(f result.Fault) (result.Client, bool) {
	if c, found := sla.Writer(f); found && len(c.Dots) > 0 {
		return c, true
	}
	for _, c := range f.Clients {
		if len(c.Dots) > 0 {
			return c, true
		}
	}
	return result.Client{}, false
}

// latencyScale covers every answered attempt of a repetition.
func latencyScale(f result.Fault) decades {
	c, _ := plotted(f)
	var values []result.Milliseconds
	for _, d := range c.Dots {
		if d.Verdict == acknowledged {
			values = append(values, d.Latency)
		}
	}
	return newDecades(values, 0, 2)
}

// dotsCaption says when not every attempt is drawn.
func dotsCaption(drawn, all int) string {
	switch {
	case all == 0:
		return "No single attempt was recorded."
	case drawn == all:
		return plural(all, "attempt", "attempts") + "."
	}
	return fmt.Sprintf("%s of %s attempts drawn; the others, none of them slower, would lie on them.", count(drawn), count(all))
}

// clientLabel is the short name of a client, beside its lane.
func clientLabel(c result.Client) string {
	switch c.Kind {
	case sla.WriterKind:
		return "writer"
	case "direct":
		return "→ " + c.Node
	}
	return c.Kind
}

// clientName is what a client does.
func clientName(c result.Client) string {
	switch c.Kind {
	case sla.WriterKind:
		return "a write over a new connection each time"
	case "persistent":
		return "writes over one connection"
	case "read":
		return "reads"
	case "direct":
		return "writes straight to " + c.Node
	case "glued":
		return "writes to the address at the MAC of " + c.Node
	}
	return c.Kind
}
