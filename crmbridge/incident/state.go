package incident

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// OCF codes that say what a resource is (OCF 1.1, section 2.4 and Pacemaker's monitor).
const (
	ocfOK         = 0
	ocfNotRunning = 7
	ocfPromoted   = 8
)

// statusTimeout is Pacemaker's PCMK_EXEC_TIMEOUT.
const statusTimeout = 2

// instance is a resource on a node.
type instance struct{ resource, node string }

// action is what may be under way there.
type action struct {
	instance
	name string
}

// state is the cluster as far as the events have told.
type state struct {
	known    map[string]Known
	roles    map[instance]Role
	pending  map[action]Event
	failed   map[instance]Event     // nothing was done about it yet
	gone     map[instance]time.Time // when Pacemaker stopped it there
	erased   map[instance]bool      // its history was, on a node that is there, and nobody has looked since
	nodes    map[string]NodeState
	leaving  map[string]bool // asked to shut down
	standby  map[string]bool
	off      map[string]bool // resources that shall not run: target-role Stopped
	unfit    map[instance]bool
	left     bool // maintenance of the whole cluster
	noFence  bool // stonith-enabled is false
	quorum   bool // of the observer's partition
	dc       string
	ring     string // of Corosync's newest membership
	served   lastServed
	cut      time.Time // when the observer lost Corosync last
	joined   time.Time // when it was last found to be a member
	clock    map[string]Clock
	observer string
}

// lastServed is where the address was when the observer last knew, while nothing newer is known: a
// program that begins to watch again, perhaps on a machine that was off.
type lastServed struct {
	node string
	at   time.Time // the last sign of life of the observer's machine
}

func newState() *state {
	return &state{
		known: map[string]Known{}, roles: map[instance]Role{}, pending: map[action]Event{}, failed: map[instance]Event{}, gone: map[instance]time.Time{}, erased: map[instance]bool{},
		nodes: map[string]NodeState{}, leaving: map[string]bool{}, standby: map[string]bool{}, off: map[string]bool{},
		unfit: map[instance]bool{},
		clock: map[string]Clock{}, quorum: true,
	}
}

// another is the state of another cluster on the same machine.
func (s *state) another() *state {
	n := newState()
	n.quorum, n.ring, n.clock, n.observer = s.quorum, s.ring, s.clock, s.observer
	return n
}

func (s *state) clone() *state {
	c := *s
	c.known, c.roles, c.pending, c.failed = maps.Clone(s.known), maps.Clone(s.roles), maps.Clone(s.pending), maps.Clone(s.failed)
	c.nodes, c.leaving, c.standby, c.off = maps.Clone(s.nodes), maps.Clone(s.leaving), maps.Clone(s.standby), maps.Clone(s.off)
	c.clock, c.unfit, c.gone, c.erased = maps.Clone(s.clock), maps.Clone(s.unfit), maps.Clone(s.gone), maps.Clone(s.erased)
	return &c
}

// apply makes the state that of after an event.
func (s *state) apply(e Event) {
	s.observer, s.ring = cmp.Or(s.observer, e.Observer), cmp.Or(e.Ring, s.ring)
	switch e.Kind {
	case ResourceKnown:
		s.known[e.Known.Resource] = e.Known
	case ResourceRunning:
		s.toldByHistory(instance{e.Known.Resource, e.Node}, e.Known.Role)
	case OperationBegun, OperationEnded:
		s.operation(e)
	case NodeChanged:
		s.node(e)
	case ShutdownRequested:
		s.leaving[e.Node] = true
	case StandbySet, StandbyCleared:
		s.standby[e.Node] = e.Kind == StandbySet
	case MaintenanceSet, MaintenanceCleared:
		if e.Node == "" {
			s.left = e.Kind == MaintenanceSet
		}
	case SettingChanged:
		s.setting(e.Change)
	case AttributeChanged:
		if word, database := s.word(e.Change.Name); word == wordUnfit {
			s.unfit[instance{database, e.Node}] = e.Change.Value != ""
		}
	case QuorumGained, QuorumLost:
		s.quorum = e.Kind == QuorumGained
	case DCChanged:
		s.dc = e.Node
	case AnotherCluster:
		*s = *s.another()
	case ServiceKnown:
		s.served = lastServed{e.Node, e.At.Wall}
	case ClockChanged:
		s.clock[e.Observer] = e.Clock
	case Gap:
		if e.Source == FromCorosync {
			s.cut = later(s.cut, e.At.Wall)
		}
	default:
	}
	if s.served.node != "" && s.located() {
		s.served = lastServed{}
	}
}

// What ocf:holdfast:galera says of a database in transient attributes of its node, whose names
// are the resource's with these behind.
const (
	wordUnfit = "-unfit" // clients are better off elsewhere
	wordState = "-state" // what is special about it, in words
)

// word says which of those an attribute is, and of which database; "" if it is none.
func (s *state) word(attribute string) (word, database string) {
	for _, word := range []string{wordUnfit, wordState} {
		if name, ok := strings.CutSuffix(attribute, word); ok && s.isDatabase(name) {
			return word, name
		}
	}
	return "", ""
}

func (s *state) setting(c Change) {
	switch c.Name {
	case "target-role":
		s.off[c.Resource] = c.Value == "Stopped"
	case "stop-all-resources":
		s.off[""] = c.Value == "true"
	case "stonith-enabled":
		s.noFence = c.Value == "false"
	}
}

func (s *state) node(e Event) {
	if s.outside(e) {
		return
	}
	s.nodes[e.Node] = e.State
	if e.State.Member && e.State.Online {
		if e.Node == e.Observer {
			s.joined = later(s.joined, e.At.Wall)
		}
		if e.State.Join == "member" && e.State.Expected != "down" { // one that leaves is that last of all
			delete(s.leaving, e.Node)
		}
		return
	}
	// What ran there stays known, though nobody can count on it (live): a node that was only cut
	// off comes back with it, and tells of no operation. The history says when it is gone.
	maps.DeleteFunc(s.pending, func(a action, _ Event) bool { return a.node == e.Node })
	if e.Initial { // an observer that is apart does not know of others, which is no news of them
		return
	}
	maps.DeleteFunc(s.failed, func(i instance, _ Event) bool { return i.node == e.Node })
	maps.DeleteFunc(s.unfit, func(i instance, _ bool) bool { return i.node == e.Node })
}

// runs sets what an instance is.
func (s *state) runs(i instance, role Role) {
	if role == RoleStopped {
		delete(s.roles, i)
		return
	}
	s.roles[i] = role
}

// toldByHistory sets what an instance is by its history. If that was erased, as a cleanup does, nothing
// is under way or has failed there: what had begun ends without a word.
//
// What runs goes on running when it was erased on a node that is there, as at a cleanup or when only its controller had
// ended; the probe that follows says what is.
func (s *state) toldByHistory(i instance, role Role) {
	delete(s.erased, i)
	switch {
	case role != RoleUnknown:
		s.runs(i, role)
	case !s.live(i.node):
		s.runs(i, RoleStopped)
	default:
		s.erased[i] = true
	}
	if role == RoleStopped || role == RoleUnknown {
		maps.DeleteFunc(s.pending, func(a action, _ Event) bool { return a.instance == i })
		delete(s.failed, i)
	}
}

// probed is what a probe found, of a node that came back or a resource that was cleaned up: what had failed is
// forgotten.
func (s *state) probed(e Event, at instance) {
	if e.Kind != OperationEnded {
		return
	}
	if !e.Op.Failed {
		delete(s.failed, at)
	}
	if !s.interesting(e.Op.Resource) {
		return
	}
	switch e.Op.RC {
	case ocfNotRunning:
		s.runs(at, RoleStopped)
	case ocfOK:
		s.runs(at, RoleStarted)
	case ocfPromoted:
		s.runs(at, RolePromoted)
	}
}

// finds says whether a probe finds an address that was nowhere, and confirms whether it finds one where it was.
func (s *state) finds(e Event) bool { return s.probes(e, "") }

func (s *state) confirms(e Event) bool { return s.probes(e, e.Node) }

// probes says whether a probe finds an address that is known to be on a node.
func (s *state) probes(e Event, node string) bool {
	return e.Kind == OperationEnded && e.Op.Probe() && e.Op.RC == ocfOK && s.isAddress(e.Op.Resource) && s.where(e.Op.Resource) == node
}

func (s *state) operation(e Event) {
	o, at := e.Op, instance{e.Op.Resource, e.Node}
	if e.Kind == OperationEnded {
		delete(s.erased, at)
	}
	switch {
	case o.Probe():
		s.probed(e, at)
		return
	case o.Action == "notify":
		return
	case !o.Failed && !s.interesting(o.Resource):
		if e.Kind == OperationEnded {
			delete(s.failed, at)
		}
		return
	}
	if e.Kind == OperationBegun {
		s.pending[action{at, o.Action}] = e
		delete(s.failed, at)
		return
	}
	delete(s.pending, action{at, o.Action})
	if o.Failed {
		s.failed[at] = e
		if o.RC == ocfNotRunning {
			delete(s.roles, at)
		}
		return
	}
	if f := s.failed[at].Op; o.Action == "monitor" && f.Action == "monitor" && f.Interval == o.Interval { // on-fail=ignore
		delete(s.failed, at)
	}
	switch {
	case o.Action == "stop":
		delete(s.roles, at)
		delete(s.failed, at)
		s.gone[at] = e.At.Wall
	case o.Action == "start", o.Action == "demote":
		if s.isAddress(o.Resource) { // there is one of it, and what a node that left had is old
			maps.DeleteFunc(s.roles, func(i instance, _ Role) bool { return i.resource == o.Resource })
		}
		s.roles[at] = RoleStarted
	case o.Action == "promote", o.Action == "monitor" && o.RC == ocfPromoted:
		s.roles[at] = RolePromoted
	case o.Action == "monitor" && o.RC == ocfOK && s.roles[at] == "":
		s.roles[at] = RoleStarted
	}
}

// interesting says whether what happens to a resource is part of a record, beyond its
// failures. If nobody said which are, all are.
func (s *state) interesting(resource string) bool {
	_, ok := s.known[resource]
	return ok || len(s.known) == 0
}

func (s *state) isAddress(resource string) bool  { return s.known[resource].Role == RoleAddress }
func (s *state) isDatabase(resource string) bool { return s.known[resource].Role == RoleDatabase }

// where is a node that has the resource, the first by name; "" for none.
func (s *state) where(resource string) string {
	for _, i := range slices.SortedFunc(maps.Keys(s.roles), func(a, b instance) int {
		return cmp.Or(cmp.Compare(a.resource, b.resource), cmp.Compare(a.node, b.node))
	}) {
		if i.resource == resource && s.live(i.node) {
			return i.node
		}
	}
	return ""
}

func sorted(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}
