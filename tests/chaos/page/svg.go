package page

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// drawing writes SVG elements. Horizontal values are percentages of the width,
// vertical ones pixels; every text and title is escaped here and nowhere else.
type drawing struct {
	strings.Builder
}

// number writes no more digits than can be seen.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0"), ".")
}

func pct(v float64) string { return number(v) + "%" }

// rect draws a box with the given tooltip; its classes are from this package.
func (d *drawing) rect(class string, x, y, width, height float64, title string) {
	fmt.Fprintf(d, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"`, class, pct(x), number(y), pct(width), number(height))
	if title == "" {
		d.WriteString("/>")
		return
	}
	fmt.Fprintf(d, "><title>%s</title></rect>", html.EscapeString(title))
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, pct(x1), number(y1), pct(x2), number(y2))
}

// text writes s at x percent and dx pixels from there.
func (d *drawing) text(class string, x, dx, y float64, s string) {
	fmt.Fprintf(d, `<text class="%s" x="%s" y="%s"`, class, pct(x), number(y))
	if dx != 0 {
		fmt.Fprintf(d, ` dx="%s"`, number(dx))
	}
	fmt.Fprintf(d, ">%s</text>", html.EscapeString(s))
}

// beside writes the name of a row, left of the plot; a name that is cut has all
// of it in its tooltip.
func (d *drawing) beside(class string, y float64, name string) {
	const most = 10 // letters that the margin has room for
	short := shorten(name, most)
	if short == name {
		d.text(class, 0, -8, y, name)
		return
	}
	fmt.Fprintf(d, `<text class="%s" x="0" dx="-8" y="%s">%s<title>%s</title></text>`,
		class, number(y), html.EscapeString(short), html.EscapeString(name))
}

// circle draws a circle with a radius in pixels.
func (d *drawing) circle(class string, x, y, radius float64, title string) {
	fmt.Fprintf(d, `<circle class="%s" cx="%s" cy="%s" r="%s"><title>%s</title></circle>`,
		class, pct(x), number(y), number(radius), html.EscapeString(title))
}

// at begins a group whose content is in pixels around x percent, y pixels.
func (d *drawing) at(x, y float64, class, content string) {
	fmt.Fprintf(d, `<svg class="%s" x="%s" y="%s" overflow="visible">%s</svg>`, class, pct(x), number(y), content)
}

// stretched draws paths in a box of 1000 x height that is as wide as the plot;
// the strokes keep their width.
func (d *drawing) stretched(y, height float64, paths string) {
	fmt.Fprintf(d, `<svg y="%s" width="100%%" height="%s" viewBox="0 0 1000 %s" preserveAspectRatio="none">%s</svg>`,
		number(y), number(height), number(height), paths)
}

// picture wraps a drawing. id is unique on the page; title and description are
// what a screen reader says instead of it.
func picture(id, class string, height float64, title, description, content string) string {
	return fmt.Sprintf(`<svg class="%s" role="img" aria-labelledby="%s-t %s-d" height="%s" xmlns="http://www.w3.org/2000/svg">`+
		`<title id="%s-t">%s</title><desc id="%s-d">%s</desc>%s</svg>`,
		class, id, id, number(height), id, html.EscapeString(title), id, html.EscapeString(description), content)
}
