package monitor

import (
	"io"
	"strings"
	"time"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/sample"
)

// Config says what to observe, with which clients.
type Config struct {
	Address     *mariadb.Server
	AddressName string // for people
	Resource    string // id of the address' resource
	Nodes       []client.Node
	Target      Target
	Interval    time.Duration // of the clients through the address
	Direct      time.Duration // of those straight to a node
	Sample      time.Duration // between two looks at a node
	ARP         time.Duration // between two questions for the address
	Deadline    time.Duration // of an attempt
	Doubled     time.Duration // for how long two nodes may answer for the address
	Threshold   time.Duration // a shorter gap is ordinary latency
	Before      time.Duration // of steady service before the fault
	After       time.Duration // of steady service after it
	Limit       time.Duration // for the service to be steady, before and after
	Heal        time.Duration // for the cluster to be clean, before and after
	Ledger      io.Writer     // nil without a file
	Tell        func(Event)
	Broken      func() error                             // why what is told and written cannot be; nil when it can
	Writer      func(origin time.Time, a client.Attempt) // every attempt of the writer, in order of its end
}

// nodeName is the name by which the run knows a server that gives its hostname.
func (c Config) nodeName(hostname string) string {
	short, _, _ := strings.Cut(hostname, ".")
	for _, n := range c.Nodes {
		if strings.EqualFold(n.Name, hostname) || strings.EqualFold(n.Name, short) {
			return n.Name
		}
	}
	return hostname
}

// Event is something that happened, for people and for the lines of JSON.
type Event struct {
	At   time.Time
	Kind string
	Node string
	Text string
}

// The kinds of events.
const (
	KindNode  = "NODE"  // a node was seen in another state
	KindFault = "FAULT" // injected or undone
	KindWait  = "WAIT"  // what is waited for
	KindCheck = "CHECK" // the rows are compared
)

func (c Config) sampled() []sample.Node {
	nodes := make([]sample.Node, len(c.Nodes))
	for i, n := range c.Nodes {
		nodes[i] = sample.Node(n)
	}
	return nodes
}
