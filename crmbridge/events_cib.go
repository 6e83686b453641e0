package main

import (
	"cmp"
	"time"

	"holdfast/cib"
	"holdfast/crmbridge/incident"
)

// cibView is what the translator remembers of the CIB.
type cibView struct {
	read  bool
	epoch cib.Version       // of the configuration
	names map[string]string // node names by their ids
	// members are the nodes, by their names, that take part in the cluster as Pacemaker sees it.
	members map[string]bool
	// resources are those of the configuration, addresses the floating ones of theirs.
	resources map[string]cib.Resource
	addresses map[string]string
	// results are those of each entry of the history, also of one that was deleted:
	// a history that is only written again brings nothing new.
	results map[[3]string]result
	// history is that of the resources of interest on each node, by entry; erased says of which it
	// is not there any more.
	history map[instance]map[string]cib.Operation
	erased  map[instance]bool
	// apart says that the CIB is this node's own: it has no DC, because the node is not, or not
	// yet, a part of the cluster, and knows nothing of the others.
	apart bool
	// joining says that the node has the others' CIB, but does not take part in the cluster yet.
	joining bool
	// planners are the DCs' own identifiers in the history, and how often each is there.
	// Every controller makes a new one when it starts: a cluster that was set up anew has
	// others, and all nodes have the same ones with the same version of the CIB.
	planners map[string]int
}

// result is what an entry of the history has told: the magic, which is unlike that of any other, and when the
// operation began, in seconds since 1970 of the node's clock.
type result struct {
	magic string
	begun int64
}

func newCIBView() cibView {
	return cibView{
		names: map[string]string{}, members: map[string]bool{}, resources: map[string]cib.Resource{}, addresses: map[string]string{}, results: map[[3]string]result{},
		history: map[instance]map[string]cib.Operation{}, erased: map[instance]bool{}, planners: map[string]int{},
	}
}

// cluster is what tells this cluster from others: see incident.Event.
func (v *cibView) cluster() string {
	least := ""
	for planner := range v.planners {
		if least == "" || planner < least {
			least = planner
		}
	}
	return least
}

// count keeps the planners.
func (v *cibView) count(c cib.Change) {
	if o, ok := c.Before.(cib.Operation); ok {
		if v.planners[o.Transition.DC]--; v.planners[o.Transition.DC] <= 0 {
			delete(v.planners, o.Transition.DC)
		}
	}
	if o, ok := c.After.(cib.Operation); ok && o.Transition.DC != "" && !o.Injected() {
		v.planners[o.Transition.DC]++
	}
}

func (v *cibView) learn(f cib.Fact) {
	switch f := f.(type) {
	case cib.Node:
		v.names[f.ID] = f.Name
	case cib.NodeState: // of a new cluster it is there first
		if f.Name != "" {
			v.names[f.ID] = f.Name
		}
		v.members[f.Name] = f.Join == joinMember
	case cib.Resource:
		v.resources[f.ID] = f
	case cib.Address:
		v.addresses[f.Resource] = f.IP
	case cib.Operation:
		if f.Magic != "" && !f.Pending() {
			v.results[[3]string{f.NodeID, f.Resource, f.Entry}] = result{f.Magic, f.Changed.Unix()}
		}
		v.remember(f)
	}
}

func (v *cibView) name(id string) string {
	if name := v.names[id]; name != "" {
		return name
	}
	return id
}

// cibRead is the first state of the CIB, or what is different after a blind time.
func (t *translator) cibRead(o observation, r cibRead) []incident.Event {
	if r.another {
		delete(t.resync, sourceCIB)
		t.cib = newCIBView()
		news := t.event(o, incident.Event{Kind: incident.AnotherCluster, Node: t.node, CIB: r.version.String()})
		return append(one(news), t.firstRead(o, r)...)
	}
	if t.resynced(sourceCIB, t.cib.read) {
		if t.cib.apart = parted(r.changes); t.cib.apart {
			for _, c := range r.changes {
				t.cib.count(c)
			}
			clear(t.cib.members)
			return nil // that it knows nothing of the others does not mean that they are gone
		}
		events := t.changes(o, r.version, "", r.changes)
		t.cib.joining = t.cib.joining && !t.cib.members[t.node]
		for i := range events {
			estimate(&events[i])
		}
		return events
	}
	return append(t.missedFailures(o, r), t.firstRead(o, r)...)
}

// firstRead is what there was when following the CIB of a cluster began.
func (t *translator) firstRead(o observation, r cibRead) []incident.Event {
	t.cib.read = true
	t.cib.joining = joining(r.facts, t.node)
	var events []incident.Event
	initial := func(e incident.Event) {
		e.CIB, e.Initial = r.version.String(), true
		events = append(events, t.event(o, e))
	}
	for _, f := range r.facts { // names are wanted before they come
		if c, ok := f.(cib.Cluster); ok {
			t.cib.apart = c.DC == ""
		}
		t.cib.learn(f)
		t.cib.count(cib.Change{After: f})
	}
	for _, f := range r.facts {
		for _, e := range t.change(cib.Change{After: f}) {
			if e.Kind != incident.OperationBegun && e.Kind != incident.OperationEnded && e.Kind != incident.ResourceKnown {
				initial(e)
			}
		}
	}
	for _, known := range t.known(r.state) {
		initial(known)
	}
	for _, op := range r.state.Operations {
		if op.Pending() {
			for _, e := range t.operation(nil, op) {
				initial(e)
			}
		}
	}
	t.cib.epoch = r.version.Configuration()
	return events
}

// missedFailures are the failed results in the history from while this program did not run:
// what it sees then is their consequence. When they were is in whole seconds. What failed while the
// node was no part of the cluster the others know.
func (t *translator) missedFailures(o observation, r cibRead) []incident.Event {
	if joining(r.facts, t.node) {
		return nil
	}
	var events []incident.Event
	for _, f := range r.facts {
		op, ok := f.(cib.Operation)
		if !ok || t.unwatched.IsZero() || op.Pending() || !op.Failed() || op.Changed.Add(op.Exec).Before(t.unwatched.Truncate(time.Second)) {
			continue
		}
		for _, e := range t.operation(nil, op) {
			estimate(&e)
			e.CIB = r.version.String()
			events = append(events, t.event(o, e))
		}
	}
	return events
}

// known are the resources of interest and where they run.
func (t *translator) known(s cib.State) []incident.Event {
	var events []incident.Event
	for _, r := range s.Resources {
		k, ok := t.cib.known(r.ID)
		if !ok {
			continue
		}
		events = append(events, incident.Event{Kind: incident.ResourceKnown, Known: k})
		roles := s.Roles(r.ID)
		for _, n := range s.NodeStates {
			if role := roles[n.Name]; role == cib.Started || role == cib.Promoted {
				events = append(events, incident.Event{
					Kind: incident.ResourceRunning, Node: n.Name,
					Known: incident.Known{Resource: r.ID, Role: incident.Role(role), Parent: r.Parent},
				})
			}
		}
	}
	return events
}

// known is what is known of a resource of interest.
func (v *cibView) known(id string) (incident.Known, bool) {
	r := v.resources[id]
	k := incident.Known{Resource: id, Parent: r.Parent}
	switch r.Type {
	case "IPaddr2":
		k.Role, k.IP = incident.RoleAddress, v.addresses[id]
	case "galera":
		k.Role, k.Unit = incident.RoleDatabase, "mariadb.service"
	default:
		return incident.Known{}, false
	}
	return k, true
}

// appeared tells of a resource of interest that was made, or given an address, while the
// CIB was followed: the daemon is there before the cluster is set up.
func (t *translator) appeared(f cib.Fact, id string) []incident.Event {
	t.cib.learn(f)
	if k, ok := t.cib.known(id); ok {
		return one(incident.Event{Kind: incident.ResourceKnown, Known: k})
	}
	return nil
}

func (t *translator) cibChanged(o observation, c cibChanged) []incident.Event {
	by := ""
	// Only a change of the configuration says who made it; status changes repeat it.
	if epoch := c.version.Configuration(); epoch != t.cib.epoch {
		t.cib.epoch = epoch
		if by = c.client; c.user != "" {
			by += " (" + c.user + ")"
		}
	}
	events := t.changes(o, c.version, by, c.changes)
	for i := range events {
		belated(&events[i])
	}
	switch {
	case joined(c.changes): // the history of the others may come later
		t.cib.apart, t.cib.joining = false, !t.cib.members[t.node]
		return found(events, func(incident.Event) bool { return true })
	case t.cib.apart, t.cib.joining:
		t.cib.joining = !t.cib.members[t.node]
		return found(events, t.notOwn)
	}
	return events
}

func (t *translator) changes(o observation, version cib.Version, by string, changes []cib.Change) []incident.Event {
	var events []incident.Event
	cluster := t.cib.cluster() // as it was before, because not all nodes hear of changes one by one
	add := func(e incident.Event) {
		e.CIB, e.By, e.Cluster = version.String(), by, cluster
		events = append(events, t.event(o, e))
	}
	for _, c := range changes {
		for _, e := range t.change(c) {
			add(e)
		}
		t.cib.count(c)
		if c.After != nil {
			t.cib.learn(c.After)
		} else {
			t.cib.forget(c.Before)
		}
	}
	for _, e := range t.cib.rewritten(changes, events) {
		add(e)
	}
	return events
}

// change is what a changed fact means.
func (t *translator) change(c cib.Change) []incident.Event {
	f := c.After
	if f == nil {
		f = c.Before
	}
	switch f := f.(type) {
	case cib.Resource:
		if c.After != nil {
			return t.appeared(f, f.ID)
		}
	case cib.Address:
		if c.After != nil {
			return t.appeared(f, f.Resource)
		}
	case cib.Operation:
		if c.After != nil {
			return t.operation(c.Before, f)
		}
	case cib.NodeState:
		if c.After == nil {
			f = cib.NodeState{ID: f.ID, Name: f.Name}
		}
		return one(incident.Event{Kind: incident.NodeChanged, Node: cmp.Or(f.Name, t.cib.name(f.ID)), State: incident.NodeState{Member: f.Member, Online: f.Online, Join: f.Join, Expected: f.Expected}})
	case cib.Cluster:
		if before, ok := c.Before.(cib.Cluster); ok && before.DC == f.DC {
			return nil
		}
		return one(incident.Event{Kind: incident.DCChanged, Node: t.cib.name(f.DC)})
	case cib.Attribute:
		return attribute(c, f)
	case cib.Property:
		return property(c, f)
	case cib.Setting:
		before, after := value(c.Before), value(c.After)
		return one(incident.Event{Kind: incident.SettingChanged, Change: incident.Change{Resource: f.Resource, Name: f.Name, Before: before, Value: after}})
	case cib.Constraint:
		if !f.ByAdministrator() {
			return nil
		}
		kind := incident.ConstraintSet
		if c.After == nil {
			kind = incident.ConstraintCleared
		}
		return one(incident.Event{Kind: kind, Node: f.Node, Constraint: incident.Constraint{ID: f.ID, Resource: f.Resource, Node: f.Node, Score: f.Score}})
	}
	return nil
}

// operation is the begin or the end of an operation. An old result that is only written
// again is neither; a new one among them was missed, and when it ended is an estimate.
func (t *translator) operation(before cib.Fact, o cib.Operation) []incident.Event {
	e := incident.Event{Kind: incident.OperationEnded, Node: cmp.Or(o.Node, t.cib.name(o.NodeID)), Op: incident.Operation{
		Resource: o.Resource, Action: o.Action, Interval: o.Interval, CallID: o.CallID, RC: o.RC, Target: o.Transition.Target,
		Status: int(o.Status), Failed: o.Failed(), Injected: o.Injected(), Exec: o.Exec, Queued: o.Queued, Changed: o.Changed,
		Transition: o.Transition.Number, Key: o.Transition.String(), Magic: o.Magic, Reason: o.Reason,
	}}
	if o.Pending() {
		if b, ok := before.(cib.Operation); ok && b.Pending() && b.Transition == o.Transition {
			return nil
		}
		e.Kind = incident.OperationBegun
		return one(e)
	}
	if known := t.cib.results[[3]string{o.NodeID, o.Resource, o.Entry}]; known.magic == o.Magic || o.Refreshed && o.Changed.Unix() < known.begun {
		return nil // the controller writes the last success again, whatever has failed since
	}
	if o.Refreshed {
		estimate(&e)
	}
	return one(e)
}

// tooLate is how much later than by its node's clock an operation may be told of: that is in whole seconds, and
// of the 2,539 of a round of every fault none came more than 1.5 s after it.
const tooLate = 1500 * time.Millisecond

// belated marks what was told of too late, as when the CIB manager has too much to do. The time is that of the
// arrival, and no measurement of when it was.
func belated(e *incident.Event) {
	o := &e.Op
	if o.Changed.IsZero() || e.Basis != incident.Measured || e.Initial {
		return
	}
	since := e.At.Wall.Sub(o.Changed)
	if e.Kind == incident.OperationEnded {
		since -= o.Exec
	}
	if since > tooLate {
		e.Basis, o.Late = incident.Estimated, since.Round(100*time.Millisecond)
	}
}

// estimate marks what was not seen when it happened. The end of an operation is then
// its begin, in whole seconds, and how long it ran.
func estimate(e *incident.Event) {
	e.Basis = incident.Estimated
	if o := e.Op; !o.Changed.IsZero() {
		e.At = incident.Moment{Wall: o.Changed}
		if e.Kind == incident.OperationEnded {
			e.At.Wall = o.Changed.Add(o.Exec)
		}
	}
}
