package page

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

func plain(s string) string { return strings.ReplaceAll(s, narrow, " ") }

func TestWordsForFigures(t *testing.T) {
	tests := []struct{ got, want string }{
		{duration(0), "0 ms"},
		{duration(2.34), "2.3 ms"},
		{duration(999.4), "999 ms"},
		{duration(999.6), "1.00 s"},
		{duration(2130), "2.13 s"},
		{duration(1_296_000), "21 min 36 s"},
		{duration(3_600_000), "1 h 0 min"},
		{duration(-130_000), "−2 min 10 s"},
		{offset(-3000), "−3.00 s"},
		{offset(0), "0"},
		{offset(33), "+33 ms"},
		{long(26 * time.Hour), "1 d 2 h"},
		{long(math.MinInt64), minus + "106751 d 23 h"},
		{long(0), "0 s"},
		{share(1), "100.00 %"},
		{share(0.99999), "99.999 %"},
		{share(0.99996), "99.996 %"},
		{share(0.9995), "99.95 %"},
		{share(0), "0.00 %"},
		{share(0.00001), "0.001 %"},
		{count(0), "0"},
		{count(-1234567), "-1 234 567"},
		{count(999), "999"},
		{seconds(2134, precision(10)), "2.13"},
		{seconds(2134, precision(5)), "2.134"},
		{shorten("database-1", 10), "database-1"},
		{shorten("database-12", 10), "database-…"},
	}
	for _, test := range tests {
		if plain(test.got) != test.want {
			t.Errorf("got %q, want %q", plain(test.got), test.want)
		}
	}
}

func TestWindowKeepsEverythingInside(t *testing.T) {
	w := window{from: -1000, to: 3000}
	for at, want := range map[result.Milliseconds]float64{-1000: 0, 0: 25, 3000: 100, 9000: 100, -9000: 0} {
		if got := w.at(at); got != want {
			t.Errorf("%v is at %v, want %v", at, got, want)
		}
	}
	if got := w.at(result.Milliseconds(math.NaN())); got != 0 {
		t.Errorf("what is no number is at %v", got)
	}
	if got := (window{}).at(5); got != 0 {
		t.Errorf("in a window without a width: %v", got)
	}
}

func TestTimeTicks(t *testing.T) {
	tests := []struct {
		w    window
		want string
	}{
		{window{-500, 2500}, "0 +1 s +2 s"},
		{window{-200, 400}, "−200 ms 0 +200 ms +400 ms"},
		{window{-3000, 16000}, "0 +5 s +10 s +15 s"},
		{window{-60_000, 600_000}, "0 +5 min +10 min"},
		{window{0, 12 * 3_600_000}, "0 +3 h +6 h +9 h +12 h"},
		{window{0, 7 * 86_400_000}, "0 +2 d +4 d +6 d"},
		{window{0, 0}, ""},
	}
	for _, test := range tests {
		var labels []string
		for _, tick := range timeTicks(test.w, 4) {
			labels = append(labels, plain(tick.label))
		}
		if got := strings.Join(labels, " "); got != test.want {
			t.Errorf("%v: got %q, want %q", test.w, got, test.want)
		}
	}
}

func TestTicksAreNeverTooMany(t *testing.T) {
	for width := result.Milliseconds(0.01); width < 4e9; width *= 1.37 {
		for _, from := range []result.Milliseconds{0, -width / 3, -width} {
			const most = 4
			if n := len(timeTicks(window{from: from, to: from + width}, most)); n < 2 || n > most+1 {
				t.Errorf("%d ticks for %v ms from %v", n, float64(width), float64(from))
			}
		}
	}
}

func TestDecades(t *testing.T) {
	d := newDecades([]result.Milliseconds{0, 3, 250, result.Milliseconds(math.Inf(1))}, 0, 2)
	if d != (decades{low: 0, high: 3}) {
		t.Errorf("got %+v", d)
	}
	for value, want := range map[result.Milliseconds]float64{0: 0, 0.5: 0, 1: 0, 10: 1. / 3, 1000: 1, 5000: 1} {
		if got := d.at(value); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v is at %v, want %v", float64(value), got, want)
		}
	}
	if d := newDecades(nil, 0, 2); d != (decades{low: 0, high: 2}) {
		t.Errorf("of nothing: %+v", d)
	}
	if d := newDecades([]result.Milliseconds{10}, 0, 2); d.low >= d.high {
		t.Errorf("of one value on a decade: %+v", d)
	}
	var labels []string
	for _, tick := range (decades{low: 3, high: 4}).fineTicks() {
		labels = append(labels, plain(tick.label))
	}
	if got := strings.Join(labels, ", "); got != "1 s, 2 s, 5 s, 10 s" {
		t.Errorf("ticks %s", got)
	}
}

func TestMergeSpans(t *testing.T) {
	got := mergeSpans([]result.Span{
		{From: 20, To: 30, State: "Synced"}, {From: 0, To: 10, State: "Synced"}, {From: 10, To: 20, State: "Synced"},
		{From: 30, To: 30, State: "Donor"}, {From: 30, To: 40, State: "Joiner"}, {From: 50, To: 60, State: "Joiner"},
	})
	want := []result.Span{{From: 0, To: 30, State: "Synced"}, {From: 30, To: 40, State: "Joiner"}, {From: 50, To: 60, State: "Joiner"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := clipSpans(want, window{from: 10, to: 50}); !slices.Equal(got, []result.Span{{From: 10, To: 30, State: "Synced"}, {From: 30, To: 40, State: "Joiner"}}) {
		t.Errorf("clipped: %v", got)
	}
}

// A client that was held up shows a hole, not service.
func TestServiceSpans(t *testing.T) {
	got := serviceSpans([]result.Dot{
		{At: 0, Verdict: acknowledged, Latency: 2}, {At: 10, Verdict: acknowledged, Latency: 2},
		{At: 20, Verdict: refused}, {At: 30, Verdict: indeterminate},
		{At: 40, Verdict: acknowledged, Latency: 900},
		{At: 500, Verdict: acknowledged, Latency: 2},
	}, 10, 250)
	want := []result.Span{{From: 0, To: 20, State: answered}, {From: 20, To: 40, State: failing},
		{From: 40, To: 50, State: late}, {From: 500, To: 510, State: answered}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestThinKeepsWhatCanBeSeen(t *testing.T) {
	const n = 100_000
	dots := make([]result.Dot, n)
	for i := range dots {
		dots[i] = result.Dot{At: result.Milliseconds(i * 10), Latency: result.Milliseconds(2 + i%7), Verdict: acknowledged}
	}
	dots[31_234].Verdict = refused
	dots[77_777].Latency = 4321
	w, scale := window{from: 0, to: n * 10}, decades{low: 0, high: 4}
	for _, r := range []raster{fine(), coarse()} {
		got := r.thin(dots, w, scale)
		if len(got) > r.columns*r.rows/2 || len(got) < r.columns {
			t.Errorf("%d dots are left", len(got))
		}
		for _, lone := range []result.Dot{dots[31_234], dots[77_777]} {
			if !slices.Contains(got, lone) {
				t.Errorf("the lone dot %+v is gone", lone)
			}
		}
		slices.Reverse(dots)
		if !slices.Equal(got, r.thin(dots, w, scale)) {
			t.Error("the order of the dots matters")
		}
		slices.Reverse(dots)
		if got := r.thin(dots, window{from: -20, to: -10}, scale); len(got) != 0 {
			t.Errorf("%d dots from outside the window", len(got))
		}
	}
}

// TestDotsThatTouchAreOneStroke: a column of answers is one stroke from the
// fastest to the slowest, and a lone slow one has a stroke of its own.
func TestDotsThatTouchAreOneStroke(t *testing.T) {
	r, w, scale := raster{columns: 10, rows: 60}, window{from: 0, to: 100}, decades{low: 0, high: 2}
	at := func(when, latency result.Milliseconds) result.Dot {
		return result.Dot{At: when, Latency: latency, Verdict: acknowledged}
	}
	dots := []result.Dot{at(1, 1), at(2, 1.03), at(3, 1.06), at(4, 100), at(51, 10), {At: 52, Latency: 10, Verdict: refused}}
	if got, want := r.answered(dots, w, scale), "M50 0v0M50 118v2M550 60v0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNarrowSpansShowTheWorst: what is too narrow to be seen alone is shown by
// the worst of its column, and nothing that is wide loses its place.
func TestNarrowSpansShowTheWorst(t *testing.T) {
	spans := []result.Span{
		{From: 0, To: 400, State: answered}, {From: 400, To: 402, State: failing}, {From: 402, To: 404, State: answered}, {From: 404, To: 405, State: late},
		{From: 405, To: 509, State: answered}, {From: 509, To: 511, State: late}, {From: 511, To: 1000, State: answered},
	}
	wide, slivers := raster{columns: 100, rows: 1}.spans(spans, window{from: 0, to: 1000}, stateLook)
	if want := []result.Span{spans[0], spans[4], spans[6]}; !slices.Equal(wide, want) {
		t.Errorf("wide: got %+v, want %+v", wide, want)
	}
	if want := (map[look][]int{lookCut: {40}, lookBusy: {50, 51}}); !reflect.DeepEqual(slivers, want) {
		t.Errorf("narrow: got %v, want %v", slivers, want)
	}
	for better, worse := range map[string]string{answered: late, late: failing, "db1": "", "off": "non-Primary", "non-Primary": "db1+db2"} {
		if badness(better) >= badness(worse) {
			t.Errorf("%q would hide %q", better, worse)
		}
	}
}

func TestBadgesDoNotCollide(t *testing.T) {
	marks := []result.Mark{{Name: "d", At: 900}, {Name: "a", At: 0}, {Name: "b", At: 5}, {Name: "c", At: 10}, {Name: "outside", At: 5000}}
	placed, rows := badges(marks, window{from: 0, to: 1000}, window{})
	var got []string
	for _, b := range placed {
		got = append(got, fmt.Sprintf("%s%d@%d", b.Name, b.number, b.row))
	}
	if want := "a1@0 b2@1 c3@2 d4@0"; strings.Join(got, " ") != want || rows != 3 {
		t.Errorf("got %v in %d rows, want %s in 3", got, rows, want)
	}
	placed, rows = badges(marks, window{from: 0, to: 1000}, window{from: 0, to: 10})
	if len(placed) != 1 || placed[0].number != 4 || rows != 1 {
		t.Errorf("with a part enlarged: %v in %d rows", placed, rows)
	}
}

func TestCloseUp(t *testing.T) {
	marks := []result.Mark{{Name: result.Injected}, {Name: result.FirstError, At: 20}, {Name: result.FirstOK, At: 2000}, {Name: result.Synced, At: 40_000}}
	tests := []struct {
		name  string
		fault result.Fault
		want  window
		found bool
	}{
		{"two seconds of a minute", result.Fault{From: -3000, To: 60_000, Marks: marks}, window{from: -600, to: 2600}, true},
		{"a client straight to the node that is away does not widen it", result.Fault{From: -3000, To: 60_000, Marks: marks,
			Clients: []result.Client{{Kind: "direct", Node: "db1", Since: -8, Interruption: 40_000}}}, window{from: -600, to: 2600}, true},
		{"most of what was observed", result.Fault{From: -1000, To: 3000, Marks: marks}, window{}, false},
		{"nothing was visible", result.Fault{From: -3000, To: 60_000, Marks: marks[:1]}, window{}, false},
		{"only the interruption is known", result.Fault{From: -3000, To: 60_000,
			Clients: []result.Client{{Since: -8, Interruption: 1008}}}, window{from: -310.4, to: 1302.4}, true},
	}
	for _, test := range tests {
		got, found := closeUp(test.fault)
		if found != test.found || math.Abs(float64(got.from-test.want.from)) > 0.01 || math.Abs(float64(got.to-test.want.to)) > 0.01 {
			t.Errorf("%s: got %v, %v; want %v, %v", test.name, got, found, test.want, test.found)
		}
	}
}

func TestWholeOfARecordThatWasCutShort(t *testing.T) {
	got := whole(result.Fault{Marks: []result.Mark{{At: -5}, {At: 700}}})
	if got != (window{from: -5, to: 700}) {
		t.Errorf("got %v", got)
	}
	if got := whole(result.Fault{}); got.width() <= 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestStatistics(t *testing.T) {
	fault := func(length result.Milliseconds, open bool) result.Fault {
		return result.Fault{Name: "f", Clients: []result.Client{{Kind: sla.WriterKind, Interruption: length, Open: open, Attempts: 100, Availability: 0.5}}}
	}
	tests := []struct {
		name             string
		faults           []result.Fault
		median, p95, max figure
	}{
		{"one", []result.Fault{fault(7, false)}, figure{7, false}, figure{7, false}, figure{7, false}},
		{"even", []result.Fault{fault(4, false), fault(2, false)}, figure{3, false}, figure{4, false}, figure{4, false}},
		{"an open one counts as the longest", []result.Fault{fault(1, true), fault(9, false), fault(8, false)}, figure{9, false}, figure{1, true}, figure{1, true}},
		{"an open one in the middle makes the median open", []result.Fault{fault(10, true), fault(8, false)}, figure{9, true}, figure{10, true}, figure{10, true}},
	}
	for _, test := range tests {
		g := groups(test.faults)[0]
		all := g.interruptions
		if m, p, x := median(all), nearestRank(all, 0.95), all[len(all)-1]; m != test.median || p != test.p95 || x != test.max {
			t.Errorf("%s: got %v %v %v", test.name, m, p, x)
		}
	}
	twenty := make([]result.Fault, 20)
	for i := range twenty {
		twenty[i] = fault(result.Milliseconds(i+1), false)
	}
	if got := nearestRank(groups(twenty)[0].interruptions, 0.95); got.length != 19 {
		t.Errorf("p95 of 1 to 20 is %v", got)
	}
}

func TestTheWorstRepetitionIsOpen(t *testing.T) {
	writer := func(length result.Milliseconds) []result.Client {
		return []result.Client{{Kind: sla.WriterKind, Interruption: length}}
	}
	faults := []result.Fault{{Name: "f", Clients: writer(5)}, {Name: "f", Clients: writer(9)}, {Name: "f", Clients: writer(1)}}
	if got := groups(faults)[0].worst(); got != 1 {
		t.Errorf("the longest is 1, got %d", got)
	}
	faults[2].Lost = 1
	if got := groups(faults)[0].worst(); got != 2 {
		t.Errorf("a lost write is worse than a long interruption, got %d", got)
	}
}

func TestRuleOfThree(t *testing.T) {
	for n, want := range map[int]string{0: "nothing is known", 1: "1 repetition says little", 3: "nothing at all is excluded", 5: "3/5 = 60 %", 100: "3/100 = 3.0 %", 7: "43 %", 1000: "0.3 %"} {
		if got := plain(ruleOfThree(n)); !strings.Contains(got, want) {
			t.Errorf("%d: %q does not contain %q", n, got, want)
		}
	}
}

func TestNamesAreWrittenWhereTheyFit(t *testing.T) {
	tests := []struct {
		percent float64
		letters int
		want    fit
	}{{100, 6, fitEverywhere}, {10, 6, fitWide}, {3, 6, fitNowhere}, {100, 200, fitNowhere}}
	for _, test := range tests {
		if got := nameFit(test.percent, test.letters); got != test.want {
			t.Errorf("%d letters in %v %%: got %d, want %d", test.letters, test.percent, got, test.want)
		}
	}
}

func TestOwnerOfTheAddress(t *testing.T) {
	line := timeline{run: result.Run{Nodes: []result.Node{{Name: "db1"}, {Name: "db2"}}}}
	for state, want := range map[string]look{"db1": "owner0", "db2": "owner1", "db1+db2": lookDoubled, "": lookGone, "none": lookGone, "stranger": lookOther} {
		if got := line.ownerLook(state); got != want {
			t.Errorf("%q: got %s, want %s", state, got, want)
		}
	}
}
