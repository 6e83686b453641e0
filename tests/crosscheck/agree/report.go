package agree

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"holdfast/tests/chaos/result"
)

// Report is how far the two agree.
type Report struct {
	Limit         result.Milliseconds `json:"limit_ms"`
	LagLimit      result.Milliseconds `json:"lag_limit_ms"`
	Agree         bool                `json:"agree"`
	Faults        []Row               `json:"faults"`
	Disagreements []Disagreement      `json:"disagreements"` // the worst first
	Told          Told                `json:"told"`
}

// Row is one fault over its repetitions.
type Row struct {
	Fault        string `json:"fault"`
	N            int    `json:"n"`
	Records      int    `json:"records"`
	NoRecord     int    `json:"without_record"`
	WrongCause   int    `json:"wrong_cause"`
	WrongPlanned int    `json:"wrong_planned"`
	NotSame      int    `json:"not_same_id"`
	Untold       int    `json:"interruptions_not_told"`
	Untrue       int    `json:"interruptions_of_others"`
	Strays       int    `json:"records_of_nothing"`
	NeverClosed  int    `json:"never_closed"`
	PhasesOff    int    `json:"phases_off"`

	Occurrence   Spread `json:"occurrence"`
	AddressMoved Spread `json:"address_moved"`
	ServiceBack  Spread `json:"service_back"`
	Served       Spread `json:"served"`
	Interruption Spread `json:"interruption"`
	Lag          Spread `json:"lag"`
	// Stroke says how often the monitor knew in which way when the fault struck.
	Stroke map[string]int `json:"stroke_known_by"`
}

// Spread is how far a number of differences are apart: of their absolute values.
type Spread struct {
	N      int                 `json:"n"`
	Median result.Milliseconds `json:"median_ms"`
	Max    result.Milliseconds `json:"max_ms"`
}

func spread(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	sorted := make([]time.Duration, len(all))
	for i, d := range all {
		sorted[i] = d.Abs()
	}
	slices.Sort(sorted)
	return Spread{N: len(sorted), Median: median(sorted), Max: result.Of(sorted[len(sorted)-1])}
}

// median is that of durations in their order, of which there is one at least.
func median(sorted []time.Duration) result.Milliseconds {
	n := len(sorted)
	return result.Of((sorted[(n-1)/2] + sorted[n/2]) / 2)
}

func unknownFault(name string) error {
	return fmt.Errorf("what crmbridge should make of the fault %q is not known: add it to expectations", name)
}

// Compare lays the two side by side. An error is a fault that it knows nothing of.
func Compare(c Campaign, limits Limits) (Report, error) {
	all, err := matches(c)
	if err != nil {
		return Report{}, err
	}
	r := Report{Limit: result.Of(limits.Difference), LagLimit: result.Of(limits.Lag), Faults: []Row{}, Disagreements: []Disagreement{}}
	var order []string
	byFault := map[string][]finding{}
	for _, m := range all {
		if byFault[m.Name] == nil {
			order = append(order, m.Name)
		}
		f := examine(m, c, limits)
		byFault[m.Name] = append(byFault[m.Name], f)
		r.Disagreements = append(r.Disagreements, f.disagreements...)
	}
	for _, name := range order {
		r.Faults = append(r.Faults, row(byFault[name]))
	}
	slices.SortStableFunc(r.Disagreements, func(a, b Disagreement) int {
		return cmp.Or(gravity(a.What)-gravity(b.What), cmp.Compare(magnitude(b), magnitude(a)))
	})
	r.Told = told(c.Prompt)
	r.Agree = len(r.Disagreements) == 0
	return r, nil
}

func magnitude(d Disagreement) time.Duration { return d.By.Duration().Abs() }

// Grave says that the record is wrong as such, or is not there, and not only its times.
func (d Disagreement) Grave() bool { return gravity(d.What) <= gravity(phasesOff) }

// gravity orders the kinds of disagreement: a record that is not there says less than one
// that is a little late. Those of time come together, by their size.
func gravity(what string) int {
	order := []string{noRecord, wrongCause, wrongPlanned, phasesOff, notSame, untrue}
	if i := slices.Index(order, what); i >= 0 {
		return i
	}
	switch what {
	case untold, neverClosed, stray:
		return len(order) + 2
	case string(Lag):
		return len(order) + 1
	}
	return len(order)
}

func row(all []finding) Row {
	r := Row{Fault: all[0].Name, N: len(all), Stroke: map[string]int{}}
	differences := map[Measure][]time.Duration{}
	counted := map[string]int{}
	for _, f := range all {
		r.Records += len(f.records)
		r.Stroke[f.by]++
		for what, d := range f.differences {
			differences[what] = append(differences[what], d...)
		}
		for _, d := range f.disagreements {
			counted[d.What]++
		}
	}
	r.NoRecord, r.WrongCause, r.WrongPlanned, r.NotSame = counted[noRecord], counted[wrongCause], counted[wrongPlanned], counted[notSame]
	r.Untold, r.Untrue, r.Strays, r.NeverClosed, r.PhasesOff = counted[untold], counted[untrue], counted[stray], counted[neverClosed], counted[phasesOff]
	r.Occurrence, r.AddressMoved, r.ServiceBack = spread(differences[Occurrence]), spread(differences[AddressMoved]), spread(differences[ServiceBack])
	r.Served, r.Interruption, r.Lag = spread(differences[Served]), spread(differences[Interruption]), spread(differences[Lag])
	return r
}
