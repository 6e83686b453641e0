package page

import (
	"cmp"
	"maps"
	"slices"

	"holdfast/tests/chaos/result"
)

// The verdicts of an attempt.
const (
	acknowledged  = "acknowledged"
	refused       = "refused"
	indeterminate = "indeterminate"
)

// raster is the grain of a plot: dots that fall on the same place look like one,
// so one is drawn.
type raster struct{ columns, rows int }

// The two grains. A page of 150 repetitions in the fine one has 15 MB.
func fine() raster   { return raster{columns: 400, rows: 60} }
func coarse() raster { return raster{columns: 160, rows: 24} }

// thin keeps of all dots in the window one for each place of the raster and
// verdict, the slowest. Nothing visible is lost: a lone failure among 100,000
// answers has a place of its own.
func (r raster) thin(dots []result.Dot, w window, scale decades) []result.Dot {
	type place struct {
		column, row int
		verdict     string
	}
	kept := map[place]result.Dot{}
	for _, d := range dots {
		if !w.holds(d.At) {
			continue
		}
		p := place{column: r.column(w, d.At), verdict: d.Verdict}
		if d.Verdict == acknowledged { // the others have one row each
			p.row = int(scale.at(d.Latency) * float64(r.rows))
		}
		if old, taken := kept[p]; !taken || slower(d, old) {
			kept[p] = d
		}
	}
	return slices.SortedFunc(maps.Values(kept), func(a, b result.Dot) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.Verdict, b.Verdict))
	})
}

// column is the place of a time in the raster.
func (r raster) column(w window, at result.Milliseconds) int {
	return min(int(w.at(at)/100*float64(r.columns)), r.columns-1)
}

// slower makes the choice independent of the order of the dots.
func slower(a, b result.Dot) bool {
	return cmp.Or(cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.At, b.At)) > 0
}

// inside counts the dots in the window.
func inside(dots []result.Dot, w window) int {
	n := 0
	for _, d := range dots {
		if w.holds(d.At) {
			n++
		}
	}
	return n
}
