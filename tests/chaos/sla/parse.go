package sla

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Objective is a share of time for which the service must be there. It is kept
// as an integer so that a budget is exact. The zero Objective is none.
type Objective struct {
	up uint64 // parts per billion
}

const (
	whole   = 1_000_000_000 // parts per billion
	percent = whole / 100
	digits  = 7 // after the point of a percentage
)

// Given says whether there is an objective.
func (o Objective) Given() bool { return o.up > 0 }

// Share is the objective as a number from 0 to 1.
func (o Objective) Share() float64 { return float64(o.up) / whole }

// String is the objective as [ParseObjective] reads it.
func (o Objective) String() string {
	s := fmt.Sprintf("%d.%0*d", o.up/percent, digits, o.up%percent)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + "%"
}

// Budget is the time that the service may be away within window.
func (o Objective) Budget(window time.Duration) time.Duration {
	high, low := bits.Mul64(uint64(window), whole-o.up)
	budget, _ := bits.Div64(high, low, whole)
	return time.Duration(budget)
}

// ParseObjective reads a percentage such as 99.95%, with up to seven digits after
// the point. Below half it returns an error: nobody promises that, but many
// write down the share that may fail.
func ParseObjective(s string) (Objective, error) {
	number, found := strings.CutSuffix(s, "%")
	if !found {
		return Objective{}, fmt.Errorf("objective %q has no percent sign: give a percentage, like 99.95%%", s)
	}
	integer, fraction, point := strings.Cut(number, ".")
	if !decimal(integer) || point && !decimal(fraction) {
		return Objective{}, fmt.Errorf("objective %q is not a percentage: give one, like 99.95%%", s)
	}
	if len(fraction) > digits {
		return Objective{}, fmt.Errorf("objective %q is finer than can be measured: give at most %d digits after the point, like 99.95%%", s, digits)
	}
	up, err := strconv.ParseUint(integer+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	switch {
	case err != nil || up > whole:
		return Objective{}, fmt.Errorf("objective %q is more than everything: give at most 100%%, like 99.95%%", s)
	case up < whole/2:
		return Objective{}, fmt.Errorf("objective %q is below half: give the share that must be available, like 99.95%%, not the share that may fail", s)
	}
	return Objective{up: up}, nil
}

func decimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

const (
	day         = 24 * time.Hour
	week        = 7 * day
	shortWindow = time.Minute
	longWindow  = 3660 * day
)

// ParseWindow reads a number of days or weeks (30d, 4w) or what
// [time.ParseDuration] reads (12h), from one minute to ten years.
func ParseWindow(s string) (time.Duration, error) {
	window, err := duration(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("window %q is not a time: give a number with its unit, like 30d, 4w or 12h", s)
	case window < shortWindow || window > longWindow:
		return 0, fmt.Errorf("window %q is out of range: give from 1m to %s, like 30d", s, FormatWindow(longWindow))
	}
	return window, nil
}

func duration(s string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": day, "w": week} {
		number, found := strings.CutSuffix(s, suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return 0, fmt.Errorf("parse %q: %w", number, err)
		}
		// One too many is out of range, many too many would overflow.
		return time.Duration(min(n, uint64(longWindow/unit)+1)) * unit, nil
	}
	return time.ParseDuration(s)
}

// FormatWindow is the window as [ParseWindow] reads it, in days where it is a
// whole number of them.
func FormatWindow(window time.Duration) string {
	if window > 0 && window%day == 0 {
		return fmt.Sprintf("%dd", window/day)
	}
	s := window.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if short, found := strings.CutSuffix(s, nothing); found {
			s = short + nothing[:1]
		}
	}
	return s
}
