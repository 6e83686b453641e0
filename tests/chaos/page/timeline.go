package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// The heights of the parts of a timeline, in pixels.
const (
	badgeHeight = 20
	laneHeight  = 16
	laneStep    = 22
	groupGap    = 8
	rugHeight   = 12
	plotHeight  = 120
	axisHeight  = 22
)

// timeline draws one window of a repetition, from the top to the bottom.
type timeline struct {
	run    result.Run
	fault  result.Fault
	w      window
	raster raster
	scale  decades // of the writer's latencies, the same in every window

	y     float64
	body  drawing // lanes and dots
	heads drawing // badges
	lines drawing // through everything, below the words
	words drawing // on the lanes
	told  []string
	drawn int // dots
}

// view is a finished timeline with what belongs below it.
type view struct {
	svg     string
	caption string
}

// drawView draws the window w of a fault. Of the part that another view enlarges
// it only says so, because its marks would lie upon each other; violations are
// drawn everywhere.
func drawView(run result.Run, f result.Fault, w, enlarged window, grain raster, id, name string) view {
	t := &timeline{run: run, fault: f, w: w, raster: grain, scale: latencyScale(f)}
	var x []float64
	var classes []string
	t.bracket(enlarged)
	t.marks(f.Marks, enlarged, "badge", "mark", &x, &classes)
	t.marks(violationMarks(f.Violations), window{}, "badge broken", "mark broken", &x, &classes)
	top := t.y
	t.lanes()
	dots := t.latency()
	bottom := t.y
	t.axis(top, bottom)
	for i := range x {
		t.lines.line(classes[i], x[i], top-4, x[i], bottom)
	}
	title := fmt.Sprintf("%s, repetition %d, %s: from %s to %s", f.Name, f.Repetition, name, offset(w.from), offset(w.to))
	content := t.active(top, bottom) + t.body.String() + t.lines.String() + t.words.String() + t.heads.String()
	return view{
		svg:     picture(id, "timeline", t.y, title, strings.Join(t.told, " "), content),
		caption: dotsCaption(t.drawn, inside(dots, w)),
	}
}

// active shades the time in which the fault was in force.
func (t *timeline) active(top, bottom float64) string {
	from, to := result.Milliseconds(0), t.w.to
	known := false
	for _, m := range t.fault.Marks {
		switch m.Name {
		case result.Injected:
			from, known = m.At, true
		case result.Undone:
			to = m.At
		}
	}
	var d drawing
	if a, b := t.w.at(from), t.w.at(to); known && b > a {
		d.rect("active", a, top, b-a, bottom-top, "the fault was in force from "+offset(from)+" to "+offset(to))
	}
	return d.String()
}

// bracket shows which part another view enlarges.
func (t *timeline) bracket(enlarged window) {
	if enlarged.width() <= 0 {
		return
	}
	a, b := t.w.at(enlarged.from), t.w.at(enlarged.to)
	t.body.text("what", a, 0, t.y+8, "enlarged above")
	t.body.rect("enlarged", a, t.y+13, b-a, 3, "")
	t.y += badgeHeight
}

// marks draws numbered badges and remembers where their lines go.
func (t *timeline) marks(marks []result.Mark, enlarged window, badgeClass, lineClass string, x *[]float64, classes *[]string) {
	placed, rows := badges(marks, t.w, enlarged)
	for _, b := range placed {
		at := t.w.at(b.At)
		shape := `<circle r="8"/>`
		if strings.Contains(badgeClass, "broken") {
			shape = `<path d="M-9 7 0 -10 9 7z"/>`
		}
		t.heads.at(at, t.y+float64(b.row)*badgeHeight+10, badgeClass, fmt.Sprintf(`%s<text y="4">%d</text>`, shape, b.number))
		*x, *classes = append(*x, at), append(*classes, lineClass)
	}
	t.y += float64(rows) * badgeHeight
	if rows > 0 {
		t.y += 4
	}
}

// lanes draws the nodes, the address and the clients.
func (t *timeline) lanes() {
	for _, lane := range t.fault.Lanes {
		if t.nodeIndex(lane.Name) >= 0 {
			t.lane(lane.Name, "", lane.Spans, func(state string) look { return stateLook(state) })
		}
	}
	for _, lane := range t.fault.Lanes {
		if t.nodeIndex(lane.Name) < 0 {
			t.lane("address", lane.Name, lane.Spans, t.ownerLook)
		}
	}
	t.y += groupGap
	for _, c := range t.fault.Clients {
		spans := serviceSpans(c.Dots, t.run.Interval, t.run.Deadline)
		if len(spans) > 0 {
			t.lane(clientLabel(c), clientName(c), spans, func(state string) look { return stateLook(state) })
		}
		if c.Kind == sla.WriterKind && c.Since != 0 {
			t.interruption(c)
		}
	}
}

// lane draws one row of spans, and names those that have room for it.
func (t *timeline) lane(label, name string, spans []result.Span, looks func(string) look) {
	shown := clipSpans(mergeSpans(spans), t.w)
	t.body.beside("name", t.y+12, label)
	t.body.line("rail", 0, t.y+laneHeight, 100, t.y+laneHeight)
	wide, slivers := t.raster.spans(shown, t.w, looks)
	for _, s := range wide {
		state := stateName(s.State)
		x, width := t.w.at(s.From), t.w.at(s.To)-t.w.at(s.From)
		words := ""
		if width >= 1 && t.raster == fine() { // what is narrower nobody can point at
			words = label + ": " + spanWords(s)
		}
		class := "span " + string(looks(s.State))
		t.body.rect(class, x, t.y, width, laneHeight, words)
		switch nameFit(width, len([]rune(state))) {
		case fitEverywhere:
			t.words.text("state "+class, x+width/2, 0, t.y+12, state)
		case fitWide:
			t.words.text("state wide "+class, x+width/2, 0, t.y+12, state)
		case fitNowhere:
		}
	}
	t.slivers(slivers)
	said := make([]string, len(shown))
	for i, s := range shown {
		said[i] = spanWords(s)
	}
	t.tell(strings.TrimSpace(label+" "+name), said)
	t.y += laneStep
}

// slivers draws what is too narrow for boxes: it lies on the ends of its neighbours.
func (t *timeline) slivers(all map[look][]int) {
	var paths strings.Builder
	width := 1000 / float64(t.raster.columns)
	for _, l := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&paths, `<path class="sliver %s" d="`, l)
		for columns := all[l]; len(columns) > 0; {
			n := 1
			for n < len(columns) && columns[n] == columns[0]+n {
				n++
			}
			fmt.Fprintf(&paths, "M%s 0h%sv%dh-%sz", number(float64(columns[0])*width), number(float64(n)*width), laneHeight, number(float64(n)*width))
			columns = columns[n:]
		}
		paths.WriteString(`"/>`)
	}
	if paths.Len() > 0 {
		t.body.stretched(t.y, laneHeight, paths.String())
	}
}

func stateName(state string) string {
	if state == "" {
		return "nobody"
	}
	return state
}

func spanWords(s result.Span) string {
	return fmt.Sprintf("%s from %s to %s", stateName(s.State), offset(s.From), offset(s.To))
}

// tell adds a row to the description, unless it would take minutes to hear.
func (t *timeline) tell(row string, said []string) {
	const most = 6
	if len(said) > most {
		said = append(said[:most:most], fmt.Sprintf("and %d changes more", len(said)-most))
	}
	if len(said) > 0 {
		t.told = append(t.told, row+": "+strings.Join(said, ", ")+".")
	}
}

// interruption brackets the time without a good answer, below the writer's lane.
func (t *timeline) interruption(c result.Client) {
	from, to := c.Since, c.Since+c.Interruption
	if to < t.w.from || from > t.w.to {
		return
	}
	words := "interruption " + duration(c.Interruption)
	if c.Open {
		words = "interruption open, " + atLeast + duration(c.Interruption)
	}
	a, b, y := t.w.at(from), t.w.at(to), t.y+2
	t.body.line("gap", a, y, b, y)
	t.body.line("gap", a, y-4, a, y+4)
	if !c.Open {
		t.body.line("gap", b, y-4, b, y+4)
	}
	switch {
	case nameFit(b-a, len([]rune(words))) == fitEverywhere:
		t.words.text("gapname middle", (a+b)/2, 0, y+14, words)
	case a+b < 100:
		t.words.text("gapname", a, 0, y+14, words)
	default:
		t.words.text("gapname end", b, 0, y+14, words)
	}
	t.tell("writer", []string{words + " from " + offset(from)})
	t.y += laneStep
}

// axis draws the time scale.
func (t *timeline) axis(top, bottom float64) {
	const most = 4 // labels have room beside each other on a phone
	t.body.line("axis", 0, bottom, 100, bottom)
	for _, tick := range timeTicks(t.w, most) {
		t.lines.line("grid", tick.at, top, tick.at, bottom+4)
		t.body.text("tick", tick.at, 0, bottom+16, tick.label)
	}
	t.y = bottom + axisHeight
}

func (t *timeline) nodeIndex(name string) int {
	return slices.IndexFunc(t.run.Nodes, func(n result.Node) bool { return n.Name == name })
}

// ownerLook is the look of the address' lane: the node that answers for it.
func (t *timeline) ownerLook(state string) look {
	const colours = 4
	if strings.Contains(state, "+") {
		return lookDoubled
	}
	if i := t.nodeIndex(state); i >= 0 {
		return look(fmt.Sprintf("owner%d", i%colours))
	}
	if stateLook(state) == lookGone {
		return lookGone
	}
	return lookOther
}

func violationMarks(all []result.Violation) []result.Mark {
	marks := make([]result.Mark, len(all))
	for i, v := range all {
		marks[i] = result.Mark{Name: v.Kind, At: v.At, Node: v.Node}
	}
	return marks
}
