package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journalctl"
	"holdfast/crmbridge/kernel"
	"holdfast/crmbridge/unit"
)

// translator makes events of observations. It knows what was before, so that what is
// said twice, or only again after a lost connection, is no happening.
type translator struct {
	node    string // the observer
	machine machine

	cib       cibView
	fencing   fencingView
	corosync  corosyncView
	units     map[string]unit.State
	addresses map[string]bool // by prefix
	listed    bool            // the addresses were read
	clockRead time.Time       // when
	clock     incident.Clock
	galera    string        // the id of the database's newest view
	component incident.View // that view
	suspicion string        // for how long a member of it had been silent when it is suspected
	sayings   []saying
	// resync says which sources have just read the state of now after being blind: what
	// differs from before happened at an unknown time.
	resync map[sourceName]bool
	// unwatched is since when this program did not run, or zero.
	unwatched time.Time
}

// clockAge is how old the knowledge of the clock may be.
const clockAge = time.Minute

// machine is what the translator asks the machine that it runs on.
type machine interface {
	// moment places a time that this process took on the machine's clocks.
	moment(t time.Time) incident.Moment
	// boot identifies the boot that monotonic times count from.
	boot() string
	// interfaceName is the name of a network interface; "" if it is gone.
	interfaceName(index int) string
	// clock is how far the clock can be trusted.
	clock() (kernel.Clock, error)
}

func newTranslator(node string, m machine) *translator {
	return &translator{
		node: node, machine: m, cib: newCIBView(), fencing: newFencingView(),
		units: map[string]unit.State{}, addresses: map[string]bool{}, resync: map[sourceName]bool{}, sayings: sayings(),
	}
}

// events are what an observation means. When something happens after a while, how the
// clock is comes with it: nobody tells when that changes.
func (t *translator) events(o observation) []incident.Event {
	events := t.meaning(o)
	if len(events) == 0 || o.received.Sub(t.clockRead) < clockAge {
		return events
	}
	return append(t.clockLooked(o.received), events...)
}

func (t *translator) meaning(o observation) []incident.Event {
	switch what := o.what.(type) {
	case blind:
		return one(t.event(o, incident.Event{Kind: incident.Gap, Node: t.node, Change: incident.Change{Value: what.reason}}))
	case seeing:
		return t.seeing(o, what)
	case cibRead:
		return t.cibRead(o, what)
	case cibChanged:
		return t.cibChanged(o, what)
	case fencingSeen:
		return t.fencingSeen(o, what)
	case corosync.Settings:
		t.corosync.learn(what)
	case corosync.Event:
		return t.membership(o, what)
	case unit.State:
		return t.unit(o, what)
	case addressesRead:
		return t.addressesRead(o, what)
	case kernel.Address:
		return t.address(o, what, false)
	case kernel.Step:
		return t.clockChanged(o.received, what.By)
	case journalctl.Line:
		return t.spoken(o, what)
	}
	return nil
}

// event fills in what every event has; At is the arrival if nobody knows better.
func (t *translator) event(o observation, e incident.Event) incident.Event {
	e.Source, e.Observer, e.Seen = origin(o.source), t.node, t.machine.moment(o.received)
	if e.At.Wall.IsZero() {
		e.At = e.Seen
	}
	if e.Basis == "" {
		e.Basis = incident.Measured
	}
	return e
}

func origin(s sourceName) incident.Source {
	switch s {
	case sourceCIB:
		return incident.FromCIB
	case sourceFencer:
		return incident.FromFencer
	case sourceQuorum:
		return incident.FromCorosync
	case sourceUnits:
		return incident.FromSystemd
	case sourceAddresses, sourceClock:
		return incident.FromKernel
	case sourceJournal:
		return incident.FromJournal
	}
	return incident.Source(s)
}

// seeing ends a gap, and says how the clock is when the clock's source begins.
func (t *translator) seeing(o observation, s seeing) []incident.Event {
	var events []incident.Event
	if o.source == sourceClock {
		events = t.clockChanged(o.received, 0)
	}
	if s.since.IsZero() {
		return events
	}
	t.resync[o.source] = true
	return append(events, t.event(o, incident.Event{
		Kind: incident.Gap, Node: t.node, At: t.machine.moment(s.since), Until: o.received.Round(0).UTC(), Change: incident.Change{Value: "not connected"},
	}))
}

// missed is a gap of every source: this program did not run.
func (t *translator) missed(since, now time.Time) []incident.Event {
	t.unwatched = since
	var events []incident.Event
	for _, s := range allSources() {
		events = append(events, t.event(observation{s, now, nil}, incident.Event{
			Kind: incident.Gap, Node: t.node, At: incident.Moment{Wall: since.UTC()}, Until: now.Round(0).UTC(),
			Change: incident.Change{Value: "crmbridge did not run"},
		}))
	}
	return events
}

// lastKnown is where the address was when somebody last watched, if that is known.
func (t *translator) lastKnown(b before, now time.Time) []incident.Event {
	if b.address == "" {
		return nil
	}
	return one(t.event(observation{sourceJournal, now, nil}, incident.Event{
		Kind: incident.ServiceKnown, Node: b.address, At: incident.Moment{Wall: b.alive.UTC()}, Basis: incident.Logged, Initial: true,
	}))
}

// resynced says, once, whether what a source has just read can be compared with what it
// said before it was blind. A source that was never heard before has only begun late.
func (t *translator) resynced(s sourceName, before bool) bool {
	was := t.resync[s]
	delete(t.resync, s)
	return was && before
}

func one(e incident.Event) []incident.Event { return []incident.Event{e} }

// thisMachine is the machine that the daemon runs on.
type thisMachine struct{ id string }

// newMachine reads which boot this is, as the journal writes it.
func newMachine() (thisMachine, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return thisMachine{}, fmt.Errorf("read which boot this is: %w", err)
	}
	return thisMachine{strings.ReplaceAll(strings.TrimSpace(string(id)), "-", "")}, nil
}

func (m thisMachine) boot() string { return m.id }

func (m thisMachine) moment(t time.Time) incident.Moment {
	at := incident.Moment{Wall: t.Round(0).UTC(), Boot: m.id}
	if up, err := kernel.Uptime(); err == nil {
		at.Mono = up - time.Since(t)
	}
	return at
}

func (m thisMachine) clock() (kernel.Clock, error) { return kernel.ReadClock() }

func (m thisMachine) interfaceName(index int) string {
	i, err := net.InterfaceByIndex(index)
	if err != nil {
		return ""
	}
	return i.Name
}
