package sla

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"holdfast/crmbridge/incident"
)

// Terms is what was promised.
type Terms struct {
	Objective Objective
	Window    time.Duration
	// ExcludePlanned leaves what administrators asked for out of the budget.
	ExcludePlanned bool
}

// Span is a time from one moment to another.
type Span struct{ From, To time.Time }

// Length is how long it is; 0 if it ends before it begins.
func (s Span) Length() time.Duration { return max(0, s.To.Sub(s.From)) }

// Outcome is the short form of a verdict.
type Outcome string

// The outcomes.
const (
	Met      Outcome = "met"
	Breached Outcome = "breached"
	Unknown  Outcome = "unknown"
)

// Verdict is what happened in the window that ends at To, held against the terms.
// Durations are nanoseconds in JSON.
type Verdict struct {
	Objective string        `json:"objective"`
	Window    time.Duration `json:"window"`
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to"`
	Watched   time.Duration `json:"watched"` // of the window
	// Unwatched is the time that counts as possibly away: of the window, from when
	// watching began.
	Unwatched    time.Duration `json:"unwatched"`
	Down         time.Duration `json:"down"`
	PlannedDown  time.Duration `json:"planned_down"` // of Down
	Availability float64       `json:"availability"` // of the time watched, 0 to 1
	Failovers    int           `json:"failovers"`    // interruptions that nobody asked for
	Planned      int           `json:"planned"`      // and those that somebody did
	Longest      time.Duration `json:"longest"`
	Ongoing      bool          `json:"ongoing"` // the service is away now
	MTTD         Mean          `json:"mttd"`
	MTTR         Mean          `json:"mttr"`
	Causes       []CauseGroup  `json:"causes"`
	Budget       time.Duration `json:"budget"`
	Used         time.Duration `json:"used"`
	Left         time.Duration `json:"left"` // negative when breached
	Outcome      Outcome       `json:"outcome"`
	Reason       string        `json:"reason"`
}

// Mean is a mean and what it is of.
type Mean struct {
	Mean time.Duration `json:"mean"`
	Of   int           `json:"of"` // 0: there is no mean
	// Estimated is how many of these are estimates; those of which only the detection
	// is known are left out of MTTD.
	Estimated int `json:"estimated,omitempty"`
}

// CauseGroup is all incidents of one cause.
type CauseGroup struct {
	Cause     incident.CauseKind `json:"cause"`
	Planned   bool               `json:"planned"`
	Incidents int                `json:"incidents"`
	Down      time.Duration      `json:"down"`
	Longest   time.Duration      `json:"longest"`
	MTTD      Mean               `json:"mttd"`
	MTTR      Mean               `json:"mttr"`
}

// Judge holds merged records against terms, in the window that ends at now. watched is
// when at least one node watched; overlaps count once.
func Judge(terms Terms, records []incident.Record, watched []Span, now time.Time) Verdict {
	v := Verdict{Objective: terms.Objective.String(), Window: terms.Window, From: now.Add(-terms.Window), To: now, Budget: terms.Objective.Budget(terms.Window)}
	window := Span{v.From, now}
	seen := clip(union(watched), window)
	v.Watched = length(seen)
	if len(seen) > 0 {
		v.Unwatched = max(0, now.Sub(seen[0].From)-v.Watched)
	}
	var all, planned []Span
	groups := map[incident.CauseKind]*CauseGroup{}
	outages := Outages(records, now)
	for _, r := range own(records) {
		if r.End.At.Before(v.From) || r.Begin.At.After(now) {
			continue
		}
		outage := clip(outages[r.ID], window)
		v.count(r, outage, groups)
		if all = append(all, outage...); r.Planned {
			planned = append(planned, outage...)
		}
	}
	v.Down, v.PlannedDown = length(union(all)), length(union(planned))
	for _, s := range union(all) {
		v.Longest = max(v.Longest, s.Length())
		v.Ongoing = v.Ongoing || s.To.Equal(now)
	}
	if v.Watched > 0 {
		v.Availability = max(0, 1-float64(v.Down)/float64(v.Watched))
	}
	if v.Used = v.Down; terms.ExcludePlanned {
		v.Used -= v.PlannedDown
	}
	v.Left = v.Budget - v.Used
	v.finish(groups)
	v.Outcome, v.Reason = v.judge()
	return v
}

// count adds an incident to its cause's.
func (v *Verdict) count(r incident.Record, outage []Span, groups map[incident.CauseKind]*CauseGroup) {
	g := groups[r.Cause.Kind]
	if g == nil {
		g = &CauseGroup{Cause: r.Cause.Kind, Planned: r.Planned}
		groups[r.Cause.Kind] = g
	}
	g.Incidents++
	g.Planned = g.Planned && r.Planned
	down := length(outage)
	g.Down += down
	g.Longest = max(g.Longest, down)
	switch {
	case down == 0:
	case r.Planned:
		v.Planned++
	default:
		v.Failovers++
	}
	if r.Planned || r.Cause.Kind.Neutral() {
		return
	}
	if r.Occurrence.Known() && r.Detection.Known() && r.Occurrence.At.Before(r.Detection.At) {
		g.MTTD.add(r.Detection.At.Sub(r.Occurrence.At), r.Occurrence.Basis)
		v.MTTD.add(r.Detection.At.Sub(r.Occurrence.At), r.Occurrence.Basis)
	}
	if r.Interruption > 0 {
		g.MTTR.add(r.Interruption, r.Occurrence.Basis)
		v.MTTR.add(r.Interruption, r.Occurrence.Basis)
	}
}

// add counts a duration; Mean is their sum until finish.
func (m *Mean) add(d time.Duration, basis incident.Basis) {
	m.Mean += d
	m.Of++
	if basis == incident.Estimated {
		m.Estimated++
	}
}

func (m *Mean) finish() {
	if m.Of > 0 {
		m.Mean /= time.Duration(m.Of)
	}
}

func (v *Verdict) finish(groups map[incident.CauseKind]*CauseGroup) {
	v.MTTD.finish()
	v.MTTR.finish()
	v.Causes = []CauseGroup{}
	for _, g := range groups {
		g.MTTD.finish()
		g.MTTR.finish()
		v.Causes = append(v.Causes, *g)
	}
	slices.SortFunc(v.Causes, func(a, b CauseGroup) int {
		return cmp.Or(cmp.Compare(b.Down, a.Down), cmp.Compare(b.Incidents, a.Incidents), cmp.Compare(a.Cause, b.Cause))
	})
}

func (v *Verdict) judge() (Outcome, string) {
	used := fmt.Sprintf("%s of the %s that %s allows in %s", round(v.Used), round(v.Budget), v.Objective, FormatWindow(v.Window))
	switch {
	case v.Used > v.Budget:
		return Breached, "The service was away for " + used + "."
	case v.Watched == 0:
		return Unknown, "Nobody watched in this window."
	case v.Ongoing:
		return Unknown, "The service was away for " + used + ", and is away now."
	case v.Used+v.Unwatched > v.Budget:
		return Unknown, fmt.Sprintf("The service was away for %s, but for %s nobody watched.", used, round(v.Unwatched))
	case v.Watched < v.Window:
		return Met, fmt.Sprintf("The service was away for %s, of which %s were watched: met so far.", used, round(v.Watched))
	}
	return Met, "The service was away for " + used + "."
}

func round(d time.Duration) time.Duration {
	if d.Abs() >= time.Minute {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}
