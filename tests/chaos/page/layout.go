package page

import (
	"cmp"
	"slices"

	"holdfast/tests/chaos/result"
)

// leastPlot is the width of a timeline on the narrowest phone, in pixels. What
// fits there fits everywhere.
const leastPlot = 190

// A badge is the numbered circle above a mark.
const (
	badgeWidth = 18 // pixels, with the space beside it
	badgeRows  = 6  // beyond that, badges lie upon each other
)

// badge is a mark with its number and the row in which it has room.
type badge struct {
	result.Mark
	number int
	row    int
}

// badges numbers the marks in order of time and places them: in the first row
// where the badge before leaves room, at the width of a phone. Marks outside w,
// or inside the part that is enlarged elsewhere, keep their number and get no place.
func badges(marks []result.Mark, w, enlarged window) (placed []badge, rows int) {
	sorted := slices.Clone(marks)
	slices.SortStableFunc(sorted, func(a, b result.Mark) int { return cmp.Compare(a.At, b.At) })
	ends := make([]float64, badgeRows)
	for i := range ends {
		ends[i] = -badgeWidth
	}
	for i, m := range sorted {
		if !w.holds(m.At) || enlarged.width() > 0 && enlarged.holds(m.At) {
			continue
		}
		x := w.at(m.At) / 100 * leastPlot
		row := slices.IndexFunc(ends, func(end float64) bool { return x >= end })
		if row < 0 {
			row = badgeRows - 1
		}
		ends[row] = x + badgeWidth
		placed = append(placed, badge{Mark: m, number: i + 1, row: row})
		rows = max(rows, row+1)
	}
	return placed, rows
}

// fit says on which plots a name has room within a span of the given share.
type fit int

const (
	fitNowhere fit = iota
	fitWide        // not on a phone
	fitEverywhere
)

// widePlot is the least width of a timeline on anything wider than a phone.
const widePlot = 560

// nameFit decides where a name of the given length is written into its span.
func nameFit(percent float64, letters int) fit {
	const letter, margin = 6.4, 8 // pixels
	need := float64(letters)*letter + margin
	switch {
	case percent/100*leastPlot >= need:
		return fitEverywhere
	case percent/100*widePlot >= need:
		return fitWide
	}
	return fitNowhere
}

// whole is all that was observed of a repetition.
func whole(f result.Fault) window {
	w := window{from: f.From, to: f.To}
	if w.width() > 0 {
		return w
	}
	for _, m := range f.Marks { // the record of a run that was cut short
		w.from, w.to = min(w.from, m.At), max(w.to, m.At)
	}
	return window{from: w.from, to: max(w.to, w.from+1)}
}

// closeUp is the part around the interruption, where it is less than half of
// what was observed: in a rejoin of a minute, two seconds of failover would be a
// line.
func closeUp(f result.Fault) (window, bool) {
	all := whole(f)
	from, to := result.Milliseconds(0), result.Milliseconds(0)
	for _, m := range f.Marks {
		switch m.Name {
		case result.FirstError, result.ViewChanged, result.AddressMoved, result.ARPChanged, result.FirstOK:
			from, to = min(from, m.At), max(to, m.At)
		}
	}
	for _, c := range f.Clients {
		// Those straight to a node are away for as long as that node is.
		if c.Since != 0 && !c.Open && c.Node == "" {
			from, to = min(from, c.Since), max(to, c.Since+c.Interruption)
		}
	}
	if to <= from {
		return window{}, false
	}
	const least = 200 // milliseconds on each side
	margin := max((to-from)*0.3, least)
	w := window{from: max(all.from, from-margin), to: min(all.to, to+margin)}
	if w.width() <= 0 || w.width() >= all.width()/2 {
		return window{}, false
	}
	return w, true
}
