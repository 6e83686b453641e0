package agree

import (
	"slices"
	"strings"

	"holdfast/crmbridge/incident"
)

// expectation is what crmbridge has to make of a fault of the catalogue.
type expectation struct {
	causes  []incident.CauseKind // any of them is right
	beside  []incident.CauseKind // what else may be recorded in the same time
	planned bool
	// lost says that the nodes it is done to are lost: they need not record it, and what
	// they record themselves is how it looks from the wrong side.
	lost bool
	// anywhere says that the cause may be told of a node other than the targets: either
	// side of a network that works in one direction may be fenced, a constraint names the
	// node that the address goes to.
	anywhere bool
	// silent says that nothing needs to be recorded.
	silent bool
	// atOnce says that a client feels it when it strikes: the last answer it got tells
	// when that was, where the monitor has nothing better.
	atOnce bool
}

// expectations are those of the catalogue, by name; a fault called X-other is as X. Every
// fault of the catalogue is here: a test sees to that.
func expectations() map[string]expectation {
	type kinds = []incident.CauseKind
	back := kinds{incident.NodeReturned}
	gone := expectation{causes: kinds{incident.NodeLost}, beside: back, lost: true, atOnce: true}
	cutOff := gone
	cutOff.beside = kinds{incident.NodeReturned, incident.QuorumGone}
	oneWay := cutOff
	oneWay.anywhere = true
	late := gone // the node goes on serving until it is fenced
	late.atOnce = false
	broken := expectation{causes: kinds{incident.DatabaseUnfit, incident.DatabaseFailed, incident.DatabaseHung, incident.DatabaseDied}}
	died := expectation{causes: kinds{incident.DatabaseDied}, atOnce: true}
	standby := expectation{causes: kinds{incident.NodeStandby}, beside: kinds{incident.StandbyOver}, planned: true}
	return map[string]expectation{
		"database-kill": died,
		"database-hang": {causes: kinds{incident.DatabaseHung}, atOnce: true},
		// The monitor may come while it is ending.
		"database-stop":       {causes: kinds{incident.DatabaseDied, incident.DatabaseFailed}},
		"power-cut":           gone,
		"kernel-crash":        gone,
		"machine-freeze":      gone,
		"cable-out":           cutOff,
		"cut-off-from-peers":  cutOff,
		"one-way-deaf":        oneWay,
		"one-way-mute":        oneWay,
		"cable-flapping":      oneWay,
		"address-deleted":     {causes: kinds{incident.AddressLost}, atOnce: true},
		"corosync-kill":       late,
		"pacemakerd-kill":     {silent: true},
		"disk-full":           broken,
		"disk-stalled":        broken,
		"planned-move":        {causes: kinds{incident.ResourceMoved}, beside: kinds{incident.ConstraintLifted}, planned: true, anywhere: true},
		"standby":             standby,
		"rolling-restart":     standby,
		"second-fault":        died,
		"all-databases-kill":  died,
		"two-nodes-power-cut": {causes: kinds{incident.QuorumGone, incident.NodeLost}, beside: back, lost: true, anywhere: true, atOnce: true},
		// Nobody is left to see it: it is recorded when the nodes are back.
		"all-power-cut": {causes: kinds{incident.ClusterLost}, beside: kinds{incident.NodeReturned, incident.NodeLost, incident.QuorumGone}, lost: true, anywhere: true, atOnce: true},
	}
}

func expected(fault string) (expectation, bool) {
	e, known := expectations()[strings.TrimSuffix(fault, "-other")]
	if strings.HasPrefix(fault, "disk-") && strings.HasSuffix(fault, "-other") {
		e.silent = true // a disk that only holds a copy may be full without harm
	}
	return e, known
}

// right says whether a record tells of the fault that was done to the targets.
func (e expectation) right(r incident.Record, targets []string) bool {
	return slices.Contains(e.causes, r.Cause.Kind) && (e.anywhere || slices.Contains(targets, r.Cause.Node))
}

// allowed says whether a record that does not tell of the fault itself belongs to it
// all the same.
func (e expectation) allowed(r incident.Record, targets []string) bool {
	if slices.Contains(e.beside, r.Cause.Kind) || slices.Contains(e.causes, r.Cause.Kind) && e.right(r, targets) {
		return true
	}
	// A node that is cut off sees the others lost.
	return e.lost && r.Cause.Kind == incident.NodeLost && within(r.Observers, targets)
}

// within says whether every one of some names is among others.
func within(some, others []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(others, s) })
}
