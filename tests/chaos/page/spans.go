package page

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"holdfast/tests/chaos/result"
)

// mergeSpans sorts the spans of a lane, joins neighbours of the same state and
// leaves out those without a length.
func mergeSpans(spans []result.Span) []result.Span {
	sorted := slices.Clone(spans)
	slices.SortStableFunc(sorted, func(a, b result.Span) int { return cmp.Compare(a.From, b.From) })
	var merged []result.Span
	for _, s := range sorted {
		if s.To <= s.From {
			continue
		}
		if last := len(merged) - 1; last >= 0 && merged[last].State == s.State && s.From <= merged[last].To {
			merged[last].To = max(merged[last].To, s.To)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// clipSpans is what the window shows of spans.
func clipSpans(spans []result.Span, w window) []result.Span {
	var clipped []result.Span
	for _, s := range spans {
		s.From, s.To = max(s.From, w.from), min(s.To, w.to)
		if s.To > s.From {
			clipped = append(clipped, s)
		}
	}
	return clipped
}

// spans divides the spans in a window by what can be seen of them: those wider
// than a column of the raster, and of the narrower ones in a column the worst, in
// the whole of the column. A failure of 10 ms is so never less than visible, and a
// minute of them is not a thousand boxes.
func (r raster) spans(spans []result.Span, w window, looks func(string) look) (wide []result.Span, slivers map[look][]int) {
	worst := map[int]string{}
	for _, s := range spans {
		if s.To-s.From >= w.width()/result.Milliseconds(r.columns) {
			wide = append(wide, s)
			continue
		}
		for c := r.column(w, s.From); c <= r.column(w, s.To); c++ {
			if old, taken := worst[c]; !taken || badness(s.State) > badness(old) {
				worst[c] = s.State
			}
		}
	}
	slivers = map[look][]int{}
	for _, c := range slices.Sorted(maps.Keys(worst)) {
		l := looks(worst[c])
		slivers[l] = append(slivers[l], c)
	}
	return wide, slivers
}

// badness orders states by what must not be hidden.
func badness(state string) int {
	order := []look{lookGood, lookOther, lookBusy, lookGone, lookCut, lookDoubled}
	if strings.Contains(state, "+") {
		return len(order)
	}
	return slices.Index(order, stateLook(state))
}

// The states of a client's lane.
const (
	answered = "answered"
	late     = "late" // answered after the deadline
	failing  = "failing"
)

// silence is the number of intervals without an attempt after which a client's
// lane is empty: it could not try, or nobody was looking.
const silence = 5

// serviceSpans is what a client felt, as the spans of a lane: each attempt holds
// until the next one.
func serviceSpans(dots []result.Dot, interval, deadline result.Milliseconds) []result.Span {
	sorted := slices.Clone(dots)
	slices.SortStableFunc(sorted, func(a, b result.Dot) int { return cmp.Compare(a.At, b.At) })
	var spans []result.Span
	for i, d := range sorted {
		until := d.At + max(interval, 1)
		if i+1 < len(sorted) && sorted[i+1].At-d.At <= silence*max(interval, 1) {
			until = sorted[i+1].At
		}
		spans = append(spans, result.Span{From: d.At, To: until, State: felt(d, deadline)})
	}
	return mergeSpans(spans)
}

func felt(d result.Dot, deadline result.Milliseconds) string {
	switch {
	case d.Verdict != acknowledged:
		return failing
	case deadline > 0 && d.Latency > deadline:
		return late
	}
	return answered
}

// look is how a state is drawn; each has a pattern of its own.
type look string

const (
	lookGood    look = "good"    // takes part
	lookBusy    look = "busy"    // on its way back
	lookCut     look = "cut"     // there, but refuses
	lookGone    look = "gone"    // not there
	lookOther   look = "other"   // a state that this page does not know
	lookDoubled look = "doubled" // an address on two nodes
)

// stateLook is the look of a node's or a client's state.
func stateLook(state string) look {
	switch state {
	case "Synced", "Primary", "promoted", "Promoted", answered:
		return lookGood
	case "Donor", "Donor/Desynced", "Joiner", "Joined", "Joining", "Initialized", "starting", "started", "Started", "standby", late:
		return lookBusy
	case "non-Primary", "Non-Primary", "non-primary", "Disconnected", "disconnected", "isolated", "frozen", "Inconsistent", failing:
		return lookCut
	case "off", "unreachable", "stopped", "Stopped", "none", "unknown", "":
		return lookGone
	}
	return lookOther
}
