package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/glue"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/sample"
)

// way leads the sockets of the glued client; package glue's.
type way interface {
	To(hardware net.HardwareAddr) error
	Close() error
}

// glued is the client that stays with the node that had the address when the
// fault began, as one whose network still has the old ARP answer.
type glued struct {
	way    way
	server *mariadb.Server
	first  chan struct{} // closed at the first answer: the client may begin

	// Guarded by the observation.
	latest sample.Answered // who answered ARP last
	owner  string          // the node that the client stays with
	stuck  bool            // the fault has begun
	err    error           // why it does not stay there
}

func newGlued(address *mariadb.Server, arp *sample.ARP) (*glued, error) {
	path, err := glue.Open(arp.Way())
	if err != nil {
		return nil, err
	}
	server, err := address.Over(path.Control)
	if err != nil {
		return nil, errors.Join(err, path.Close())
	}
	return &glued{way: path, server: server, first: make(chan struct{})}, nil
}

// answered takes the next ARP answer. Until the fault the client goes where
// everybody goes.
func (g *glued) answered(a sample.Answered) {
	begins := g.latest.Hardware == nil
	moved := g.latest.Hardware.String() != a.Hardware.String()
	g.latest = a
	if moved && !g.stuck {
		g.follow()
	}
	if begins {
		close(g.first)
	}
}

func (g *glued) follow() {
	if err := g.way.To(g.latest.Hardware); err != nil {
		g.err = err
	}
}

// stick lets the client stay where it is.
func (g *glued) stick() { g.stuck, g.owner = true, g.latest.Node }

// run lets the client work as soon as it is known where the address is.
func (g *glued) run(ctx context.Context, work func()) {
	select {
	case <-g.first:
		work()
	case <-ctx.Done():
	}
}

// glue prepares the client; without one it says why.
func (o *observation) glue() {
	if o.blind != nil {
		o.unglued = "who answers for the address is not seen"
		return
	}
	var err error
	if o.glued, err = newGlued(o.config.Address, o.arp); err != nil {
		o.unglued = err.Error()
	}
}

// stick is called when the fault begins.
func (o *observation) stick() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.glued != nil {
		o.glued.stick()
	}
}

// unstick ends it when its client has ended.
func (o *observation) unstick() {
	if o.glued == nil {
		return
	}
	if err := o.glued.way.Close(); err != nil {
		o.glued.err = err
	}
}

// gluedWords says why there was no such client; empty when there was one.
func (o *observation) gluedWords() string {
	why := o.unglued
	if o.glued != nil {
		switch {
		case o.glued.err != nil:
			why = o.glued.err.Error()
		case o.glued.owner == "":
			why = "nobody answered ARP for the address when the fault began"
		}
	}
	if why == "" {
		return ""
	}
	return fmt.Sprintf("There was no client that is glued to the old owner of the address: %s.", why)
}

// clientConfig says which clients there are.
func (o *observation) clientConfig() client.Config {
	c := client.Config{Address: o.config.Address, Nodes: o.config.Nodes, Interval: o.config.Interval, Direct: o.config.Direct}
	if o.glued != nil {
		c.Glued = o.glued.server
	}
	return c
}
