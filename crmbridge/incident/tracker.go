package incident

import (
	"crypto/sha256"
	"encoding/json"
	"time"
)

// How long the tracker waits.
const (
	// settle is how long after the last event an incident with nothing left to do is
	// taken for over: long enough for the words of logs that come late, short enough
	// that the record is there within two seconds.
	settle = 1100 * time.Millisecond
	// unfinished is when a record of an incident is written although something is under way.
	unfinished = 3 * time.Second
	// promised is how long after a phase, if no other one ends meanwhile, there is a record with it,
	// whatever else goes on: an administrator who cleans up at once does not put it off.
	promised = 1200 * time.Millisecond
	// memory is how long an incident that is over may still be added to.
	memory = 2 * time.Minute
	// most is how many events are kept. More than that is a storm in which single
	// incidents cannot be told apart anyhow.
	most = 2000
	// stepNoticed is from where on a difference between the two clocks is a step.
	stepNoticed = 100 * time.Millisecond
)

// Tracker collects events and gives records of what is over. One goroutine may use it.
//
// The record of an incident that goes on for long, or of which something is learned
// later, is given again with the same ID and a greater Revision.
type Tracker struct {
	node    string
	state   *state
	events  map[string]Event
	written map[string]written
	lines   map[string]time.Time // of each boot: the wall clock when the monotonic one was 0
	failing map[instance]bool    // has failed, and is of no interest but for that

	activity time.Time // when the newest event was seen, by the clock that Advance uses
	newest   time.Time // the newest event's own time
	told     time.Time // when it was seen, on the line of the events' own times
	due      time.Time
}

// written is what was given of an incident: a digest of the record, which may be large.
type written struct {
	record   [sha256.Size]byte
	revision int
	at       time.Time
	phase    time.Time // the end of its last phase
}

// NewTracker makes a tracker for the records of a node.
func NewTracker(node string) *Tracker {
	return &Tracker{node: node, state: newState(), events: map[string]Event{}, written: map[string]written{}, lines: map[string]time.Time{}, failing: map[instance]bool{}}
}

// Observe takes an event, and gives the records that are complete by its time.
func (t *Tracker) Observe(e Event) []Record {
	if !t.take(e) {
		return nil
	}
	late := !t.due.IsZero() && !t.activity.Before(t.due)
	if t.due.IsZero() || t.activity.Add(settle).Before(t.due) {
		t.due = t.activity.Add(settle)
	}
	if late || len(t.events) > most {
		return t.Advance(t.activity)
	}
	return nil
}

// take keeps an event, and says whether there was anything new in it.
func (t *Tracker) take(e Event) bool {
	if !t.relevant(e) {
		return false
	}
	if e.Kind == ResourceKnown { // wanted at once, to tell what is relevant
		t.state.known[e.Known.Resource] = e.Known
	}
	e.At.Wall = t.steady(e.At)
	key := e.key()
	if old, ok := t.events[key]; ok && !better(e, old) {
		return false
	}
	t.events[key] = e
	t.watch(e)
	t.activity = e.Seen.Wall
	if t.activity.IsZero() {
		t.activity = e.At.Wall
	}
	t.newest = later(t.newest, e.At.Wall)
	t.told = later(t.newest, t.steady(e.Seen))
	return true
}

// steady is a time on the line that the clock followed when the oldest event that is
// kept was seen: if the clock was set since, the monotonic one says how much later
// something was. Small differences are the clock being disciplined, and two clocks that
// were read one after the other.
func (t *Tracker) steady(m Moment) time.Time {
	if m.Mono == 0 {
		return m.Wall
	}
	if len(t.events) == 0 {
		clear(t.lines)
	}
	line, ok := t.lines[m.Boot]
	if !ok {
		t.lines[m.Boot] = m.Wall.Add(-m.Mono)
		return m.Wall
	}
	if wall := line.Add(m.Mono); wall.Sub(m.Wall).Abs() > stepNoticed {
		return wall
	}
	return m.Wall
}

// relevant says whether an event can be a part of a record at all.
func (t *Tracker) relevant(e Event) bool {
	switch e.Kind {
	case AttributeChanged:
		word, _ := t.state.word(e.Change.Name)
		return word != ""
	case OperationBegun, OperationEnded:
		return e.Op.Failed || t.state.interesting(e.Op.Resource) || t.failing[instance{e.Op.Resource, e.Node}]
	default:
		return true
	}
}

// watch keeps what has failed: what the cluster does about it then ends that.
func (t *Tracker) watch(e Event) {
	switch at := (instance{e.Op.Resource, e.Node}); {
	case e.Op.Failed:
		t.failing[at] = true
	case e.Kind == OperationEnded:
		delete(t.failing, at)
	default:
	}
}

// Advance gives the records that are complete at a time, when nothing more happens.
func (t *Tracker) Advance(now time.Time) []Record {
	t.due = time.Time{}
	if len(t.events) == 0 {
		return nil
	}
	// The clock may have been set: only what passed since the newest event counts.
	quiet := max(0, now.Sub(t.activity))
	at := t.newest.Add(quiet)
	all := assemble(t.state, t.list(), at)
	var records []Record
	for _, c := range all {
		if r, ok := t.write(c, at, quiet); ok {
			records = append(records, r)
		}
	}
	if len(t.events) > most {
		t.drop(at)
		return records
	}
	for _, e := range t.events {
		if rest := lookBack - at.Sub(e.At.Wall); lonely(e) && rest >= 0 {
			t.wake(now.Add(rest + time.Millisecond))
		}
	}
	t.forget(all, at)
	return records
}

// write says whether a record is to be given, and what it is. What was promised runs from the phase on, and
// goes on while the word of something later is on its way.
func (t *Tracker) write(c *candidate, at time.Time, quiet time.Duration) (Record, bool) {
	wait := settle
	if c.open && !c.after.resting() {
		wait = unfinished
	}
	old, phase := t.written[c.record.ID], c.record.LastPhase()
	owed := phase.After(old.phase)
	age := t.told.Add(quiet).Sub(phase)
	due := owed && age >= promised
	if c.undecided() {
		t.wake(t.activity.Add(quiet + unfinished)) // what it hears then wakes it sooner
		return Record{}, false
	}
	if rest := wait - at.Sub(c.last); rest > 0 && quiet < wait && !due && len(t.events) <= most {
		if owed {
			rest = min(rest, promised-age)
		}
		t.wake(t.activity.Add(quiet + rest))
		return Record{}, false
	}
	digest := c.digest()
	if old.record == digest {
		return Record{}, false
	}
	t.written[c.record.ID] = written{record: digest, revision: old.revision + 1, at: c.last, phase: phase}
	c.record.Revision = old.revision + 1
	return c.record, true
}

// digest is of the record without what is no news: how long it has lasted, if it goes on.
func (c *candidate) digest() [sha256.Size]byte {
	r := c.record
	if r.Open {
		r = c.segment.record(nil, nil, c.last)
	}
	text, _ := json.Marshal(r) // a record is plain values: it cannot fail
	return sha256.Sum256(text)
}

func (t *Tracker) wake(at time.Time) {
	if t.due.IsZero() || at.Before(t.due) {
		t.due = at
	}
}

// forget folds what is long over into the state that the rest begins in.
func (t *Tracker) forget(all []*candidate, at time.Time) {
	keep := at.Add(-memory)
	// One that is kept may have begun before another was over, which then is kept as a whole, too: half
	// of it would look like something new, and its last words like the first ones of the next.
	for again := true; again; {
		again = false
		for _, c := range all {
			if (c.open && !c.followed || !later(c.last, c.heard).Before(keep)) && c.record.Begin.At.Before(keep) {
				keep, again = c.record.Begin.At, true
			}
		}
	}
	t.fold(keep)
	for id, w := range t.written {
		if w.at.Before(keep) {
			delete(t.written, id)
		}
	}
}

// fold makes what was before a time a part of the state. A source that was blind shortly before
// an incident still explains it.
func (t *Tracker) fold(before time.Time) {
	var past []Event
	for _, e := range t.events {
		limit := before
		if e.Kind == Gap {
			limit = before.Add(-lookBack)
		}
		if t.over(e).Before(limit) {
			past = append(past, e)
		}
	}
	// Not meanwhile: a gap that has ended needs the event that ended it.
	for _, e := range past {
		delete(t.events, e.key())
	}
	for _, e := range ordered(past) {
		t.state.apply(e)
	}
	for _, e := range t.events { // of another cluster, what take has learned of its resources
		if e.Kind == ResourceKnown {
			t.state.known[e.Known.Resource] = e.Known
		}
	}
}

// drop forgets everything, even of what is not over: better than to grow without an end.
// What is recorded from now on says so.
func (t *Tracker) drop(at time.Time) {
	oldest := at
	for _, e := range t.events {
		oldest = earlier(oldest, e.At.Wall)
	}
	t.fold(at.Add(time.Nanosecond))
	clear(t.state.pending)
	clear(t.state.failed)
	gap := Event{
		Kind: Gap, Source: FromTracker, Observer: t.node, Node: t.node, At: Moment{Wall: oldest}, Until: at, Basis: Measured,
		Change: Change{Value: "more happened than can be told apart"},
	}
	t.events[gap.key()] = gap
}

// over is when an event is a thing of the past: a gap when it has ended.
func (t *Tracker) over(e Event) time.Time {
	if e.Kind != Gap {
		return e.At.Wall
	}
	until := e.Until
	for _, o := range t.events {
		if until.IsZero() && o.Kind == Gap && o.Source == e.Source && o.Until.After(e.At.Wall) {
			until = o.Until
		}
	}
	if until.IsZero() {
		return t.newest
	}
	return until
}

func (t *Tracker) list() []Event {
	events := make([]Event, 0, len(t.events))
	for _, e := range t.events {
		events = append(events, e)
	}
	return events
}

// Deadline is when to call Advance if no event comes before; zero for never.
func (t *Tracker) Deadline() time.Time { return t.due }

// Unfinished gives what was not given yet, or has changed since, over or not: the last words of who stops
// watching. What nobody can understand yet is not among them.
func (t *Tracker) Unfinished() []Record {
	if len(t.events) == 0 {
		return nil
	}
	var records []Record
	for _, c := range assemble(t.state, t.list(), t.newest) {
		if old := t.written[c.record.ID]; !c.undecided() && c.digest() != old.record {
			c.record.Revision = old.revision + 1
			records = append(records, c.record)
		}
	}
	return records
}
