package main

import (
	"time"

	"holdfast/cib"
	"holdfast/crmbridge/kernel"
	"holdfast/crmbridge/pacemaker"
)

// sourceName names a source in records and logs.
type sourceName string

// The sources.
const (
	sourceCIB       sourceName = "cib"
	sourceFencer    sourceName = "fencer"
	sourceQuorum    sourceName = "quorum"
	sourceUnits     sourceName = "systemd"
	sourceAddresses sourceName = "addresses"
	sourceClock     sourceName = "clock"
	sourceJournal   sourceName = "journal"
)

func allSources() []sourceName {
	return []sourceName{sourceCIB, sourceFencer, sourceQuorum, sourceUnits, sourceAddresses, sourceClock, sourceJournal}
}

// observation is what a source said. what is one of the types below, or a
// corosync.Event, unit.State, kernel.Address, kernel.Step or journal line.
type observation struct {
	source   sourceName
	received time.Time
	what     any
}

// cibRead is the CIB when following it began, or began again: then changes are what is
// different from before, and may have been more; or it is the whole one of another cluster.
type cibRead struct {
	version cib.Version
	facts   []cib.Fact
	state   cib.State
	changes []cib.Change
	another bool
}

// cibChanged is a patchset.
type cibChanged struct {
	version      cib.Version
	client, user string // who asked for it, where Pacemaker says so
	changes      []cib.Change
}

// fencingSeen is an event of the fencer, and the history right after it. There is none
// with ended == nil when following began.
type fencingSeen struct {
	ended   *pacemaker.Fencing
	status  int
	reason  string
	history []pacemaker.Fencing
}

// addressesRead are the addresses of this machine when following them began.
type addressesRead []kernel.Address

// blind says that a source sees nothing from now on, or that it never did.
type blind struct{ reason string }

// seeing says that a source sees again, or for the first time: then since is zero.
// What it gives next is the state of now; what happened since is unknown.
type seeing struct{ since time.Time }
