package main

import (
	"context"
	"fmt"
	"time"

	"holdfast/ocf"
)

// version is set by the linker.
var version = "devel" //nolint:gochecknoglobals // -ldflags -X needs a variable

// newAgent is the agent in the world that open makes for each call.
func newAgent(open func(settings) world) *ocf.Agent {
	a := &agent{open: open}
	return &ocf.Agent{
		Name:       "galera",
		Version:    version,
		Short:      "Manages a MariaDB Galera cluster as a promotable clone",
		Long:       longDescription,
		Parameters: parameters(),
		Actions: []ocf.Action{
			{Name: "start", Timeout: 120 * time.Second, Run: a.do((*call).start)},
			{Name: "stop", Timeout: 120 * time.Second, Run: a.do((*call).stop), Tolerant: true},
			{Name: "status", Timeout: 60 * time.Second, Run: a.do((*call).monitor), Tolerant: true},
			{Name: "monitor", Timeout: 30 * time.Second, Interval: 20 * time.Second, Run: a.do((*call).monitor), Tolerant: true},
			{Name: "monitor", Timeout: 30 * time.Second, Interval: 10 * time.Second, Role: "Promoted"},
			{Name: "monitor", Timeout: 30 * time.Second, Interval: 30 * time.Second, Role: "Unpromoted"},
			{Name: "promote", Timeout: 300 * time.Second, Run: a.do((*call).promote)},
			{Name: "demote", Timeout: 120 * time.Second, Run: a.do((*call).demote)},
			{Name: "validate-all", Timeout: 5 * time.Second, Run: a.do((*call).validateAll)},
		},
	}
}

const longDescription = `
Runs the MariaDB server of a Galera cluster, mariadb.service, on each node as an instance of a promotable clone.

"Unpromoted" means that the server does not run and that this node has told the others how far its data got.
"Promoted" means that the server runs, in the cluster's primary component and synced; every node is to be promoted.
When no server runs anywhere, the nodes elect the one with the most advanced data to bootstrap the cluster, and the others join it.

The server is started through systemd: disable mariadb.service, so that only the cluster starts it.
See ocf_holdfast_galera(7).
`

type agent struct{ open func(settings) world }

// call is one run of one action.
type call struct {
	world
	settings
	req  *ocf.Request
	log  *ocf.Log
	disk diskWatch
}

// do adapts an action. The node's name is asked for only if Pacemaker did not give
// it, because asking costs a process.
func (a *agent) do(action func(*call, context.Context) (ocf.Code, error)) func(context.Context, *ocf.Request) (ocf.Code, error) {
	return func(ctx context.Context, req *ocf.Request) (ocf.Code, error) {
		s := newSettings(req)
		c := &call{world: a.open(s), settings: s, req: req, log: req.Log}
		return action(c, ctx)
	}
}

// identify finds the name by which Pacemaker knows this node.
func (c *call) identify(ctx context.Context) error {
	if c.node != "" {
		return nil
	}
	name, err := c.cluster.LocalNode(ctx)
	if err != nil {
		return fmt.Errorf("this node's name is not known: %w", err)
	}
	c.node = name
	return nil
}
