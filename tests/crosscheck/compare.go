package main

import (
	"slices"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
)

// expectation is what crmbridge has to call a fault of the catalogue.
type expectation struct {
	causes  []incident.CauseKind
	planned bool
}

// expected tells it by the fault's name; none if there may be no record, as of a daemon that
// systemd starts again before anybody misses it.
func expected(fault string) (e expectation) {
	name := strings.TrimSuffix(fault, "-other")
	switch name {
	case "database-kill", "database-stop", "all-databases-kill":
		e.causes = []incident.CauseKind{incident.DatabaseDied}
	case "database-hang":
		e.causes = []incident.CauseKind{incident.DatabaseHung, incident.DatabaseFailed}
	case "disk-full", "disk-stalled":
		e.causes = []incident.CauseKind{incident.DatabaseUnfit, incident.DatabaseHung, incident.DatabaseFailed, incident.DatabaseDied}
	case "address-deleted":
		e.causes = []incident.CauseKind{incident.AddressLost}
	case "planned-move":
		e.causes, e.planned = []incident.CauseKind{incident.ResourceMoved}, true
	case "standby", "rolling-restart":
		e.causes, e.planned = []incident.CauseKind{incident.NodeStandby}, true
	case "second-fault":
		e.causes = []incident.CauseKind{incident.DatabaseDied, incident.NodeLost}
	case "pacemakerd-kill", "all-power-cut":
	default: // what takes a node, or cuts it off
		e.causes = []incident.CauseKind{incident.NodeLost, incident.NodeFenced, incident.QuorumGone}
	}
	return e
}

// finding is what crmbridge has of one repetition. A difference is its time minus the monitor's;
// nil where one of them has none.
type finding struct {
	Fault        string             `json:"fault"`
	Repetition   int                `json:"repetition"`
	Record       string             `json:"record,omitempty"` // its ID; "" for none
	Cause        incident.CauseKind `json:"cause,omitempty"`
	Observers    []string           `json:"observers,omitempty"`
	Missing      bool               `json:"missing,omitempty"` // there had to be a record
	WrongCause   bool               `json:"wrong_cause,omitempty"`
	WrongPlanned bool               `json:"wrong_planned,omitempty"`
	Split        bool               `json:"split,omitempty"` // two nodes call it by two IDs
	Unbalanced   bool               `json:"unbalanced,omitempty"`
	Occurrence   *time.Duration     `json:"occurrence,omitempty"`
	Back         *time.Duration     `json:"back,omitempty"`
	Interruption *time.Duration     `json:"interruption,omitempty"`
	Lag          *time.Duration     `json:"lag,omitempty"` // from the record's end until it was written
}

// before is how long before the fault a record of it may begin, by the clocks' differences.
const before = time.Second

// compare finds the records of each repetition.
func compare(repetitions []repetition, all []written) []finding {
	var records []incident.Record
	for _, w := range all {
		records = append(records, w.record)
	}
	merged := incident.Merge(records)
	var findings []finding
	for _, r := range repetitions {
		findings = append(findings, judge(r, merged, all))
	}
	return findings
}

func judge(r repetition, merged []incident.Record, all []written) finding {
	f, want := finding{Fault: r.Fault, Repetition: r.Repetition}, expected(r.Fault)
	within := slices.DeleteFunc(slices.Clone(merged), func(m incident.Record) bool {
		return m.Begin.At.Before(r.Injected.Add(-before)) || m.Begin.At.After(r.at(r.To)) || m.Cause.Kind == incident.NodeReturned
	})
	m, right := choose(within, want)
	if m == nil {
		f.Missing = len(want.causes) > 0
		return f
	}
	f.Record, f.Cause, f.Observers = m.ID, m.Cause.Kind, m.Observers
	f.WrongCause = !right && len(want.causes) > 0
	f.WrongPlanned = right && m.Planned != want.planned
	f.Split = slices.ContainsFunc(within, func(o incident.Record) bool {
		return o.ID != m.ID && o.Cause.Kind == m.Cause.Kind && o.Cause.Node == m.Cause.Node && o.Begin.At.Sub(m.Begin.At).Abs() < before &&
			!slices.ContainsFunc(o.Observers, func(name string) bool { return slices.Contains(m.Observers, name) })
	})
	f.Unbalanced = m.Interruption > 0 && sum(m.Phases) != m.Interruption
	f.Lag = lag(m.ID, all)
	f.measure(r, *m, want.planned)
	return f
}

// measure takes the differences. When something planned was asked for is its record's begin.
func (f *finding) measure(r repetition, m incident.Record, planned bool) {
	occurred := m.Occurrence.At
	if planned {
		occurred = m.Begin.At
	}
	if !occurred.IsZero() {
		f.Occurrence = difference(occurred, r.Injected)
	}
	if m.Outcome != incident.Restored || m.Interruption == 0 {
		return
	}
	if ok, seen := r.mark("first-ok"); seen && m.ServiceBack.Known() {
		f.Back = difference(m.ServiceBack.At, ok)
	}
	if felt, ok := r.interruption(); ok && felt > 0 {
		d := m.Interruption - felt
		f.Interruption = &d
	}
}

func difference(ours, monitors time.Time) *time.Duration {
	d := ours.Sub(monitors)
	return &d
}

// choose takes the record that has the expected cause, or else one that says that the service was
// away, or else the first.
func choose(records []incident.Record, want expectation) (m *incident.Record, right bool) {
	// A node that is cut off records its own side as well; the others' is that of the service.
	for _, kind := range want.causes {
		for i, r := range records {
			if r.Cause.Kind == kind {
				return &records[i], true
			}
		}
	}
	for i, r := range records {
		if r.Interruption > 0 {
			return &records[i], false
		}
	}
	if len(records) > 0 {
		return &records[0], false
	}
	return nil, false
}

func sum(phases []incident.Phase) (all time.Duration) {
	for _, p := range phases {
		if p.Path {
			all += p.Duration
		}
	}
	return all
}

// lag is how long after its end a record was in the journal of the last of the nodes that wrote
// it, as far as it was over then.
func lag(id string, all []written) *time.Duration {
	first := map[string]time.Duration{}
	for _, w := range all {
		if w.record.ID != id || w.record.Open {
			continue
		}
		d := w.at.Sub(w.record.End.At)
		if old, ok := first[w.record.Observers[0]]; !ok || d < old {
			first[w.record.Observers[0]] = d
		}
	}
	var longest *time.Duration
	for _, d := range first {
		if longest == nil || d > *longest {
			longest = &d
		}
	}
	return longest
}
