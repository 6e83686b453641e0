package client

import (
	"context"
	"time"

	"holdfast/tests/chaos/load"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/sla"
)

// The kinds of clients, as chaos(8) documents them.
const (
	NewConnection = sla.WriterKind // the writer whose interruption is the figure of a fault
	Persistent    = "persistent"   // writes over one connection, opened again when it breaks
	Read          = "read"         // reads over one connection
	Direct        = "direct"       // writes to one node at its own address, also when nobody should
	Glued         = "glued"        // writes to the floating address at the hardware address of its old owner
)

// Attempt is what became of one tick.
type Attempt = load.Attempt[mariadb.Outcome]

// Client is one client of a run.
type Client struct {
	Kind     string
	Node     string // of a direct client; of a glued one, the old owner
	Number   int    // of the client in its run, from 0
	Interval time.Duration
	Do       func(ctx context.Context, run string, id uint64) mariadb.Outcome
	Close    func()
}

// Writes says whether the attempts of the client leave rows.
func (c Client) Writes() bool { return c.Kind != Read }

// numberShift leaves a client 2^40 ticks, which at one a millisecond is 34 years.
const numberShift = 40

// ID is the id of the row that the client writes in a tick.
func (c Client) ID(tick uint64) uint64 { return uint64(c.Number)<<numberShift | tick }

// NumberOf is the number of the client that wrote the id.
func NumberOf(id uint64) int { return int(id >> numberShift) }

// Config says which clients a run has.
type Config struct {
	Address  *mariadb.Server // the floating address
	Glued    *mariadb.Server // the same over sockets that stay with its old owner; nil without such a client
	Nodes    []Node
	Interval time.Duration // of the clients through the address
	Direct   time.Duration // interval of the clients straight to a node, and of the glued one
}

// Node is one node at its own address.
type Node struct {
	Name   string
	Server *mariadb.Server
}

// All makes the clients of a run, the writer with new connections first.
func All(c Config) []Client {
	persistent, reader := c.Address.Session(), c.Address.Session()
	clients := []Client{
		{Kind: NewConnection, Interval: c.Interval, Do: c.Address.Write, Close: func() {}},
		{Kind: Persistent, Interval: c.Interval, Do: persistent.Write, Close: persistent.Close},
		{Kind: Read, Interval: c.Interval, Close: reader.Close,
			Do: func(ctx context.Context, _ string, _ uint64) mariadb.Outcome { return reader.Read(ctx) }},
	}
	for _, n := range c.Nodes {
		session := n.Server.Session()
		clients = append(clients, Client{Kind: Direct, Node: n.Name, Interval: c.Direct, Do: session.Write, Close: session.Close})
	}
	if c.Glued != nil {
		session := c.Glued.Session()
		clients = append(clients, Client{Kind: Glued, Interval: c.Direct, Do: session.Write, Close: session.Close})
	}
	for i := range clients {
		clients[i].Number = i
	}
	return clients
}

// Answered is an attempt with the number of its client.
type Answered struct {
	Client int
	Attempt
}

// Run starts the client's ticks until ctx is done, waits for those under way,
// and hands each attempt to out.
func (c Client) Run(ctx context.Context, run string, origin time.Time, deadline time.Duration, out chan<- Answered) {
	attempts := make(chan Attempt, 256)
	schedule := load.Schedule{Origin: origin, Interval: c.Interval, Deadline: deadline,
		// Four times what can be under way when every attempt takes its whole
		// deadline: only a client that was itself held up gets there.
		InFlight: 4 * (int(deadline/c.Interval) + 1)}
	go load.Run(ctx, schedule, func(ctx context.Context, tick uint64) mariadb.Outcome {
		return c.Do(ctx, run, c.ID(tick))
	}, attempts)
	for a := range attempts {
		out <- Answered{Client: c.Number, Attempt: a}
	}
	c.Close()
}
