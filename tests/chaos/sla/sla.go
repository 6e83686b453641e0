package sla

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
)

// Terms is what was promised. A zero part was not.
type Terms struct {
	Objective       Objective
	Window          time.Duration // of Objective; needed with it
	MaxInterruption time.Duration // longer is a breach
}

// Interruption is a time without service, as offsets from the start of the
// observation.
type Interruption struct {
	From, To time.Duration
	Open     bool // the service was not back when the observation ended, at To
}

// Observation is what one kind of client saw. The order of Interruptions does
// not matter; what overlaps counts once.
type Observation struct {
	Length        time.Duration
	Interruptions []Interruption
	Unmeasured    time.Duration // of Length: nobody was looking, outside Interruptions
}

// Outcome is the short form of a verdict.
type Outcome string

// The outcomes. Unknown means that what could not be seen might have been a breach.
const (
	Met      Outcome = "met"
	Breached Outcome = "breached"
	Unknown  Outcome = "unknown"
)

// Verdict is an observation held against terms.
type Verdict struct {
	Terms         Terms
	Observed      time.Duration
	Unmeasured    time.Duration
	Interruptions int
	Down          time.Duration // all interruptions together
	Availability  float64       // of the time measured, 0 to 1
	Longest       time.Duration
	Open          bool          // the last interruption had no end
	Budget        time.Duration // of one window
	Used          time.Duration // of it, in the worst window observed
	Left          time.Duration // negative when breached
	Outcome       Outcome
	Reasons       []string // a sentence for each of the terms
}

// Judge holds what was observed against terms.
func Judge(terms Terms, seen Observation) Verdict {
	all := union(seen.Interruptions)
	v := Verdict{Terms: terms, Observed: seen.Length, Unmeasured: seen.Unmeasured, Interruptions: len(all)}
	for _, i := range all {
		v.Down += i.To - i.From
		v.Longest = max(v.Longest, i.To-i.From)
		v.Open = v.Open || i.Open
	}
	if measured := seen.Length - seen.Unmeasured; measured > 0 {
		v.Availability = max(0, 1-float64(v.Down)/float64(measured))
	}
	if terms.Objective.Given() {
		v.Budget = terms.Objective.Budget(terms.Window)
		v.Used = worstWindow(all, terms.Window)
		v.Left = v.Budget - v.Used
		v.add(v.budgetOutcome())
	}
	if terms.MaxInterruption > 0 {
		v.add(v.lengthOutcome())
	}
	if v.Outcome == "" {
		v.add(Unknown, "Nothing was promised: neither an objective nor a longest interruption.")
	}
	return v
}

// add joins the outcome of one term: the worst decides.
func (v *Verdict) add(o Outcome, reason string) {
	v.Reasons = append(v.Reasons, reason)
	if v.Outcome == "" || o == Breached || o == Unknown && v.Outcome == Met {
		v.Outcome = o
	}
}

func (v *Verdict) budgetOutcome() (Outcome, string) {
	used := fmt.Sprintf("%s of the %s that %s allows in %s",
		round(v.Used), round(v.Budget), v.Terms.Objective, FormatWindow(v.Terms.Window))
	switch {
	case v.Used > v.Budget:
		return Breached, "Interruptions took " + used + "."
	case v.Observed <= v.Unmeasured:
		return Unknown, "Nothing was measured."
	case v.Open:
		return Unknown, "Interruptions took " + used + ", but the last one had no end."
	case v.Used+v.Unmeasured > v.Budget:
		return Unknown, fmt.Sprintf("Interruptions took %s, but for %s nobody was looking.", used, round(v.Unmeasured))
	case v.Observed < v.Terms.Window:
		return Met, fmt.Sprintf("Interruptions took %s, of which %s were observed: met so far.", used, round(v.Observed))
	}
	return Met, "Interruptions took " + used + "."
}

func (v *Verdict) lengthOutcome() (Outcome, string) {
	limit := v.Terms.MaxInterruption
	switch {
	case v.Longest > limit:
		return Breached, fmt.Sprintf("The longest interruption took %s, more than %s.", round(v.Longest), limit)
	case v.Observed <= v.Unmeasured:
		return Unknown, "No interruption was measured."
	case v.Open:
		return Unknown, fmt.Sprintf("The last interruption had no end, so whether it took more than %s is not known.", limit)
	case v.Unmeasured > limit:
		return Unknown, fmt.Sprintf("For %s nobody was looking, which may hide an interruption of more than %s.", round(v.Unmeasured), limit)
	case v.Interruptions == 0:
		return Met, fmt.Sprintf("There was no interruption, so none of more than %s.", limit)
	}
	return Met, fmt.Sprintf("The longest interruption took %s, not more than %s.", round(v.Longest), limit)
}

// union sorts interruptions and joins those that overlap.
func union(all []Interruption) []Interruption {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b Interruption) int { return cmp.Compare(a.From, b.From) })
	var joined []Interruption
	for _, i := range sorted {
		last := len(joined) - 1
		if last < 0 || i.From > joined[last].To {
			joined = append(joined, i)
			continue
		}
		joined[last].To = max(joined[last].To, i.To)
		joined[last].Open = joined[last].Open || i.Open
	}
	return joined
}

// worstWindow is the most time that interruptions take of any window. It is
// reached where a window begins with an interruption or ends with one.
func worstWindow(all []Interruption, window time.Duration) time.Duration {
	var worst time.Duration
	for _, i := range all {
		worst = max(worst, within(all, i.From, i.From+window), within(all, i.To-window, i.To))
	}
	return worst
}

// within is how much of the time between from and to was interrupted.
func within(all []Interruption, from, to time.Duration) time.Duration {
	var sum time.Duration
	for _, i := range all {
		sum += max(0, min(i.To, to)-max(i.From, from))
	}
	return sum
}

// Affordable is how many interruptions of the given length a budget pays for;
// -1 when length is not positive, because then there is no limit.
func Affordable(budget, length time.Duration) int64 {
	if length <= 0 {
		return -1
	}
	return int64(budget / length)
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// Result is the verdict as a run carries it.
func (v Verdict) Result() *result.SLA {
	r := &result.SLA{
		MaxInterruption: result.Of(v.Terms.MaxInterruption),
		Observed:        result.Of(v.Observed),
		Unmeasured:      result.Of(v.Unmeasured),
		Interruptions:   v.Interruptions,
		Interrupted:     result.Of(v.Down),
		Availability:    v.Availability,
		Longest:         result.Of(v.Longest),
		Open:            v.Open,
		Verdict:         string(v.Outcome),
		Reason:          strings.Join(v.Reasons, " "),
	}
	if v.Terms.Objective.Given() {
		r.Objective, r.Window = v.Terms.Objective.String(), FormatWindow(v.Terms.Window)
		r.Budget, r.Used, r.Left = result.Of(v.Budget), result.Of(v.Used), result.Of(v.Left)
	}
	return r
}
