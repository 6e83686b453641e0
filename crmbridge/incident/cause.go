package incident

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"
)

// id derives the identity of an incident from what it began with, by what is the same on
// every node: the CIB's version, the magic of a result, the name of a node. Times differ,
// but for those that are in the CIB itself.
func (s *segment) id() string {
	e := s.root
	f := []any{e.Kind, e.Node, e.CIB, e.Op.Resource, e.Op.Action, e.Op.Magic, e.Constraint, e.Change}
	switch {
	case s.clusterLost(), s.clusterStarted(): // each node sees its own return, and only some may know what it had
		f = []any{ClusterStarted, s.before.ring}
	case e.Op.Magic != "" && !e.Op.Injected:
		f[2] = "" // the result may be seen with a later version; its magic names its plan's maker
	case e.Op.Magic != "": // nobody planned it
		f[2] = ""
		f = append(f, e.Op.Changed.Unix())
	case s.apart && e.Node == e.Observer: // it is in the node's own CIB, which counts the same each time
		f = append(f, s.before.ring)
	case e.Cluster != "":
		f = append(f, e.Cluster)
	}
	if e.CIB == "" { // seen by one node only
		f = append(f, e.Observer, e.At.Wall.UnixNano())
	}
	sum := sha256.Sum256(fmt.Append(nil, f...))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:10]
}

// mostCauses is how many a record tells of: if a thousand resources fail, the first ones say
// why.
const mostCauses = 32

// causes are what went wrong and what was asked for, what it began with first.
func (s *segment) causes() []Cause {
	var all []Cause
	add := func(e Event, kind CauseKind, node, resource string) {
		for i, c := range all {
			if c.Kind == kind && c.Node == node && c.Resource == resource {
				all[i].Evidence = append(all[i].Evidence, evidence(e))
				return
			}
		}
		if len(all) < mostCauses {
			all = append(all, Cause{Kind: kind, Node: node, Resource: resource, Evidence: []Evidence{evidence(e)}})
		}
	}
	look := &splitter{state: s.before.clone()}
	look.state.known = s.after.known
	// One that had left before it was fenced was lost, and not fenced as a member.
	fenced, left := map[string]bool{}, map[string]bool{}
	for _, e := range s.events {
		switch e.Kind {
		case NodeLeft:
			left[e.Node] = true
		case FencingRequested:
			fenced[e.Node] = fenced[e.Node] || !left[e.Node]
		default:
		}
		if kind, node, resource := s.cause(look, e, fenced[e.Node]); kind != "" {
			add(e, kind, node, resource)
		}
		look.state.apply(e)
	}
	switch {
	case len(all) > 0:
	case s.root.Kind == ProbeBad:
		add(s.root, ServiceUnseen, s.root.Node, "")
	default:
		add(s.root, ClusterDecision, s.root.Node, s.root.Op.Resource)
	}
	all = s.support(all)
	return s.foremost(all)
}

// cause says what an event makes of itself, or "".
func (s *segment) cause(at *splitter, e Event, fenced bool) (CauseKind, string, string) {
	switch e.Kind {
	case OperationEnded:
		if e.Op.Failed && !e.Op.Probe() {
			return s.failure(e), e.Node, e.Op.Resource
		}
	case NodeChanged:
		how := at.trigger(e)
		if e == s.root { // what was found since is in the state before it, which it did not know
			how = s.how
		}
		switch {
		case how == fails && fenced:
			return NodeFenced, e.Node, ""
		case how == fails:
			return NodeLost, e.Node, ""
		case how == returns:
			return NodeReturned, e.Node, ""
		}
	case AttributeChanged:
		if at.trigger(e) == fails {
			_, database := at.state.word(e.Change.Name)
			return DatabaseUnfit, e.Node, database
		}
	case QuorumLost:
		if !at.state.leaves(e.Observer) && !at.state.ending() && !at.state.deserted() {
			return QuorumGone, e.Observer, ""
		}
	case UnitDied:
		if resource := at.unitOf(e.Unit.Name); resource != "" && !e.Unit.Job && !at.stopping(resource, e) && !s.ordered(e, resource) {
			return DatabaseDied, e.Node, resource
		}
	case AddressRemoved:
		if resource := at.addressOf(e.Address.Prefix); resource != "" && !at.stopping(resource, e) && !s.ordered(e, resource) {
			return AddressLost, e.Node, resource
		}
	case ConstraintSet:
		return ResourceMoved, e.Constraint.Node, e.Constraint.Resource
	case ConstraintCleared:
		return ConstraintLifted, e.Constraint.Node, e.Constraint.Resource
	case SettingChanged:
		return settingCause(e.Change)
	default:
	}
	return requests()[e.Kind], e.Node, ""
}

// requests are what an administrator can ask for that needs no more words.
func requests() map[Kind]CauseKind {
	return map[Kind]CauseKind{
		StandbySet: NodeStandby, StandbyCleared: StandbyOver, MaintenanceSet: Maintenance, MaintenanceCleared: MaintenanceOver,
		ShutdownRequested: NodeStopped,
	}
}

func settingCause(c Change) (CauseKind, string, string) {
	switch {
	case c.Name == "target-role" && c.Value == "Stopped", c.Name == "stop-all-resources" && c.Value == "true":
		return Stopped, "", c.Resource
	case c.Name == "target-role", c.Name == "stop-all-resources":
		return Started, "", c.Resource
	case c.Name == "is-managed" && c.Value == "false":
		return Maintenance, "", c.Resource
	case c.Name == "is-managed":
		return MaintenanceOver, "", c.Resource
	}
	return "", "", ""
}

// stopping says whether Pacemaker is taking the resource away where something ended.
func (s *splitter) stopping(resource string, e Event) bool {
	at := instance{resource, e.Node}
	for _, name := range []string{"stop", "demote"} {
		if _, ok := s.state.pending[action{at, name}]; ok {
			return true
		}
	}
	gone := !s.state.live(e.Node) || s.state.roles[at] == ""
	return gone && s.state.where(resource) != "" || s.state.justStopped(at, e.At.Wall)
}

// justStopped says whether Pacemaker has taken a resource away shortly before: on a busy node what the kernel and
// systemd tell of it may be heard after the CIB's word that it is done.
func (s *state) justStopped(at instance, now time.Time) bool {
	when, ok := s.gone[at]
	return ok && s.roles[at] == "" && now.Sub(when) <= inPassing
}

// ordered says whether something ended because Pacemaker stopped it: the kernel and
// systemd are faster than the CIB, so the begin of the stop may be told after it. Without
// an order there is a failed result first.
func (s *segment) ordered(e Event, resource string) bool {
	for _, o := range s.events {
		if o.Op.Resource != resource || o.Node != e.Node || !o.follows(e) {
			continue
		}
		switch {
		case o.Kind == OperationEnded && o.Op.Failed:
			return false
		case o.Kind == OperationBegun && (o.Op.Action == "stop" || o.Op.Action == "demote") && !o.At.Wall.Before(e.At.Wall):
			return true
		}
	}
	return false
}

// follows says whether an operation was told of so soon after something was seen on its node that they belong together,
// or had begun before that, whatever the CIB took to tell of it: in a storm that is seconds. Then both are by the node's
// clock; that of the CIB is in whole seconds.
func (e Event) follows(seen Event) bool {
	began := e.Op.Changed
	return e.At.Wall.Sub(seen.At.Wall) <= inPassing ||
		!began.IsZero() && !began.After(seen.At.Wall) && seen.At.Wall.Sub(began) <= inPassing
}

// failure says what a failed operation means.
func (s *segment) failure(e Event) CauseKind {
	st, o := s.after, e.Op
	switch {
	case st.isAddress(o.Resource) && o.Action == "monitor":
		return AddressLost
	case !st.isDatabase(o.Resource):
		return ResourceFailed
	case o.RC == ocfNotRunning:
		return DatabaseDied
	case o.Status == statusTimeout || o.Action == "monitor" && silent(o.Reason):
		return DatabaseHung
	}
	return DatabaseFailed
}

// silent says whether ocf:holdfast:galera found that the database does not answer. A start that failed for
// want of an answer had none of another program.
func silent(reason string) bool {
	return strings.Contains(reason, "not answer") || strings.Contains(reason, "no answer") || strings.Contains(reason, "hangs")
}

// planned says whether all of it was asked for. Fencing is, if it was not the cluster
// that wanted it.
func (s *segment) planned(causes []Cause) bool {
	byHand := s.fencedByHand()
	return !slices.ContainsFunc(causes, func(c Cause) bool {
		return c.Kind.Failure() && (c.Kind != NodeFenced || !byHand[c.Node])
	}) && slices.ContainsFunc(causes, func(c Cause) bool { return !c.Kind.Neutral() })
}

func (s *segment) fencedByHand() map[string]bool {
	nodes := map[string]bool{}
	for _, e := range s.events {
		if e.Kind == FencingRequested && !strings.HasPrefix(e.Fencing.Client, "pacemaker-controld") {
			nodes[e.Node] = true
		}
	}
	return nodes
}

// Tell is an event as a sentence for people.
func Tell(e Event) string {
	switch e.Kind {
	case OperationEnded:
		return tellResult(e)
	case OperationBegun:
		return fmt.Sprintf("%s of %s began on %s", e.Op.Action, e.Op.Resource, e.Node) + tellLate(e)
	case UnitDied:
		return fmt.Sprintf("the main process %d of %s on %s ended: %s", e.Unit.PID, e.Unit.Name, e.Node, strings.TrimSpace(e.Unit.Code+" "+fmt.Sprint(e.Unit.Status)))
	case AddressRemoved, AddressAdded:
		return fmt.Sprintf("%s %s on %s of %s", e.Address.Prefix, strings.TrimPrefix(string(e.Kind), "address-"), e.Address.Interface, e.Node)
	case NodeChanged:
		return fmt.Sprintf("Pacemaker's view of %s: member %t, online %t, expected %s", e.Node, e.State.Member, e.State.Online, cmp.Or(e.State.Expected, "nothing"))
	case AttributeChanged:
		return tellAttribute(e)
	case Gap:
		return fmt.Sprintf("%s saw nothing of this until %s: %s", e.Observer, e.Until.UTC().Format("15:04:05.000"), e.Change.Value)
	case ResourceRunning:
		if e.Known.Role == RoleUnknown {
			return fmt.Sprintf("the history of %s on %s was erased in the CIB", e.Known.Resource, e.Node)
		}
		return fmt.Sprintf("by the history in the CIB %s is %s on %s", e.Known.Resource, e.Known.Role, e.Node)
	case ServiceKnown:
		return "the address was on " + e.Node + " when " + e.Observer + " last knew"
	case AnotherCluster:
		return e.Observer + " is a node of another cluster now"
	case DCChanged:
		return cmp.Or(e.Node, "nobody") + " is the DC now"
	case TransitionBegun:
		return strings.TrimSpace(fmt.Sprintf("%s made plan %d %s", e.Node, e.Transition.Number, e.Transition.PEInput))
	case ViewChanged:
		if e.View.Applied {
			return fmt.Sprintf("the database on %s can write with %d members", e.Node, e.View.Members)
		}
		return fmt.Sprintf("the database on %s has a view of %d members, %s", e.Node, e.View.Members, e.View.Status)
	case NodeLeft, NodeJoined:
		return fmt.Sprintf("%s %s the membership, ring %s", e.Node, strings.TrimPrefix(string(e.Kind), "node-"), e.Ring)
	case QuorumLost, QuorumGained:
		return fmt.Sprintf("the partition of %s %s quorum, ring %s", e.Observer, strings.TrimPrefix(string(e.Kind), "quorum-"), e.Ring)
	case TokenLost:
		return "Corosync missed the token"
	case DatabaseChanged:
		return fmt.Sprintf("the database on %s was %s and is %s", e.Node, cmp.Or(e.Change.Before, "nothing"), strings.ToLower(e.Change.Value))
	case PeerSuspected:
		return "the database on " + e.Node + " suspects a member"
	case LinkDown, LinkUp:
		return "the network link to " + e.Node + " is " + strings.TrimPrefix(string(e.Kind), "link-")
	case ProbeBad, ProbeGood:
		return strings.TrimSuffix("a client got a "+strings.TrimPrefix(string(e.Kind), "probe-")+" answer: "+e.Change.Value, ": ")
	case FencingRequested:
		return fmt.Sprintf("%s of %s was requested by %s on %s", e.Fencing.Action, e.Node, e.Fencing.Client, e.Fencing.Origin)
	case ConstraintSet, ConstraintCleared:
		return fmt.Sprintf("constraint %s for %s on %s %s", e.Constraint.ID, e.Constraint.Resource, e.Constraint.Node, strings.TrimPrefix(string(e.Kind), "constraint-"))
	case SettingChanged:
		return fmt.Sprintf("%s of %s set to %q", e.Change.Name, cmp.Or(e.Change.Resource, "the cluster"), e.Change.Value)
	case StandbySet, StandbyCleared, MaintenanceSet, MaintenanceCleared, ShutdownRequested:
		return strings.ReplaceAll(string(e.Kind), "-", " ") + " for " + cmp.Or(e.Node, "the cluster")
	default:
		return e.String()
	}
}

func tellAttribute(e Event) string {
	unfit, isUnfit := strings.CutSuffix(e.Change.Name, wordUnfit)
	state, isState := strings.CutSuffix(e.Change.Name, wordState)
	switch {
	case isUnfit && e.Change.Value != "":
		return fmt.Sprintf("the agent of %s says that clients are better off without %s", unfit, e.Node)
	case isUnfit:
		return fmt.Sprintf("the agent of %s says that %s is fit for clients again", unfit, e.Node)
	case isState && e.Change.Value != "":
		return fmt.Sprintf("the agent says of %s on %s: %s", state, e.Node, e.Change.Value)
	}
	return e.String()
}

func tellResult(e Event) string {
	o := e.Op
	what := o.Action
	if o.Interval > 0 {
		what += " every " + o.Interval.Round(time.Millisecond).String()
	}
	text := fmt.Sprintf("%s of %s on %s gave %d", what, o.Resource, e.Node, o.RC)
	if o.Failed {
		text += fmt.Sprintf(", expected %d", o.Target)
	}
	if o.Status == statusTimeout {
		text += ", it timed out"
	}
	if o.Injected {
		text += ", reported by hand"
	}
	text += tellLate(e)
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	return text
}

func tellLate(e Event) string {
	if e.Op.Late == 0 {
		return ""
	}
	return ", " + belated(e.Op.Late, e.Node)
}
