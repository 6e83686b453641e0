package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verb is what a step does to a node.
type Verb string

// The verbs. Those of power, cable and pause need somebody beside the machine.
const (
	Script   Verb = "script" // run by a shell on the node, as root
	PowerOff Verb = "power-off"
	PowerOn  Verb = "power-on"
	CableOut Verb = "cable-out"
	CableIn  Verb = "cable-in"
	Freeze   Verb = "freeze" // pause the whole machine, as a hypervisor does
	Thaw     Verb = "thaw"
	Crash    Verb = "crash"     // let the kernel panic
	DiskFull Verb = "disk-full" // fill the file system of the database
	DiskHold Verb = "disk-hold" // let every write to it hang
	DiskFree Verb = "disk-free" // end either
)

// Role is which node a step is done to.
type Role string

// The roles. The holder is the node that serves the address when the fault
// begins.
const (
	Holder Role = "holder"
	Other  Role = "other"  // a node that does not hold the address
	Second Role = "second" // another one of those
	Each   Role = "each"   // every node at the same time, one after another with InTurn
	InTurn Role = "in turn"
)

// Step is one thing done to a node.
type Step struct {
	Verb   Verb
	On     Role
	Script string        // of Script; see Bind for what stands in braces
	Pause  time.Duration // before the step
	Along  bool          // begin together with the step before
}

// Fault is one entry of the catalogue.
type Fault struct {
	Name        string
	Description string
	Expected    string // the effect that is expected
	Inject      []Step
	Undo        []Step        // may be run at any time, more than once, and after the machine was restarted
	Hold        time.Duration // from the injection to the undoing, at least
	UndoFirst   bool          // the service is not expected back before the fault is undone
}

// Names lists the names of faults.
func Names(all []Fault) []string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	return names
}

// Find looks names up in the catalogue, in the order given. "all" is every fault.
func Find(catalogue []Fault, names []string) ([]Fault, error) {
	var found []Fault
	for _, name := range names {
		if name == "all" {
			found = append(found, catalogue...)
			continue
		}
		i := slices.IndexFunc(catalogue, func(f Fault) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no fault is called %q: chaos faults lists them%s", name, similar(catalogue, name))
		}
		found = append(found, catalogue[i])
	}
	return found, nil
}

func similar(catalogue []Fault, name string) string {
	var alike []string
	for _, f := range catalogue {
		if name != "" && (strings.Contains(f.Name, name) || strings.HasPrefix(f.Name, strings.SplitN(name, "-", 2)[0])) {
			alike = append(alike, f.Name)
		}
	}
	if len(alike) == 0 {
		return ""
	}
	return "; perhaps " + strings.Join(alike, ", ")
}

// Needs are the verbs of a fault beyond Script.
func (f Fault) Needs() []Verb {
	var verbs []Verb
	for _, s := range slices.Concat(f.Inject, f.Undo) {
		if s.Verb != Script && !slices.Contains(verbs, s.Verb) {
			verbs = append(verbs, s.Verb)
		}
	}
	return verbs
}

// Place is the cluster that a fault is bound to.
type Place struct {
	Holder   string
	Nodes    []Node
	Address  string // the floating address
	Resource string // the id of its resource
}

// Node is a node with the address that it uses among its peers.
type Node struct{ Name, Address string }

// Action is a step on a node. It is written to the undo file.
type Action struct {
	Verb   Verb          `json:"verb"`
	Node   string        `json:"node"`
	Script string        `json:"script,omitempty"`
	Pause  time.Duration `json:"pause,omitempty"`
	// Along says that the action is begun together with the one before it.
	Along bool `json:"along,omitempty"`
}

// Struck is when something was truly done to a node, by the clock of the one who did
// it. The command that does it begins earlier, by a login and the start of a program.
//
// A script or a command says so with a line "at 2026-11-25T07:00:00.123456789Z" just
// before it does it; the first such line counts.
type Struck struct {
	Node string
	At   time.Time
}

// StruckAt finds the line in what a command printed. A time when the command did not
// run is by another clock and is none.
func StruckAt(printed string, begun, ended time.Time) (time.Time, bool) {
	for line := range strings.Lines(printed) {
		text, said := strings.CutPrefix(strings.TrimSpace(line), "at ")
		if !said {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			continue
		}
		return at, !at.Before(begun.Round(0)) && !at.After(ended.Round(0))
	}
	return time.Time{}, false
}

// Bound is a fault on certain nodes.
type Bound struct {
	Fault   Fault
	Targets []string // the nodes that something is done to
	Inject  []Action
	Undo    []Action
}

// Bind fills the nodes into a fault. Turn decides which of the other nodes is
// taken, so that repetitions take each. In scripts {address} becomes the
// floating address, {resource} its resource, {node} the node itself, {other} a
// node that does not hold the address, {witness} one to which nothing is done as
// far as there is one, and {peers} the addresses of all others, with commas.
func Bind(f Fault, p Place, turn int) (Bound, error) {
	b := Bound{Fault: f}
	roles, err := assign(p, turn)
	if err != nil {
		return b, err
	}
	for _, s := range slices.Concat(f.Inject, f.Undo) {
		for _, node := range roles.nodes(s.On) {
			if !slices.Contains(b.Targets, node) {
				b.Targets = append(b.Targets, node)
			}
		}
	}
	b.Inject, b.Undo = roles.actions(f.Inject, p), roles.actions(f.Undo, p)
	return b, nil
}

// cast is who plays which role.
type cast struct {
	holder string
	others []string // the first is Other, the next Second
}

func assign(p Place, turn int) (cast, error) {
	c := cast{holder: p.Holder}
	for _, n := range p.Nodes {
		if n.Name != p.Holder {
			c.others = append(c.others, n.Name)
		}
	}
	if len(c.others) == len(p.Nodes) {
		return c, fmt.Errorf("%q, which answers at the floating address, is none of the nodes: correct --node", p.Holder)
	}
	if len(c.others) < 2 {
		return c, errors.New("a fault needs at least three nodes: give --node for each")
	}
	turn %= len(c.others)
	c.others = slices.Concat(c.others[turn:], c.others[:turn])
	return c, nil
}

func (c cast) nodes(r Role) []string {
	switch r {
	case Holder:
		return []string{c.holder}
	case Other:
		return c.others[:1]
	case Second:
		return c.others[1:2]
	default: // the holder last, as an operator would
		return append(slices.Clone(c.others), c.holder)
	}
}

func (c cast) actions(steps []Step, p Place) []Action {
	var all []Action
	for _, s := range steps {
		for i, node := range c.nodes(s.On) {
			a := Action{Verb: s.Verb, Node: node, Script: c.fill(s.Script, node, p), Along: s.Along || i > 0 && s.On == Each}
			if i == 0 {
				a.Pause = s.Pause
			}
			all = append(all, a)
		}
	}
	return all
}

func (c cast) fill(script, node string, p Place) string {
	witness := c.others[1]
	if node == witness {
		witness = c.others[0]
	}
	var peers []string
	for _, n := range p.Nodes {
		if n.Name != node {
			peers = append(peers, n.Address)
		}
	}
	return strings.NewReplacer("{address}", p.Address, "{resource}", p.Resource, "{node}", node, "{other}", c.others[0],
		"{witness}", witness, "{peers}", strings.Join(peers, ", ")).Replace(script)
}
