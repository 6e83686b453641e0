package agree

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/tests/chaos/result"
)

// Limits are what the two may differ by.
type Limits struct {
	Difference time.Duration // of a moment, or of the length of the interruption
	Lag        time.Duration // from the last phase of a record to its writing
}

// noticeable is the shortest interruption that a record has to tell of: a commit may take
// as long as that in good order.
const noticeable = 250 * time.Millisecond

// Measure names something that both measured.
type Measure string

// The measures. All but the lag are crmbridge's minus the monitor's.
const (
	Occurrence   Measure = "occurrence"
	AddressMoved Measure = "address moved"
	ServiceBack  Measure = "service back"
	Interruption Measure = "interruption"
	// Served is by how much the service was back before the write was begun from which on each
	// was answered, or after its answer; 0 in between.
	Served Measure = "served"
	Lag    Measure = "lag"
)

// finding is what one repetition shows.
type finding struct {
	match
	differences   map[Measure][]time.Duration
	disagreements []Disagreement
}

// Disagreement is one thing about which the two do not agree, or that is not as it should
// be.
type Disagreement struct {
	Fault      string              `json:"fault"`
	Repetition int                 `json:"repetition"`
	Record     string              `json:"record,omitempty"`
	What       string              `json:"what"`
	By         result.Milliseconds `json:"by_ms,omitempty"`
	Monitor    string              `json:"monitor"`
	Crmbridge  string              `json:"crmbridge"`
}

// The kinds of disagreement that are no difference of time.
const (
	noRecord     = "no record"
	wrongCause   = "wrong cause"
	wrongPlanned = "wrong planned"
	notSame      = "not the same on all nodes"
	phasesOff    = "phases do not add up"
	untold       = "interruption not told"
	untrue       = "interruption of another record"
	stray        = "record of nothing"
	neverClosed  = "record never closed"
)

func (f *finding) disagree(what, record, monitor, crmbridge string, by time.Duration) {
	f.disagreements = append(f.disagreements, Disagreement{
		Fault: f.Name, Repetition: f.Repetition, Record: record, What: what, By: result.Of(by), Monitor: monitor, Crmbridge: crmbridge,
	})
}

// examine compares a repetition.
func examine(m match, c Campaign, limits Limits) finding {
	f := finding{match: m, differences: map[Measure][]time.Duration{}}
	f.cause(c.Records)
	if m.first != nil {
		f.sameEverywhere(c.Writings)
		f.moments(limits)
		f.length(limits)
	}
	f.others(limits)
	f.writing(c.Writings, limits)
	for _, r := range m.records {
		if err := AddUp(r); err != nil {
			f.disagree(phasesOff, r.ID, "", err.Error(), 0)
		}
	}
	return f
}

// cause is whether there is a record, and tells what was done.
func (f *finding) cause(all []incident.Record) {
	switch {
	case f.first == nil && f.silent:
	case f.first == nil:
		words, id := "nothing", ""
		if r, found := swallowed(f.match, all); found {
			words, id = fmt.Sprintf("the record of %s on %s from %s was not over until %s", r.Cause.Kind, r.Cause.Node, clock(begin(r)), clock(r.End.At)), r.ID
		}
		f.disagree(noRecord, id, fmt.Sprintf("%s on %s at %s", f.Name, strings.Join(f.Targets, " "), clock(f.stroke)), words, 0)
	case !f.right:
		f.disagree(wrongCause, f.first.ID, fmt.Sprintf("%s on %s", kinds(f.causes), strings.Join(f.Targets, " ")), fmt.Sprintf("%s on %s", f.first.Cause.Kind, f.first.Cause.Node), 0)
	}
	if f.first != nil && f.first.Planned != f.planned {
		f.disagree(wrongPlanned, f.first.ID, fmt.Sprintf("planned %t", f.planned), fmt.Sprintf("planned %t", f.first.Planned), 0)
	}
}

func kinds(all []incident.CauseKind) string {
	var words []string
	for _, k := range all {
		words = append(words, string(k))
	}
	return strings.Join(words, " or ")
}

// sameEverywhere is whether every node that was left wrote the record, with the same ID.
func (f *finding) sameEverywhere(writings []Writing) {
	missing := f.missing()
	if len(missing) == 0 {
		return
	}
	words := fmt.Sprintf("of %s; nothing of %s", strings.Join(f.first.Observers, " "), strings.Join(missing, " "))
	if id := f.otherID(missing, writings); id != "" {
		words = fmt.Sprintf("of %s; %s wrote it as %s", strings.Join(f.first.Observers, " "), strings.Join(missing, " "), id)
	}
	f.disagree(notSame, f.first.ID, "seen by "+strings.Join(f.survivors, " "), words, 0)
}

// otherID is under which ID nodes wrote the same incident.
func (f *finding) otherID(nodes []string, writings []Writing) string {
	for _, w := range writings {
		r := w.Record
		if within([]string{w.Node}, nodes) && r.ID != f.first.ID && r.Cause.Kind == f.first.Cause.Kind && r.Cause.Node == f.first.Cause.Node &&
			begin(r).Sub(begin(*f.first)).Abs() < recovered {
			return r.ID
		}
	}
	return ""
}

// moments compares when it happened, when the address was elsewhere and when the service
// was back.
func (f *finding) moments(limits Limits) {
	at := happened(*f.first)
	told := at.Known() && f.first.Cause.Kind != incident.NodeReturned // which is not when the node was lost
	if f.by != byMark && told {
		begun := f.stroke
		if f.planned { // it was in the CIB somewhen between the begin of the command and its return
			begun = f.Injected
		}
		f.span(Occurrence, f.first, begun, f.stroke, at, limits)
	}
	r := f.interrupted
	if r.Interruption == 0 || !r.ServiceBack.Known() {
		return
	}
	moved := f.mark(result.ARPChanged)
	if moved.IsZero() {
		moved = f.mark(result.AddressMoved)
	}
	if up := movedAt(*r); r.From != r.To && !moved.IsZero() && up.Known() {
		f.moment(AddressMoved, r, moved, up, limits)
	}
	if g := f.told(); g != (gap{}) {
		f.back(r, g, limits)
	}
}

// happened is when a record says that what was done took effect. What an administrator asks for is
// in the CIB before the service is taken away, which is the record's occurrence.
func happened(r incident.Record) incident.Point {
	if r.Planned && len(r.Cause.Evidence) > 0 {
		asked := r.Cause.Evidence[0]
		return incident.Point{At: asked.At, Basis: asked.Basis, How: asked.What}
	}
	return r.Occurrence
}

// movedAt is when the address was up on another node for the first time, which need not be where
// it stays: the monitor sees the first answer to ARP.
func movedAt(r incident.Record) incident.Point {
	up := r.AddressBack()
	for _, p := range r.Phases {
		if p.Name == incident.PhaseAddress && p.Node != r.From && p.End.Before(up.At) && !p.Failed {
			up = incident.Point{At: p.End, Basis: p.Basis, How: p.Note}
		}
	}
	return up
}

// back compares when the service was back. What the write took from which on each was answered does
// not tell against crmbridge, which cannot know: they differ when it names no moment of that write.
func (f *finding) back(r *incident.Record, g gap, limits Limits) {
	at := r.ServiceBack
	f.differences[ServiceBack] = append(f.differences[ServiceBack], at.At.Sub(g.to))
	off := outside(at.At, g.begun, g.answered)
	f.differences[Served] = append(f.differences[Served], off)
	if off.Abs() > limits.Difference {
		f.disagree(string(ServiceBack), r.ID, between(g.begun, g.answered), said(at), off)
	}
}

// outside is by how much a moment is before or after a time from one to another; 0 within.
func outside(at, from, to time.Time) time.Duration {
	switch {
	case at.Before(from):
		return at.Sub(from)
	case at.After(to):
		return at.Sub(to)
	}
	return 0
}

// told is the monitor's side of the interruption that the record tells of: a planned move may take less than what
// the monitor calls one.
func (f *finding) told() gap {
	back := f.interrupted.ServiceBack.At
	since := back.Add(-f.interrupted.Interruption)
	g := f.during(since, back)
	if g == (gap{}) && f.brief.from.Before(back) && f.brief.to.After(since) {
		return f.brief
	}
	return g
}

func (f *finding) moment(what Measure, r *incident.Record, theirs time.Time, ours incident.Point, limits Limits) {
	f.span(what, r, theirs, theirs, ours, limits)
}

// span compares what the monitor only knows to have been between two moments.
func (f *finding) span(what Measure, r *incident.Record, from, to time.Time, ours incident.Point, limits Limits) {
	d := outside(ours.At, from, to)
	f.differences[what] = append(f.differences[what], d)
	if d.Abs() > limits.Difference {
		f.disagree(string(what), r.ID, between(from, to), said(ours), d)
	}
}

// between is a span in words, or the moment that it is.
func between(from, to time.Time) string {
	if from.Equal(to) {
		return clock(to)
	}
	return clock(from) + " to " + clock(to)
}

// length compares how long the service was away.
func (f *finding) length(limits Limits) {
	r := f.interrupted
	if r.Interruption == 0 {
		if g := f.longest(); g.length() > noticeable {
			f.disagree(untold, r.ID, fmt.Sprintf("%s from %s", ms(g.length()), clock(g.from)), string(r.Outcome), -g.length())
		}
		return
	}
	g := f.told()
	f.differences[Interruption] = append(f.differences[Interruption], r.Interruption-g.length())
	if d := outside(g.from.Add(r.Interruption), g.begun, g.answered); d.Abs() > limits.Difference {
		f.disagree(string(Interruption), r.ID, ms(g.begun.Sub(g.from))+" to "+ms(g.answered.Sub(g.from)), ms(r.Interruption), d)
	}
}

// others looks at the records that are not of the fault itself: whether there is a reason
// for them, and whether they claim an interruption that was not there.
func (f *finding) others(limits Limits) {
	for _, r := range f.strays() {
		f.disagree(stray, r.ID, fmt.Sprintf("%s on %s at %s", f.Name, strings.Join(f.Targets, " "), clock(f.stroke)),
			fmt.Sprintf("%s on %s at %s, of %s", r.Cause.Kind, r.Cause.Node, clock(begin(r)), strings.Join(r.Observers, " ")), 0)
	}
	for _, r := range f.records {
		if r.Interruption == 0 || f.interrupted != nil && r.ID == f.interrupted.ID {
			continue
		}
		g := f.during(r.ServiceBack.At.Add(-r.Interruption), r.ServiceBack.At)
		if d := r.Interruption - g.length(); d > limits.Difference {
			f.disagree(untrue, r.ID, ms(g.length()), fmt.Sprintf("%s, %s on %s, of %s", ms(r.Interruption), r.Cause.Kind, r.Cause.Node, strings.Join(r.Observers, " ")), d)
		}
	}
}

// writing is how long after its last phase each record was written by the nodes that were
// left, and whether they ever said that it was over.
func (f *finding) writing(writings []Writing, limits Limits) {
	for _, r := range f.records {
		for _, node := range f.survivors {
			lag, last, state := lagOf(r.ID, node, writings)
			switch state {
			case absent:
			case unclosed:
				f.disagree(neverClosed, r.ID, "", "of "+node, 0)
			default:
				f.differences[Lag] = append(f.differences[Lag], lag)
				if lag > limits.Lag {
					f.disagree(string(Lag), r.ID, "last phase "+clock(last), fmt.Sprintf("written %s by %s", clock(last.Add(lag)), node), lag)
				}
			}
		}
	}
}

// What a node wrote of a record.
const (
	absent = iota
	unclosed
	closed
)

// lagOf is how long after the last phase of a record a node had written it: whether or not it said
// at once that all was over, for what cannot run stays so until its reason is gone.
func lagOf(id, node string, writings []Writing) (lag time.Duration, last time.Time, state int) {
	var all []Writing
	for _, w := range writings {
		if w.Node != node || w.Record.ID != id {
			continue
		}
		all = append(all, w)
		if w.Record.Open {
			state = unclosed
			continue
		}
		last = lastPhase(w.Record)
		first := slices.IndexFunc(all, func(w Writing) bool { return !lastPhase(w.Record).Before(last) })
		return all[first].At.Sub(last), last, closed
	}
	return 0, time.Time{}, state
}

// lastPhase is when the last phase of a record ended, or the record if it has none.
func lastPhase(r incident.Record) time.Time {
	if last := r.LastPhase(); !last.IsZero() {
		return last
	}
	return r.End.At
}

// AddUp says why the phases of a record do not add up to its interruption; nil when they
// do, or when there was none.
func AddUp(r incident.Record) error {
	var sum time.Duration
	var at time.Time
	for _, p := range r.Phases {
		switch {
		case p.Duration != p.End.Sub(p.Begin) || p.Duration < 0:
			return fmt.Errorf("%s lasts %v from %s to %s", p.Name, p.Duration, clock(p.Begin), clock(p.End))
		case !p.Path:
			continue
		case !at.IsZero() && !p.Begin.Equal(at):
			return fmt.Errorf("%s begins at %s, and the phase before it ends at %s", p.Name, clock(p.Begin), clock(at))
		}
		sum, at = sum+p.Duration, p.End
	}
	if r.Occurrence.Known() && r.Detection.Known() && r.Occurrence.At.Sub(r.Detection.At) > early {
		return fmt.Errorf("it was detected at %s and happened at %s", clock(r.Detection.At), clock(r.Occurrence.At))
	}
	if r.Interruption > 0 && sum != r.Interruption {
		return fmt.Errorf("the phases last %s and the interruption %s", ms(sum), ms(r.Interruption))
	}
	return nil
}

// said is a moment of a record, and how it is known.
func said(p incident.Point) string {
	return fmt.Sprintf("%s, %s: %s", clock(p.At), p.Basis, p.How)
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("15:04:05.000")
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
