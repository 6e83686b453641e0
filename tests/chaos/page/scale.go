package page

import (
	"fmt"
	"math"

	"holdfast/tests/chaos/result"
)

// window is the part of a repetition that a timeline shows.
type window struct {
	from, to result.Milliseconds
}

func (w window) width() result.Milliseconds { return w.to - w.from }

// at is the place of a time in the window, from 0 to 100; times outside are at
// its edges.
func (w window) at(m result.Milliseconds) float64 {
	if w.width() <= 0 {
		return 0
	}
	return clamp(float64((m-w.from)/w.width())*100, 0, 100)
}

func (w window) holds(m result.Milliseconds) bool { return m >= w.from && m <= w.to }

// clamp keeps v between low and high; what is not a number becomes low.
func clamp(v, low, high float64) float64 {
	if math.IsNaN(v) {
		return low
	}
	return math.Max(low, math.Min(high, v))
}

// tick is a labelled place of an axis.
type tick struct {
	at    float64 // percent of its length
	label string
}

const minute = 60_000.0 // milliseconds

// timeTicks are round offsets in the window, at most the given number, all in
// the unit of the step between them.
func timeTicks(w window, most int) []tick {
	step := niceStep(float64(w.width()), most)
	if step <= 0 {
		return nil
	}
	unit, name := 1.0, "ms"
	switch {
	case step >= 1440*minute:
		unit, name = 1440*minute, "d"
	case step >= 60*minute:
		unit, name = 60*minute, "h"
	case step >= minute:
		unit, name = minute, "min"
	case step >= 500 || float64(w.width()) >= 5_000:
		unit, name = 1_000, "s"
	}
	var ticks []tick
	for i := math.Ceil(float64(w.from) / step); i*step <= float64(w.to); i++ {
		ticks = append(ticks, tick{at: w.at(result.Milliseconds(i * step)), label: tickLabel(i*step/unit, name)})
	}
	return ticks
}

func tickLabel(value float64, unit string) string {
	value = math.Round(value*1000) / 1000
	switch {
	case value == 0:
		return "0"
	case value < 0:
		return fmt.Sprintf("%s%g%s%s", minus, -value, narrow, unit)
	}
	return fmt.Sprintf("+%g%s%s", value, narrow, unit)
}

// niceStep is the least step of 1, 2 or 5 times a power of ten, or of as many
// minutes as a clock shows, that makes at most the given number of ticks.
func niceStep(width float64, most int) float64 {
	if !(width > 0) || math.IsInf(width, 0) || most < 1 {
		return 0
	}
	raw := width / float64(most)
	for _, minutes := range []float64{1, 2, 5, 10, 20, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400} {
		if raw > minute/3 && raw <= minutes*minute {
			return minutes * minute
		}
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, factor := range []float64{1, 2, 5} {
		if raw <= factor*power*(1+1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// decades is a logarithmic scale over whole powers of ten of milliseconds.
type decades struct {
	low, high int // exponents
}

// newDecades covers all values above zero, and at least one decade.
func newDecades(values []result.Milliseconds, low, high int) decades {
	d := decades{low: high, high: low}
	for _, v := range values {
		if v > 0 && !math.IsInf(float64(v), 0) {
			d.low = min(d.low, int(math.Floor(math.Log10(float64(v)))))
			d.high = max(d.high, int(math.Ceil(math.Log10(float64(v)))))
		}
	}
	if d.low >= d.high {
		d.low, d.high = min(low, d.low), max(high, d.high)
	}
	return d
}

// at is the place of a value from 0 (low) to 1 (high).
func (d decades) at(m result.Milliseconds) float64 {
	if m <= 0 {
		return 0
	}
	return clamp((math.Log10(float64(m))-float64(d.low))/float64(d.high-d.low), 0, 1)
}

// ticks are the powers of ten.
func (d decades) ticks() []tick { return d.multiples(1) }

// fineTicks are the powers of ten, and where these are few, twice and five times
// as much.
func (d decades) fineTicks() []tick {
	const few = 2
	if d.high-d.low > few {
		return d.ticks()
	}
	return d.multiples(1, 2, 5)
}

func (d decades) multiples(factors ...float64) []tick {
	var ticks []tick
	for e := d.low; e <= d.high; e++ {
		for _, factor := range factors {
			if e == d.high && factor > 1 {
				continue
			}
			value := factor * math.Pow(10, float64(e))
			label := fmt.Sprintf("%g%sms", value, narrow)
			if value >= 1000 {
				label = fmt.Sprintf("%g%ss", value/1000, narrow)
			}
			ticks = append(ticks, tick{at: 100 * d.at(result.Milliseconds(value)), label: label})
		}
	}
	return ticks
}
