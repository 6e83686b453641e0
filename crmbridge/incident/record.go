package incident

import (
	"slices"
	"time"
)

// Record is one incident, from its cause to its end: a failover, or something that could
// have become one. Times are by the clock of the observer, and of the first observer if
// records were merged.
type Record struct {
	Schema int `json:"schema"` // of this form; 1
	// ID is derived alike on every node that saw the same CIB.
	ID        string   `json:"id"`
	Revision  int      `json:"revision"` // grows when the same record is written again
	Observers []string `json:"observers"`
	// Open says that it was not over when the record was written.
	Open bool `json:"open,omitempty"`

	Cause Cause   `json:"cause"`
	Also  []Cause `json:"also,omitempty"` // what else went wrong, or was done, in the same time
	// Planned says that everything in it was asked for by an administrator.
	Planned bool     `json:"planned"`
	Outcome Outcome  `json:"outcome"`
	Begin   Point    `json:"begin"` // the first sign of it
	End     Point    `json:"end"`   // the last thing that belongs to it
	Nodes   []string `json:"nodes,omitempty"`
	// Resources are those of which something failed or was changed.
	Resources []string `json:"resources,omitempty"`

	// The answers to the auditor's questions. Interruption is from Occurrence (from the
	// begin of the stop of the address, if it was planned) to ServiceBack; 0 if the
	// service was not affected or is not back. If only writes waited, it may begin later.
	Occurrence   Point         `json:"occurrence,omitzero"`
	Detection    Point         `json:"detection,omitzero"`
	ServiceBack  Point         `json:"service_back,omitzero"`
	Interruption time.Duration `json:"interruption,omitempty"`
	From         string        `json:"from,omitempty"` // the node that had the address
	To           string        `json:"to,omitempty"`   // the node that has it now

	Phases      []Phase         `json:"phases,omitempty"`
	Transitions []TransitionRef `json:"transitions,omitempty"`
	Operator    []Action        `json:"operator,omitempty"`
	Clocks      []ClockState    `json:"clocks,omitempty"`
	Gaps        []Blind         `json:"gaps,omitempty"`
	DC          string          `json:"dc,omitempty"` // at its end
	CIB         [2]string       `json:"cib"`          // the first and the last version in it
}

// CauseKind is what failed or was asked for.
type CauseKind string

// The causes. The second group is planned.
const (
	DatabaseDied     CauseKind = "database-died"     // its process ended
	DatabaseHung     CauseKind = "database-hung"     // it does not answer in time
	DatabaseFailed   CauseKind = "database-failed"   // it runs, and cannot serve
	DatabaseUnfit    CauseKind = "database-unfit"    // its agent says that clients are better off elsewhere
	AddressLost      CauseKind = "address-lost"      // the address is gone, or its interface is
	ResourceFailed   CauseKind = "resource-failed"   // another resource failed
	NodeLost         CauseKind = "node-lost"         // a node left without a word
	NodeFenced       CauseKind = "node-fenced"       // a node was fenced while it was a member
	ClusterLost      CauseKind = "cluster-lost"      // no node was left; it is recorded when they are back
	QuorumGone       CauseKind = "quorum-lost"       // the observer's partition has no quorum: also the side of a node that is cut off
	ServiceUnseen    CauseKind = "service-unseen"    // a client was not answered, and the cluster saw nothing
	ClusterDecision  CauseKind = "cluster-decision"  // Pacemaker acted and nobody saw why
	ResourceMoved    CauseKind = "moved"             // a location constraint
	NodeStandby      CauseKind = "standby"           //
	Maintenance      CauseKind = "maintenance"       //
	Stopped          CauseKind = "stop"              // a resource was told to stop
	NodeStopped      CauseKind = "node-stop"         // a node was told to leave
	Started          CauseKind = "start"             // a resource was told to start
	StandbyOver      CauseKind = "standby-over"      //
	MaintenanceOver  CauseKind = "maintenance-over"  //
	ConstraintLifted CauseKind = "constraint-lifted" //
	NodeReturned     CauseKind = "node-returned"     // a node came back
	ClusterStarted   CauseKind = "cluster-start"     // the cluster was formed or started, and the service with it
)

// Planned says whether the cause is something that an administrator asked for.
func (k CauseKind) Planned() bool {
	switch k {
	case ResourceMoved, NodeStandby, Maintenance, Stopped, NodeStopped, Started, StandbyOver, MaintenanceOver, ConstraintLifted:
		return true
	default:
		return false
	}
}

// Neutral says whether the cause was neither asked for nor went wrong.
func (k CauseKind) Neutral() bool { return k == NodeReturned || k == ClusterStarted }

// Failure says whether the cause is something that went wrong.
func (k CauseKind) Failure() bool { return !k.Planned() && !k.Neutral() }

// Cause is what it began with, and how one knows.
type Cause struct {
	Kind     CauseKind  `json:"kind"`
	Node     string     `json:"node,omitempty"`
	Resource string     `json:"resource,omitempty"`
	Evidence []Evidence `json:"evidence"`
}

// Evidence is one thing that somebody said.
type Evidence struct {
	At       time.Time `json:"at"`
	Source   Source    `json:"source"`
	Observer string    `json:"observer"`
	Basis    Basis     `json:"basis"`
	What     string    `json:"what"`
	CIB      string    `json:"cib,omitempty"`
}

// Outcome is what became of the service.
type Outcome string

// The outcomes.
const (
	Restored   Outcome = "restored"   // the address was away, and is back
	Unaffected Outcome = "unaffected" // the address stayed where it was
	Waited     Outcome = "waited"     // the address stayed, and the database could not write until it had given up a member
	Halted     Outcome = "stopped"    // the address is down as it was asked for, or for want of quorum
	Down       Outcome = "down"       // the address is down and should not be
)

// Point is a moment in an incident. The zero Point is not known.
type Point struct {
	At    time.Time `json:"at"`
	Basis Basis     `json:"basis"`
	How   string    `json:"how,omitempty"` // who said it, or how it was calculated
}

// Known says that somebody could tell.
func (p Point) Known() bool { return !p.At.IsZero() }

// PhaseName names a part of an incident.
type PhaseName string

// The phases. The first four follow each other without a gap and add up to the
// interruption; the others lie among them.
const (
	PhaseDetection PhaseName = "detection" // from the occurrence until Pacemaker or Corosync knew
	PhaseDecision  PhaseName = "decision"  // until it acted
	PhaseRecovery  PhaseName = "recovery"  // until the address was up
	PhaseWrites    PhaseName = "writes"    // until the database could write: it had given up a member
	PhaseVerify    PhaseName = "verify"    // until the first monitor found it good: after the interruption

	PhaseMembership PhaseName = "membership" // from the loss of the token until a new membership
	PhaseFencing    PhaseName = "fencing"    // of one node
	PhaseRelease    PhaseName = "release"    // the address is stopped where it was
	PhaseAddress    PhaseName = "address"    // the address is started
	PhaseMonitor    PhaseName = "monitor"    // the first monitor of the address
	PhaseDemote     PhaseName = "demote"     // of the database, on one node
	PhaseStop       PhaseName = "stop"       //
	PhaseStart      PhaseName = "start"      //
	PhasePromote    PhaseName = "promote"    //
	PhaseView       PhaseName = "view"       // until the database on one node had a new view
	PhaseClient     PhaseName = "client"     // a client was not served
	PhaseUnfinished PhaseName = "unfinished" // an operation that has no end
)

// Phase is a part of an incident.
type Phase struct {
	Name     PhaseName     `json:"name"`
	Node     string        `json:"node,omitempty"`
	Resource string        `json:"resource,omitempty"`
	Begin    time.Time     `json:"begin"`
	End      time.Time     `json:"end"`
	Duration time.Duration `json:"duration"`
	Basis    Basis         `json:"basis"` // the worse one of begin and end
	// Path says that it is one of those that add up.
	Path   bool `json:"path,omitempty"`
	Waited bool `json:"waited,omitempty"` // of a view: until then nobody could write
	// Heard is, of a view that was waited for, when the database had last heard of the member that it
	// gave up, and of a membership when the token was last seen; zero if nobody says.
	Heard  time.Time `json:"heard,omitzero"`
	Failed bool      `json:"failed,omitempty"`
	Note   string    `json:"note,omitempty"`
}

// TransitionRef is a plan of Pacemaker that took part.
type TransitionRef struct {
	Number  int    `json:"number"`
	DC      string `json:"dc,omitempty"`
	PEInput string `json:"pe_input,omitempty"`
	Outcome string `json:"outcome,omitempty"`
}

// Action is what an administrator did.
type Action struct {
	At   time.Time `json:"at"`
	By   string    `json:"by,omitempty"`
	What string    `json:"what"`
}

// ClockState is how far the clock of a node could be trusted.
type ClockState struct {
	Node string `json:"node"`
	// Read is what both clocks of an observer said at the first thing that made it an incident: from there its
	// times can be told by the one that nobody sets, as the kernel's own log has them.
	Read Moment `json:"read,omitzero"`
	Clock
}

// Blind is what could not be seen.
type Blind struct {
	Observer string    `json:"observer"`
	Source   Source    `json:"source"`
	From     time.Time `json:"from,omitzero"`
	Until    time.Time `json:"until,omitzero"`
	What     string    `json:"what"`
}

// LastPhase is when the last phase of a record ended; the zero time if none has.
func (r Record) LastPhase() time.Time {
	var last time.Time
	for _, p := range r.Phases {
		if p.Name != PhaseUnfinished {
			last = later(last, p.End)
		}
	}
	return last
}

// tells says whether a record has a cause of a kind.
func (r Record) tells(kind CauseKind) bool {
	return r.Cause.Kind == kind || slices.ContainsFunc(r.Also, func(c Cause) bool { return c.Kind == kind })
}
