package incident

import (
	"fmt"
	"time"
)

// Kind is what an event tells.
type Kind string

// The kinds of events, and which fields they have besides Observer, Source, At, Seen and
// Basis. Node is the node that an event is about.
const (
	// What Pacemaker does. Node, Op; CIB.
	OperationBegun Kind = "operation-begun"
	OperationEnded Kind = "operation-ended"
	// A transition is Pacemaker's plan, made by the DC. Node (the DC), Transition.
	TransitionBegun Kind = "transition-begun"
	TransitionEnded Kind = "transition-ended"
	// The DC's idle state: it has nothing to do. Node (the DC).
	ClusterIdle Kind = "cluster-idle"
	// Another node decides from now on. Node is the new DC, "" while there is none. CIB.
	DCChanged Kind = "dc-changed"
	// The CIB is that of another cluster: the one before was destroyed. Node is the observer. CIB.
	AnotherCluster Kind = "another-cluster"
	// Pacemaker's view of a node. Node, State; CIB.
	NodeChanged Kind = "node-changed"

	// What Corosync says. Node and Ring; one event for each node.
	NodeJoined Kind = "node-joined"
	NodeLeft   Kind = "node-left"
	// Of the partition of the observer, which is Node. Ring.
	QuorumGained Kind = "quorum-gained"
	QuorumLost   Kind = "quorum-lost"
	// The token did not come in time: Corosync's first suspicion. Node is the observer.
	TokenLost Kind = "token-lost"
	// A network link to Node is down, or up again.
	LinkDown Kind = "link-down"
	LinkUp   Kind = "link-up"

	// Node is the node that is fenced. Fencing.
	FencingRequested Kind = "fencing-requested"
	FencingEnded     Kind = "fencing-ended"

	// The main process of a unit ended or began, on the observer, which is Node. Unit.
	UnitDied    Kind = "unit-died"
	UnitStarted Kind = "unit-started"
	// An address was added to or removed from the observer, which is Node. Address.
	AddressAdded   Kind = "address-added"
	AddressRemoved Kind = "address-removed"

	// A transient node attribute. Node, Change; CIB.
	AttributeChanged Kind = "attribute-changed"
	// An administrator's location constraint. Constraint, By; CIB.
	ConstraintSet     Kind = "constraint-set"
	ConstraintCleared Kind = "constraint-cleared"
	// Node, or "" for the whole cluster (maintenance only). By; CIB.
	StandbySet         Kind = "standby-set"
	StandbyCleared     Kind = "standby-cleared"
	MaintenanceSet     Kind = "maintenance-set"
	MaintenanceCleared Kind = "maintenance-cleared"
	// A node was told to leave in order: the transient attribute shutdown. Node; CIB.
	ShutdownRequested Kind = "shutdown-requested"
	// A meta-attribute of a resource, or a cluster property when Change.Resource is "":
	// target-role, is-managed, stop-all-resources and so on. Change, By; CIB.
	SettingChanged Kind = "setting-changed"

	// The database's membership on Node. View.
	ViewChanged Kind = "view-changed"
	// The database on Node has not heard of another member for a while: Change.Value is for how long,
	// as 550 ms, or "" if that is not known.
	PeerSuspected Kind = "peer-suspected"
	// The database's state on Node: Change.Value is Synced, Joiner, Donor and so on.
	DatabaseChanged Kind = "database-changed"

	// A client of the service was answered again, or not any more. Change.Value is the
	// probe's words. At is that of the first good or the first bad answer.
	ProbeGood Kind = "probe-good"
	ProbeBad  Kind = "probe-bad"

	// Source was blind on the observer, from At to Until. Change.Value says why. An
	// event without Until says that it is blind from now on.
	Gap Kind = "gap"
	// The clock of the observer. Clock.
	ClockChanged Kind = "clock-changed"

	// What there is, said when a source begins and when it changes: a resource of
	// interest. Known.
	ResourceKnown Kind = "resource-known"
	// A resource runs on Node without an operation that says so: found when the source began, or
	// because the history of the node was written again or erased. Known.Role is Started,
	// Promoted, Stopped or, when it was erased, Unknown.
	ResourceRunning Kind = "resource-running"
	// The address was on Node when the observer last knew, said when it begins to watch again. At is
	// the last sign of life of its machine.
	ServiceKnown Kind = "service-known"
)

// Source is who said it.
type Source string

// The sources.
const (
	FromCIB      Source = "cib"      // Pacemaker's CIB manager: patches and queries
	FromFencer   Source = "fencer"   // Pacemaker's fencer
	FromCorosync Source = "corosync" // its service quorum
	FromSystemd  Source = "systemd"  // units, over D-Bus
	FromKernel   Source = "kernel"   // addresses, clock
	FromJournal  Source = "journal"  // the words of a program: a log, not a measurement
	FromProbe    Source = "probe"    // a client of the service
	FromTracker  Source = "tracker"  // this package: what it had to forget
)

// Basis is how a time is known, from the best to the worst.
type Basis string

// The bases of times.
const (
	Measured  Basis = "measured"  // an event's own time, or its arrival
	Logged    Basis = "log"       // the time of a line in a log, or within 50 ms of what an agent tells
	Estimated Basis = "estimated" // calculated, or in whole seconds only
)

// Moment is a time by both clocks of a node. Wall times of two nodes can be compared as
// far as their clocks agree; monotonic ones only within one Boot.
type Moment struct {
	Wall time.Time     `json:"wall"`
	Mono time.Duration `json:"mono,omitempty"` // CLOCK_MONOTONIC, ns; 0 if not known
	Boot string        `json:"boot,omitempty"` // the boot that Mono counts from
}

// Event is one thing that happened, as one source told one node.
type Event struct {
	Kind     Kind   `json:"kind"`
	Source   Source `json:"source"`
	Observer string `json:"observer"`       // the node that was told
	Node     string `json:"node,omitempty"` // the node that it is about
	// At is when it happened, by the source's own time if it has one, otherwise when
	// the observer was told. Seen is when the observer was told.
	At    Moment `json:"at"`
	Seen  Moment `json:"seen,omitzero"`
	Basis Basis  `json:"basis"`
	// Initial says that it is what was found when the source began or began again, and
	// no happening.
	Initial bool `json:"initial,omitempty"`

	CIB string `json:"cib,omitempty"` // the version that it came with, as 0.10.14
	// Cluster tells this cluster, at this time of its life, from one that was set up anew
	// and counts versions from the start: alike on all nodes for the same CIB.
	Cluster string `json:"cluster,omitempty"`
	Ring    string `json:"ring,omitempty"` // of Corosync's membership, as 1.27: representative, sequence
	By      string `json:"by,omitempty"`   // the program and user that asked for it, as cibadmin (root)

	Op         Operation  `json:"op,omitzero"`
	Transition Transition `json:"transition,omitzero"`
	State      NodeState  `json:"state,omitzero"`
	Fencing    Fencing    `json:"fencing,omitzero"`
	Unit       Unit       `json:"unit,omitzero"`
	Address    Address    `json:"address,omitzero"`
	Change     Change     `json:"change,omitzero"`
	Constraint Constraint `json:"constraint,omitzero"`
	View       View       `json:"view,omitzero"`
	Clock      Clock      `json:"clock,omitzero"`
	Known      Known      `json:"known,omitzero"`
	Until      time.Time  `json:"until,omitzero"` // of a Gap
}

// Operation is an action of Pacemaker on a resource, on Event.Node. At of its end is
// the arrival of the result; that of its begin likewise.
type Operation struct {
	Resource string        `json:"resource"`
	Action   string        `json:"action"` // start, stop, monitor, promote, demote, notify, ...
	Interval time.Duration `json:"interval,omitempty"`
	CallID   int           `json:"call,omitempty"` // -1 while pending
	RC       int           `json:"rc"`             // OCF code
	Target   int           `json:"target"`         // the OCF code that was expected
	Status   int           `json:"status"`         // Pacemaker's pcmk_exec_status
	// Failed says that it ended otherwise than was expected; Injected, that somebody
	// reported a failure by hand.
	Failed   bool          `json:"failed,omitempty"`
	Injected bool          `json:"injected,omitempty"`
	Exec     time.Duration `json:"exec,omitempty"`
	// Late is by how much at most it was told of later than it was by the clock of Node, if that is more than a
	// second and a half: the CIB lags behind, or the clocks are apart.
	Late   time.Duration `json:"late,omitempty"`
	Queued time.Duration `json:"queued,omitempty"`
	// Changed is, in whole seconds of the node's clock, when it began.
	Changed    time.Time `json:"changed,omitzero"`
	Transition int       `json:"transition,omitempty"`
	// Key is the same for begin and end of an operation and unlike that of any other on
	// the node: the transition-key. Magic is unlike that of any other result.
	Key    string `json:"key,omitempty"`
	Magic  string `json:"magic,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Probe is a monitor that asks whether the resource is there at all.
func (o Operation) Probe() bool { return o.Action == "monitor" && o.Interval == 0 }

// Transition is a plan of the DC.
type Transition struct {
	Number  int    `json:"number"`
	PEInput string `json:"pe_input,omitempty"` // the file that the plan can be made again from
	Outcome string `json:"outcome,omitempty"`  // Complete, Stopped
}

// NodeState is Pacemaker's view of a node (CIB: in_ccm, crmd, join, expected).
type NodeState struct {
	Member   bool   `json:"member"`
	Online   bool   `json:"online"`
	Join     string `json:"join,omitempty"`
	Expected string `json:"expected,omitempty"`
}

// Fencing is an operation of the fencer. The target is Event.Node.
type Fencing struct {
	Operation string `json:"operation,omitempty"` // its id, alike on all nodes
	Action    string `json:"action,omitempty"`    // reboot, off, on
	Origin    string `json:"origin,omitempty"`    // the node that asked
	Delegate  string `json:"delegate,omitempty"`  // the node that did it
	Client    string `json:"client,omitempty"`    // the program that asked: pacemaker-controld.N is the cluster itself
	Failed    bool   `json:"failed,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Unit is a systemd unit and the end of its main process.
type Unit struct {
	Name   string `json:"name"`
	PID    int    `json:"pid,omitempty"`
	Result string `json:"result,omitempty"` // systemd's: success, signal, exit-code, timeout, ...
	Code   string `json:"code,omitempty"`   // exited, killed, dumped
	Status int    `json:"status,omitempty"` // the exit status, or the signal
	Job    bool   `json:"job,omitempty"`    // ended while systemd was stopping it: somebody asked
}

// Address is an address of an interface.
type Address struct {
	Prefix    string `json:"prefix"` // as 192.168.205.70/24
	Interface string `json:"interface"`
}

// Change is a named value that changed.
type Change struct {
	Resource string `json:"resource,omitempty"`
	Name     string `json:"name,omitempty"`
	Before   string `json:"before,omitempty"`
	Value    string `json:"value,omitempty"` // "" if it is gone
}

// Constraint is a location constraint that an administrator made, by crm_resource or pcs.
type Constraint struct {
	ID       string `json:"id"`
	Resource string `json:"resource"`
	Node     string `json:"node,omitempty"`
	Score    string `json:"score,omitempty"`
}

// View is a membership of the database.
type View struct {
	Status  string `json:"status"` // Primary, non-Primary, Disconnected
	Members int    `json:"members,omitempty"`
	ID      string `json:"id,omitempty"`
	// Applied says that the node has come to the view in the order of its writes, and can write
	// again. It is told after the view itself, and not by every release of Galera.
	Applied bool `json:"applied,omitempty"`
}

// Clock is the state of a node's clock (adjtimex(2)).
type Clock struct {
	Synchronised bool          `json:"synchronised"`
	MaxError     time.Duration `json:"max_error,omitempty"`
	// Stepped is by how much it was set: of a record meanwhile, or up to 10 s before.
	Stepped time.Duration `json:"stepped,omitempty"`
	// Unread is why the kernel did not say how far it can be trusted; the two above mean nothing then.
	Unread string `json:"unread,omitempty"`
}

// Role is what a resource of interest is for, or what it is on a node.
type Role string

// The roles. RoleAddress and RoleDatabase are of resources, the others of an instance.
const (
	RoleAddress  Role = "address"  // the floating address: ocf:*:IPaddr2
	RoleDatabase Role = "database" // ocf:holdfast:galera, or another promotable clone
	RoleStarted  Role = "Started"
	RolePromoted Role = "Promoted"
	RoleStopped  Role = "Stopped"
	RoleUnknown  Role = "Unknown" // until Pacemaker probes it
)

// Known is what is known of a resource.
type Known struct {
	Resource string `json:"resource"`
	Role     Role   `json:"role"`
	IP       string `json:"ip,omitempty"`     // of an address, without its prefix length
	Parent   string `json:"parent,omitempty"` // the clone or group that it is in
	Unit     string `json:"unit,omitempty"`   // of a database: its systemd unit
}

// String is the event in a few words, for logs of tests and messages.
func (e Event) String() string {
	s := string(e.Kind)
	switch {
	case e.Op.Action != "":
		s += fmt.Sprintf(" %s %s rc=%d", e.Op.Resource, e.Op.Action, e.Op.RC)
	case e.Kind == ResourceRunning:
		s += fmt.Sprintf(" %s %s", e.Known.Resource, e.Known.Role)
	case e.Unit.Name != "":
		s += " " + e.Unit.Name
	case e.Address.Prefix != "":
		s += " " + e.Address.Prefix
	case e.Constraint.ID != "":
		s += " " + e.Constraint.ID
	case e.View.Applied:
		s += " applied"
	case e.Change.Name != "":
		s += fmt.Sprintf(" %s=%s", e.Change.Name, e.Change.Value)
	}
	if e.Node != "" {
		s += " on " + e.Node
	}
	return s
}
