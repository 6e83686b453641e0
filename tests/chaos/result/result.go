package result

import "time"

// Run is one whole chaos run: a watch, one fault or a campaign.
type Run struct {
	ID       string            `json:"run"`
	Started  time.Time         `json:"started"`
	Ended    time.Time         `json:"ended,omitzero"` // zero while it goes on
	Address  string            `json:"address"`        // the floating address
	Interval Milliseconds      `json:"interval"`       // between two ticks of a client
	Deadline Milliseconds      `json:"deadline"`       // of one attempt
	Versions map[string]string `json:"versions"`       // of the programs on the nodes
	Settings map[string]string `json:"settings"`       // of the cluster, as far as they matter to the figures
	Nodes    []Node            `json:"nodes"`
	Faults   []Fault           `json:"faults"`
	NotBegun []NotBegun        `json:"not_begun,omitempty"` // repetitions whose fault was never injected
	SLA      *SLA              `json:"sla,omitempty"`       // without one, nothing was promised
}

// Milliseconds is a duration or an offset, in milliseconds, as JSON shows it.
type Milliseconds float64

// Of converts a duration.
func Of(d time.Duration) Milliseconds { return Milliseconds(float64(d) / float64(time.Millisecond)) }

// Duration converts back.
func (m Milliseconds) Duration() time.Duration {
	return time.Duration(float64(m) * float64(time.Millisecond))
}

// Node is one member of the cluster.
type Node struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Fault is one fault and everything that was seen from a while before it until
// the cluster was clean again. All offsets count from Injected; those before it
// are negative.
type Fault struct {
	Name          string       `json:"fault"`
	Description   string       `json:"description"`
	Expected      string       `json:"expected"`   // the effect expected of it
	Repetition    int          `json:"repetition"` // from 1
	Targets       []string     `json:"targets"`    // the nodes it was done to
	Injected      time.Time    `json:"injected"`   // just before the injection
	From          Milliseconds `json:"from"`       // first and last offset observed
	To            Milliseconds `json:"to"`
	Marks         []Mark       `json:"marks"` // injection, undoing and the visible phases
	Clients       []Client     `json:"clients"`
	Lanes         []Lane       `json:"lanes"`
	Doubled       []Doubling   `json:"doubled"` // when two nodes answered ARP for the address
	Acked         int          `json:"acked"`
	Lost          int          `json:"lost"`
	Indeterminate int          `json:"indeterminate"`
	Violations    []Violation  `json:"violations"`
	Unmeasured    []string     `json:"unmeasured"` // what could not be seen, a sentence each
	// Error is why the repetition as a whole could not be measured as it should: its figures may mean
	// little, and that nothing was lost is not proved. Empty when it could.
	Error string `json:"error,omitempty"`
	// Stopped says that a signal ended it: that the service was not back by then is nobody's fault.
	Stopped bool `json:"stopped,omitempty"`
}

// NotBegun is a repetition that was to be done, but whose fault was not injected.
type NotBegun struct {
	Name       string    `json:"fault"`
	Repetition int       `json:"repetition"`
	At         time.Time `json:"at"`
	Why        string    `json:"why"`
}

// Doubling is a time in which several nodes answered ARP for the address.
type Doubling struct {
	From  Milliseconds `json:"from"`
	To    Milliseconds `json:"to"`
	Nodes []string     `json:"nodes"`
}

// LongestDoubled is how long the longest doubling of the address was; 0 without one.
func (f Fault) LongestDoubled() Milliseconds {
	var longest Milliseconds
	for _, d := range f.Doubled {
		longest = max(longest, d.To-d.From)
	}
	return longest
}

// Mark is a moment: one of the names below, or a phase of the fault's own.
type Mark struct {
	Name string       `json:"name"`
	At   Milliseconds `json:"at"`
	Node string       `json:"node,omitempty"`
}

// The names of marks, in the order in which one usually sees them.
const (
	Injected     = "injected" // the command that does it is begun
	Struck       = "struck"   // it truly happened to the node, as whoever did it says
	FirstError   = "first-error"
	ViewChanged  = "view-changed"
	AddressMoved = "address-moved"
	ARPChanged   = "arp-changed"
	FirstOK      = "first-ok"
	Undone       = "undone"
	Healed       = "healed" // every node is promoted again
	Synced       = "synced" // every node is Synced and has every acknowledged row
)

// Client is what one kind of client felt.
type Client struct {
	Kind          string       `json:"kind"`           // new-connection, persistent, read, direct, glued
	Node          string       `json:"node,omitempty"` // of a direct or glued client
	Interruption  Milliseconds `json:"interruption"`   // last good before to first good after
	Since         Milliseconds `json:"since"`          // when the interruption began: the last good before it; 0 when not known
	Open          bool         `json:"open"`           // there was no good attempt after
	Availability  float64      `json:"availability"`   // ticks answered in time, 0 to 1
	Attempts      int          `json:"attempts"`
	Acked         int          `json:"acked"`
	Refused       int          `json:"refused"`
	Indeterminate int          `json:"indeterminate"`
	Latency       Latency      `json:"latency"`
	Dots          []Dot        `json:"dots,omitempty"`
}

// Latency is measured from the intended start of each attempt that was answered.
type Latency struct {
	P50 Milliseconds `json:"p50"`
	P95 Milliseconds `json:"p95"`
	P99 Milliseconds `json:"p99"`
	Max Milliseconds `json:"max"`
}

// Dot is one attempt, at its intended start.
type Dot struct {
	At      Milliseconds `json:"at"`
	Latency Milliseconds `json:"latency"`
	Verdict string       `json:"verdict"` // acknowledged, refused or indeterminate
	Node    string       `json:"node,omitempty"`
	Error   string       `json:"error,omitempty"` // class of the error
}

// Lane is one node, or the floating address, over time. Of the address, State is
// the name of the node that answered for it, several joined by "+".
type Lane struct {
	Name  string `json:"name"`
	Spans []Span `json:"spans"`
}

// Span is one state from one offset to the next.
type Span struct {
	From  Milliseconds `json:"from"`
	To    Milliseconds `json:"to"`
	State string       `json:"state"` // Synced, Donor, Joiner, non-Primary, unreachable, off, ...
}

// Violation is a promise that was broken.
type Violation struct {
	Kind   string       `json:"kind"` // lost, one-node-only, resurrected, minority-ack, two-primaries, doubled-address, divergent
	Node   string       `json:"node,omitempty"`
	At     Milliseconds `json:"at"`
	Detail string       `json:"detail"`
}

// Summary is one object of summary.json: a fault over its repetitions.
type Summary struct {
	Fault         string         `json:"fault"`
	N             int            `json:"n"`
	Errors        int            `json:"errors"`          // of them could not be measured as they should
	Interruption  []Milliseconds `json:"interruption_ms"` // of the new-connection writer, in order
	Doubled       []Milliseconds `json:"doubled_ms"`      // for how long the address was on two nodes, in order
	Acked         int            `json:"acked"`
	Lost          int            `json:"lost"`
	Indeterminate int            `json:"indeterminate"`
	Violations    []Violation    `json:"violations"`
}

// SLA is what was promised and whether it was kept; package sla fills it.
type SLA struct {
	Objective       string       `json:"objective,omitempty"`        // 99.95%
	Window          string       `json:"window,omitempty"`           // 30d
	MaxInterruption Milliseconds `json:"max_interruption,omitempty"` // longer is a breach
	Observed        Milliseconds `json:"observed"`
	Unmeasured      Milliseconds `json:"unmeasured"` // of Observed: nobody was looking
	Interruptions   int          `json:"interruptions"`
	Interrupted     Milliseconds `json:"interrupted"`  // all of them together
	Availability    float64      `json:"availability"` // of the time measured, 0 to 1
	Longest         Milliseconds `json:"longest"`
	Open            bool         `json:"open"`    // the last interruption had no end
	Budget          Milliseconds `json:"budget"`  // of one window
	Used            Milliseconds `json:"used"`    // of it, in the worst window observed
	Left            Milliseconds `json:"left"`    // negative when breached
	Verdict         string       `json:"verdict"` // met, breached or unknown
	Reason          string       `json:"reason"`
}
