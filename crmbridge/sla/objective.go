package sla

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Objective is the share of time for which the service must be there, in parts per
// billion, so that a budget is exact. Zero is none.
type Objective uint64

const (
	whole     Objective = 1_000_000_000
	decimals            = 7 // of a percentage
	day                 = 24 * time.Hour
	minWindow           = time.Minute
	maxWindow           = 3660 * day
)

// ParseObjective reads a percentage such as 99.95%, with up to seven decimals. What is
// below half is refused: nobody promises that, but many write down the share that may
// fail.
func ParseObjective(s string) (Objective, error) {
	number, ok := strings.CutSuffix(s, "%")
	integer, fraction, _ := strings.Cut(number, ".")
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	if !ok || integer == "" || !digits(integer) || !digits(fraction) || len(fraction) > decimals {
		return 0, fmt.Errorf("objective %q is not a percentage with at most %d decimals: give one like 99.95%%", s, decimals)
	}
	parts, err := strconv.ParseUint(integer+fraction+strings.Repeat("0", decimals-len(fraction)), 10, 64)
	switch o := Objective(parts); {
	case err != nil || o > whole:
		return 0, fmt.Errorf("objective %q is more than everything: give at most 100%%, like 99.95%%", s)
	case o < whole/2:
		return 0, fmt.Errorf("objective %q is below half: give the share that must be available, like 99.95%%", s)
	default:
		return o, nil
	}
}

// String is the objective as ParseObjective reads it.
func (o Objective) String() string {
	s := fmt.Sprintf("%d.%0*d", o/(whole/100), decimals, o%(whole/100))
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + "%"
}

// Budget is the time that the service may be away within a window.
func (o Objective) Budget(window time.Duration) time.Duration {
	high, low := bits.Mul64(uint64(window), uint64(whole-o))
	budget, _ := bits.Div64(high, low, uint64(whole))
	return time.Duration(budget)
}

// ParseWindow reads a number of days or weeks (30d, 4w), or what [time.ParseDuration]
// reads (12h), from one minute to ten years.
func ParseWindow(s string) (time.Duration, error) {
	window, err := time.ParseDuration(s)
	for suffix, unit := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			var n uint64
			if n, err = strconv.ParseUint(number, 10, 12); err == nil {
				window = time.Duration(n) * unit
			}
		}
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("window %q is not a time: give a number with its unit, like 30d, 4w or 12h", s)
	case window < minWindow || window > maxWindow:
		return 0, fmt.Errorf("window %q is out of range: give from 1m to %dd, like 30d", s, maxWindow/day)
	}
	return window, nil
}

// FormatWindow is a window as ParseWindow reads it.
func FormatWindow(window time.Duration) string {
	if window%day == 0 && window > 0 {
		return fmt.Sprintf("%dd", window/day)
	}
	text := window.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
