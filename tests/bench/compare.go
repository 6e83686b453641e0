package main

import (
	"math"
	"slices"
	"strings"
)

// row is one action in both agents: medians, unless a name says otherwise. It is what build/bench/agents.json is a list of.
type row struct {
	Action         string  `json:"action"`
	Count          int     `json:"n"`
	Scope          string  `json:"cpu_scope"` // "action": its processes; "node": everything in the node meanwhile
	OursCPU        float64 `json:"holdfast_cpu_ms"`
	OriginalCPU    float64 `json:"heartbeat_cpu_ms"`
	CPURatio       float64 `json:"cpu_ratio"`
	OursCPU95      float64 `json:"holdfast_cpu_p95_ms"`
	OriginalCPU95  float64 `json:"heartbeat_cpu_p95_ms"`
	OursWall       float64 `json:"holdfast_wall_ms"`
	OriginalWall   float64 `json:"heartbeat_wall_ms"`
	WallRatio      float64 `json:"wall_ratio"`
	OursWall95     float64 `json:"holdfast_wall_p95_ms"`
	OriginalWall95 float64 `json:"heartbeat_wall_p95_ms"`
	OursExecs      int     `json:"holdfast_execs"`
	OriginalExecs  int     `json:"heartbeat_execs"`
	OursForks      int     `json:"holdfast_forks"`
	OriginalForks  int     `json:"heartbeat_forks"`
	OursPeak       int     `json:"holdfast_peak_kib"`
	OriginalPeak   int     `json:"heartbeat_peak_kib"`
	Missed         string  `json:"missed"` // the goals that are not reached, in words; empty: all are
}

// compare makes a row of each action, in the order in which they were first measured.
func compare(samples []sample) []row {
	type key struct {
		action, provider string
		traced           bool
	}
	groups := make(map[key][]sample)
	var actions []string
	for _, s := range samples {
		k := key{s.Action, s.Provider, s.Traced}
		groups[k] = append(groups[k], s)
		if !slices.Contains(actions, s.Action) {
			actions = append(actions, s.Action)
		}
	}
	rows := make([]row, 0, len(actions))
	for _, action := range actions {
		rows = append(rows, newRow(action, func(provider string, traced bool) []sample { return groups[key{action, provider, traced}] }))
	}
	return rows
}

func newRow(action string, of func(provider string, traced bool) []sample) row {
	mine, theirs := of(ours, false), of(original, false)
	r := row{Action: action, Count: min(len(mine), len(theirs))}
	if len(mine) > 0 {
		r.Scope = mine[0].Scope
	}
	cpu := func(s sample) float64 { return s.CPU }
	wall := func(s sample) float64 { return s.Wall }
	r.OursCPU, r.OursCPU95 = middle(mine, cpu)
	r.OriginalCPU, r.OriginalCPU95 = middle(theirs, cpu)
	r.OursWall, r.OursWall95 = middle(mine, wall)
	r.OriginalWall, r.OriginalWall95 = middle(theirs, wall)
	r.CPURatio, r.WallRatio = ratio(r.OursCPU, r.OriginalCPU), ratio(r.OursWall, r.OriginalWall)
	r.OursExecs, r.OursForks, r.OursPeak = counts(of(ours, true))
	r.OriginalExecs, r.OriginalForks, r.OriginalPeak = counts(of(original, true))
	r.Missed = missed(r)
	return r
}

// missed says which goals a row does not reach: a monitor at most a fifteenth of the original's CPU time and no exec, start and stop of
// an address at most a tenth, nothing slower than the original.
func missed(r row) string {
	var said []string
	switch monitor := strings.HasSuffix(r.Action, " monitor"); {
	case monitor && r.CPURatio > 1.0/15:
		said = append(said, "CPU above 1/15")
	case strings.HasPrefix(r.Action, "IPaddr2") && (strings.HasSuffix(r.Action, " start") || strings.HasSuffix(r.Action, " stop")) && r.CPURatio > 0.1:
		said = append(said, "CPU above 1/10")
	}
	if strings.HasSuffix(r.Action, " monitor") && r.OursExecs > 0 {
		said = append(said, "execs")
	}
	if r.WallRatio > 1 {
		said = append(said, "slower")
	}
	return strings.Join(said, ", ")
}

// middle is the median and the 95th percentile (nearest rank) of something in samples; 0 of none.
func middle(samples []sample, of func(sample) float64) (median, p95 float64) {
	if len(samples) == 0 {
		return 0, 0
	}
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	n := len(values)
	median = (values[(n-1)/2] + values[n/2]) / 2
	p95 = values[int(math.Ceil(0.95*float64(n)))-1]
	return round3(median), round3(p95)
}

// round3 leaves the microseconds.
func round3(ms float64) float64 { return math.Round(ms*1e3) / 1e3 }

func counts(samples []sample) (execs, forks, peak int) {
	of := func(field func(sample) int) int {
		m, _ := middle(samples, func(s sample) float64 { return float64(field(s)) })
		return int(math.Round(m))
	}
	return of(func(s sample) int { return s.Execs }), of(func(s sample) int { return s.Forks }), of(func(s sample) int { return s.Peak })
}

// ratio rounds to four digits; nothing measured is no ratio, and counts as 0.
func ratio(mine, theirs float64) float64 {
	if theirs == 0 {
		return 0
	}
	return math.Round(mine/theirs*1e4) / 1e4
}
