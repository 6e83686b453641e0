package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
)

const (
	minus   = "\u2212"
	nothing = "\u2013" // an empty cell
	atLeast = "\u2265\u202f"
	atMost  = "\u2264\u202f"
	narrow  = "\u202f" // a narrow space that does not break
)

// precision is the number of digits after the point of a figure in seconds: as
// many as a tick of the given interval can tell apart.
func precision(interval result.Milliseconds) int {
	if interval > 0 && interval < 10 {
		return 3
	}
	return 2
}

// seconds is a figure without its unit, for a column whose head has it.
func seconds(m result.Milliseconds, digits int) string {
	return strconv.FormatFloat(float64(m)/1000, 'f', digits, 64)
}

// duration is a time for a sentence: milliseconds below one second, then
// seconds, and from two minutes on as people say it.
func duration(m result.Milliseconds) string {
	switch abs := math.Abs(float64(m)); {
	case abs < 10 && abs != math.Trunc(abs):
		return fmt.Sprintf("%.1f%sms", float64(m), narrow)
	case abs < 999.5:
		return fmt.Sprintf("%.0f%sms", float64(m), narrow)
	case abs < 120_000:
		return fmt.Sprintf("%.2f%ss", float64(m)/1000, narrow)
	}
	return long(m.Duration().Round(time.Second))
}

// long is a time in its two largest units.
func long(d time.Duration) string {
	if d < 0 {
		return minus + long(-max(d, -math.MaxInt64)) // of two times that are centuries apart, too
	}
	units := []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	var words []string
	for _, u := range units {
		if n := d / u.of; n > 0 || len(words) > 0 {
			words = append(words, fmt.Sprintf("%d%s%s", n, narrow, u.name))
			d -= n * u.of
		}
		if len(words) == 2 {
			break
		}
	}
	if len(words) == 0 {
		return "0" + narrow + "s"
	}
	return strings.TrimSuffix(strings.Join(words, " "), " 0"+narrow+"s")
}

// offset is a time relative to the injection, always with its sign.
func offset(m result.Milliseconds) string {
	switch {
	case m < 0:
		return minus + duration(-m)
	case m == 0:
		return "0"
	}
	return "+" + duration(m)
}

// share is a part of 1 in percent. It never rounds up to 100 % nor down to 0 %:
// 99.9996 % of the ticks is not all of them.
func share(part float64) string {
	digits := 2
	for rest := math.Min(part, 1-part); rest > 0 && digits < 6 && rest*100*(1+1e-9) < math.Pow(10, -float64(digits)); {
		digits++
	}
	scale := math.Pow(10, float64(digits))
	value := part * 100
	if part > 0.5 {
		value = math.Floor(value*scale+1e-6) / scale
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + narrow + "%"
}

// count groups the digits of a number by three.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + narrow + s[i:]
	}
	return s
}

// plural is a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// shorten cuts a name to what fits beside a lane.
func shorten(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}
