package incident

import (
	"slices"
	"time"
)

// How events belong together in time.
const (
	// lookBack is how long before its consequence a cause may have been: a database
	// that died is noticed by the next monitor.
	lookBack = 60 * time.Second
	// afterglow is how long after its end an incident still takes what has no other
	// place: an administrator's second step, a plan that ended.
	afterglow = 60 * time.Second
	// patience is how long something that should be done may stay undone before it is
	// taken for how things are, as long as the service is there.
	patience = 10 * time.Minute
	// acceptance is the same when the cluster is not even doing anything about it: a node that
	// stays out must not make one incident of all that happens until it is back.
	acceptance = 10 * time.Second
	// inDoubt is how long before an incident a source that was blind may have missed the
	// reason for it, and a clock that was set may have confused it.
	inDoubt = 10 * time.Second
	// inPassing is how far the words of a log are from what they are about.
	inPassing = 2 * time.Second
)

// trigger is what an event can begin.
type trigger int

const (
	nothing trigger = iota
	continues
	fails
	asked
	returns
)

// segment is the events of one incident, with the states around it.
type segment struct {
	root          Event
	how           trigger
	before, after *state
	events        []Event
	last          time.Time // the last thing that was done
	worked        time.Time // the same, of what the CIB says
	heard         time.Time // the last word that would be the first sign of another one, were this one not there
	open          bool      // something is unresolved
	followed      bool      // by another one: it grows no more
	formed        bool      // it began when there was no cluster
	apart         bool      // it began when the observer knew of no DC
	met           met       // what the observer found of the others since
	acted         bool      // something was done or failed, more than words
	afterwards    []Event   // what an administrator did when it was over, without consequence
	found         []Event   // probes that found an address where it was
}

// splitter cuts ordered events into segments.
type splitter struct {
	state    *state
	segments []*segment
	cur      *segment
	early    []Event // causes that nobody has reacted to yet
}

// split cuts events into incidents. Only what the CIB says decides where one begins and
// ends: it says the same on all nodes, in the same order.
func split(before *state, events []Event) (segments []*segment, unanswered []Event, after *state) {
	s := &splitter{state: before.clone()}
	for _, e := range events {
		s.take(e)
	}
	if s.cur != nil {
		s.cur.after = s.state.clone()
	}
	for _, c := range s.segments {
		slices.SortStableFunc(c.events, func(a, b Event) int { return a.At.Wall.Compare(b.At.Wall) })
	}
	return s.segments, s.early, s.state
}

func (s *splitter) take(e Event) {
	if s.cur != nil && !s.cur.open && e.At.Wall.Sub(s.cur.last) > afterglow {
		s.end() // what is found later is no part of what it was like before and after it
	}
	if e.Initial || e.Kind == Gap || e.Kind == ClockChanged {
		s.state.apply(e)
		if s.cur != nil && e.Initial { // what is found was so before
			if !s.cur.before.knows(e) {
				s.cur.before.apply(e)
			}
			s.cur.met.add(e)
		}
		return
	}
	if e.Kind == AnotherCluster {
		s.end()
		s.state.apply(e)
		return
	}
	t := s.trigger(e)
	if e.Source != FromCIB || e.Kind == AttributeChanged && t == nothing {
		s.state.apply(e)
		s.aside(e)
		return
	}
	if t == nothing && s.cur != nil && s.cur.open && s.state.finds(e) {
		t = continues
	}
	if t == nothing && s.cur != nil && s.state.confirms(e) {
		s.cur.found = append(s.cur.found, e)
	}
	if t != nothing && s.begins(e, t) {
		s.begin(e, t)
	}
	failed := len(s.state.failed)
	s.state.apply(e)
	switch {
	case t != nothing:
		s.add(e, t)
	case s.cur != nil && s.cur.open && (e.Kind == ResourceRunning || len(s.state.failed) < failed):
		s.cur.open = s.state.unresolved(s.cur.before)
	}
}

// end ends what goes on: the cluster that it happened to is no more, or it was over for long.
func (s *splitter) end() {
	if s.cur != nil {
		s.cur.after, s.cur.open, s.cur = s.state.clone(), false, nil
	}
}

// begins says whether an event is the first of an incident. What the cluster does without
// a new reason continues the one before, and what comes while there is something left to
// do is a part of it.
func (s *splitter) begins(e Event, t trigger) bool {
	if s.cur == nil {
		return true
	}
	switch {
	case !s.cur.open:
		return t != continues && !s.again(e, t)
	case t == fails && s.state.unfit[instance{e.Op.Resource, e.Node}]: // it was feared
	case t != continues && s.idle(e):
		return true
	}
	return s.lasting(e)
}

// again says whether an event is the loss of a node that was lost and has just come back: a link that flaps is one
// incident, as is the Pacemaker of the observer's own node that ended and is back; or the failure of what failed and
// was just stopped for it, as when it cannot be started.
func (s *splitter) again(e Event, t trigger) bool {
	first, quiet := s.cur.root, e.At.Wall.Sub(s.cur.last)
	if s.cur.how != fails || e.Kind != first.Kind || e.Node != first.Node || e.Op.Resource != first.Op.Resource {
		return false
	}
	switch {
	case t == returns:
		return e.Node == e.Observer && quiet <= acceptance
	case t != fails:
		return false
	}
	return e.Kind == NodeChanged && quiet <= inPassing || e.Kind == OperationEnded && quiet <= acceptance && !s.state.interesting(e.Op.Resource)
}

// idle says whether the cluster has come to terms with what is left of the current segment.
func (s *splitter) idle(e Event) bool {
	return e.At.Wall.Sub(s.cur.worked) > acceptance && !s.state.busy(s.cur.before) && s.state.serving() && !s.state.unsure()
}

// lasting says whether what is left of the current segment has been so for long, and is how things are.
func (s *splitter) lasting(e Event) bool {
	return e.At.Wall.Sub(s.cur.last) > patience && s.state.serving() && !s.state.ailing()
}

func (s *splitter) begin(e Event, t trigger) {
	before := s.state.clone()
	if s.cur != nil {
		s.cur.after, s.cur.followed = before, true
	}
	s.cur = &segment{root: e, how: t, before: before.clone(), formed: before.formed(), apart: before.dc == ""}
	s.segments = append(s.segments, s.cur)
}

// claim takes what was seen before and explains an event.
func (s *splitter) claim(e Event) {
	var rest []Event
	for _, early := range s.early {
		if age := e.At.Wall.Sub(early.At.Wall); age <= lookBack && s.explains(early, e) {
			s.cur.events = append(s.cur.events, early)
		} else {
			rest = append(rest, early)
		}
	}
	s.early = rest
}

// explains says whether something seen before may be why something happened: it is
// about the same node, or about the network.
func (s *splitter) explains(early, e Event) bool {
	switch early.Kind {
	case TokenLost, LinkDown, LinkUp, QuorumLost, QuorumGained:
		return e.Kind == NodeChanged
	case NodeJoined:
		return e.Kind == NodeChanged && e.State.Member
	case NodeLeft: // one that left in order some time before has nothing to do with the next one's leaving
		return e.Kind == NodeChanged && (e.At.Wall.Sub(early.At.Wall) <= inPassing || e.Node == early.Node && !s.rejoined(early))
	case ProbeBad, ProbeGood:
		return true
	case ViewChanged, PeerSuspected:
		// One that falls silent is missed by the others long before its agent is sure of it.
		return e.At.Wall.Sub(early.At.Wall) <= inPassing || s.state.ill(e) && !s.whole(early)
	case DatabaseChanged, TransitionBegun:
		return e.At.Wall.Sub(early.At.Wall) <= inPassing
	case AttributeChanged:
		return early.Node == e.Node && e.At.Wall.Sub(early.At.Wall) <= inPassing
	case UnitDied, AddressRemoved, FencingRequested, FencingEnded:
		return early.Node == e.Node
	default:
		return false
	}
}

// whole says whether the database of a node had all members in a view, or again since something was seen there.
func (s *splitter) whole(early Event) bool {
	return slices.ContainsFunc(s.early, func(o Event) bool {
		return o.Kind == ViewChanged && o.Node == early.Node && o.View.Members >= s.cur.before.databases() && !o.At.Wall.Before(early.At.Wall)
	})
}

// rejoined says whether a node that left the membership is known to have come back to it since.
func (s *splitter) rejoined(left Event) bool {
	return slices.ContainsFunc(s.early, func(o Event) bool {
		return o.Kind == NodeJoined && o.Node == left.Node && o.At.Wall.After(left.At.Wall)
	})
}

// ill says whether with an event a database is found to be so.
func (s *state) ill(e Event) bool {
	word, _ := s.word(e.Change.Name)
	return e.Kind == AttributeChanged && word == wordUnfit && e.Change.Value != "" || e.Kind == OperationEnded && e.Op.Failed && s.isDatabase(e.Op.Resource)
}

// aside takes what is not from the CIB: it belongs to what is going on, or tells of
// what will be.
func (s *splitter) aside(e Event) {
	if s.cur != nil && s.belongs(e) {
		s.cur.events = append(s.cur.events, e)
		if s.causes(e) {
			s.cur.heard = later(s.cur.heard, e.At.Wall)
		}
		switch e.Kind {
		case FencingRequested, FencingEnded, NodeLeft, QuorumLost, QuorumGained, AddressAdded:
			s.cur.last = later(s.cur.last, e.At.Wall)
		default:
		}
		return
	}
	if s.causes(e) {
		s.early = append(s.early, e)
	}
}

// belongs says whether something that is not from the CIB is about the current segment.
func (s *splitter) belongs(e Event) bool {
	switch since := e.At.Wall.Sub(s.cur.last); {
	case s.cur.open && !s.idle(e) && !s.lasting(e):
		return true
	case s.causes(e):
		words := e.Kind == ViewChanged || e.Kind == PeerSuspected || e.Kind == DatabaseChanged || e.Kind == TransitionBegun || e.Kind == FencingEnded || e.Kind == AttributeChanged
		return words && since <= inPassing
	default:
		return since <= afterglow
	}
}

// causes says whether something is a first sign of an incident.
func (s *splitter) causes(e Event) bool {
	switch e.Kind {
	case UnitDied:
		return !e.Unit.Job && s.unitOf(e.Unit.Name) != ""
	case AddressRemoved:
		resource := s.addressOf(e.Address.Prefix)
		return resource != "" && !s.state.justStopped(instance{resource, e.Node}, e.At.Wall)
	case NodeLeft, NodeJoined, QuorumLost, QuorumGained, TokenLost, LinkDown, FencingRequested, FencingEnded, ProbeBad, ViewChanged, PeerSuspected, DatabaseChanged, TransitionBegun,
		AttributeChanged:
		return true
	case ProbeGood: // of a time in which only the client saw something
		return slices.ContainsFunc(s.early, func(o Event) bool { return o.Kind == ProbeBad })
	default:
		return false
	}
}

func (s *splitter) add(e Event, t trigger) {
	c := s.cur
	s.claim(e)
	c.events = append(c.events, e)
	c.open = s.state.unresolved(c.before)
	c.last, c.worked = later(c.last, e.At.Wall), later(c.worked, e.At.Wall)
	switch e.Kind {
	case OperationBegun, OperationEnded:
		c.acted = true
	case NodeChanged, StandbySet, MaintenanceSet, ShutdownRequested, AttributeChanged:
		c.acted = c.acted || t != continues
	default:
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// trigger says what an event of the CIB can begin, in the state before it.
func (s *splitter) trigger(e Event) trigger {
	st := s.state
	switch e.Kind {
	case OperationBegun, OperationEnded:
		switch {
		case e.Op.Probe() || e.Op.Action == "notify":
			return nothing
		case e.Kind == OperationEnded && e.Op.Failed:
			return fails
		case st.interesting(e.Op.Resource) || st.failed[instance{e.Op.Resource, e.Node}].Kind != "":
			return continues
		}
	case NodeChanged:
		return st.nodeTrigger(e)
	case ConstraintSet, StandbySet, MaintenanceSet, ShutdownRequested:
		return asked
	case ConstraintCleared, StandbyCleared, MaintenanceCleared:
		return returns
	case SettingChanged:
		if slices.Contains([]string{"target-role", "is-managed", "stop-all-resources"}, e.Change.Name) {
			return asked
		}
	case AttributeChanged:
		if word, _ := st.word(e.Change.Name); word == wordUnfit {
			if e.Change.Value != "" {
				return fails
			}
			return continues
		}
	case DCChanged:
		return continues
	default:
	}
	return nothing
}

// unitOf is the resource that a unit is, addressOf the one that an address is.
func (s *splitter) unitOf(unit string) string {
	return s.resourceOf(func(k Known) bool { return k.Unit == unit && unit != "" })
}

func (s *splitter) addressOf(prefix string) string {
	return s.resourceOf(func(k Known) bool { return k.IP != "" && k.IP == address(prefix) })
}

func (s *splitter) resourceOf(is func(Known) bool) string {
	for name, k := range s.state.known {
		if is(k) {
			return name
		}
	}
	return ""
}

// address is a prefix without its length.
func address(prefix string) string {
	for i := range prefix {
		if prefix[i] == '/' {
			return prefix[:i]
		}
	}
	return prefix
}
