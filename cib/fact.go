package cib

import (
	"fmt"
	"time"
)

// Fact is one thing that the CIB says: a Cluster, Property, Node, NodeState, Attribute,
// Resource, Schedule, Address, Setting, Constraint, Operation or Unreadable. All are comparable.
type Fact interface{ identity() identity }

// identity tells which fact is the later version of which.
type identity struct{ kind, of, name, in string }

// Change is a fact that is new (Before is nil), different, or gone (After is nil).
type Change struct{ Before, After Fact }

// Cluster is what the DC says of the partition.
type Cluster struct {
	Quorate bool
	DC      string // node id; "" while there is none
}

// Property is a cluster property, as stonith-enabled.
type Property struct{ Set, Name, Value string }

// Node is a node of the configuration.
type Node struct{ ID, Name string }

// NodeState is what the cluster knows of a node now.
type NodeState struct {
	ID, Name string
	Member   bool   // of the membership: in_ccm
	Online   bool   // its Pacemaker takes part: crmd
	Join     string // down, pending, member, banned
	Expected string // member, down: what the DC counts on
}

// Attribute is a node attribute.
type Attribute struct {
	NodeID, Node string
	Name, Value  string
	// Transient ones end with the node's membership; the others are configuration.
	Transient bool
}

// Resource is a resource of the configuration.
type Resource struct {
	ID                    string
	Kind                  string // primitive, group, clone, master, bundle
	Class, Provider, Type string // of a primitive
	Parent                string // the group or clone that it is in, or ""
}

// Address is the floating address that a resource of the type IPaddr2 manages: its one
// parameter that is public by nature.
type Address struct{ Resource, IP string }

// Schedule is how an action of a resource is configured, by an <op>.
type Schedule struct {
	ID       string
	Resource string
	Action   string        // monitor, start, stop, promote, ...
	Role     string        // that a monitor is for: Promoted, Unpromoted, or "" for any
	Interval time.Duration // of a monitor; 0 for what does not recur
	Timeout  time.Duration // 0 if there is none here: then op_defaults or Pacemaker's 20 s count
	Disabled bool
}

// Setting is a meta-attribute of a resource, as target-role.
type Setting struct{ Resource, Name, Value string }

// Constraint is a location constraint for one resource.
type Constraint struct {
	ID, Resource, Node, Role, Score string
}

// Unreadable is an element that this package should understand and does not.
type Unreadable struct{ Path, Problem string }

// Status is what became of an operation (enum pcmk_exec_status).
type Status int

// The statuses of operations.
const (
	StatusPending       Status = -1
	StatusDone          Status = 0
	StatusCancelled     Status = 1
	StatusTimeout       Status = 2
	StatusNotSupported  Status = 3
	StatusError         Status = 4
	StatusErrorHard     Status = 5
	StatusErrorFatal    Status = 6
	StatusNotInstalled  Status = 7
	StatusNotConnected  Status = 8
	StatusInvalid       Status = 9
	StatusNoFenceDevice Status = 10
	StatusNoSecrets     Status = 11
)

// Operation is an entry of a resource's history on a node.
type Operation struct {
	NodeID, Node string
	Resource     string // with its instance's number if it is an instance of a unique clone
	Entry        string // its place in the history, as vip_last_0
	Action       string
	Interval     time.Duration // 0 unless it recurs
	CallID       int           // counts on that node, until its executor restarts; -1 while pending
	Status       Status
	RC           int // OCF code; 193 while pending
	// Changed is, by that node's clock and in whole seconds, when it began, or when the
	// result changed if it recurs; zero if nobody says.
	Changed    time.Time
	Exec       time.Duration // how long it ran; 0 for failures of what recurs
	Queued     time.Duration // how long it waited before
	Transition Transition
	Magic      string // unlike that of any other result
	Reason     string // the agent's words about a failure
	// Refreshed is an old result that is only written again, after a change of the DC.
	Refreshed bool
}

// Transition is which step of which plan an operation was.
type Transition struct {
	Action int // in the transition's graph
	Number int // of the transition; -1 if somebody injected the operation
	Target int // the OCF code that was expected
	DC     string
}

// String is the transition key, unlike that of any other operation; "" if there is none.
func (t Transition) String() string {
	if t == (Transition{}) {
		return ""
	}
	return fmt.Sprintf("%d:%d:%d:%s", t.Action, t.Number, t.Target, t.DC)
}

// Pending is an operation that has begun and not ended.
func (o Operation) Pending() bool { return o.Status == StatusPending }

// Probe is a monitor that asks whether the resource is there at all.
func (o Operation) Probe() bool { return o.Action == "monitor" && o.Interval == 0 }

// Failed is an operation that ended in another way than the plan expected, or somebody's
// report of a failure. A probe that finds the resource running has only found it.
func (o Operation) Failed() bool {
	switch o.Status {
	case StatusPending, StatusCancelled:
		return false
	case StatusDone:
		if o.Probe() && (o.RC == ocfRunning || o.RC == ocfPromoted || o.RC == ocfNotRunning) {
			return false
		}
		return o.RC != o.Transition.Target
	default:
		return true
	}
}

// Injected is a failure that was reported by hand, as by crm_resource --fail.
func (o Operation) Injected() bool { return o.Transition.Number == -1 }

// ByAdministrator says who makes a constraint: crm_resource --ban and --move, and pcs
// resource move and ban, begin their names so, and nobody else does.
func (c Constraint) ByAdministrator() bool { return c.Ban() || c.Prefer() }

// Ban is an administrator's constraint away from a node.
func (c Constraint) Ban() bool { return hasPrefix(c.ID, "cli-ban-", "cli-standby-") }

// Prefer is an administrator's constraint towards a node.
func (c Constraint) Prefer() bool { return hasPrefix(c.ID, "cli-prefer-") }

func (Cluster) identity() identity      { return identity{kind: "cluster"} }
func (p Property) identity() identity   { return identity{"property", p.Set, p.Name, ""} }
func (n Node) identity() identity       { return identity{"node", n.ID, "", ""} }
func (n NodeState) identity() identity  { return identity{"state", n.ID, "", ""} }
func (r Resource) identity() identity   { return identity{"resource", r.ID, "", ""} }
func (a Address) identity() identity    { return identity{"address", a.Resource, "", ""} }
func (s Schedule) identity() identity   { return identity{"schedule", s.Resource, s.ID, ""} }
func (s Setting) identity() identity    { return identity{"setting", s.Resource, s.Name, ""} }
func (c Constraint) identity() identity { return identity{"constraint", c.ID, "", ""} }
func (u Unreadable) identity() identity { return identity{"unreadable", u.Path, "", ""} }
func (o Operation) identity() identity {
	return identity{"operation", o.Resource, o.Entry, o.NodeID}
}
func (a Attribute) identity() identity {
	lifetime := "forever"
	if a.Transient {
		lifetime = "reboot"
	}
	return identity{"attribute", a.NodeID, a.Name, lifetime}
}
