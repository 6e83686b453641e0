package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

// primary is the wsrep_cluster_status of a component that may take writes.
const primary = "Primary"

// monitor tells the state. While the server runs and answers, one query is all it
// costs.
func (c *call) monitor(ctx context.Context) (ocf.Code, error) {
	st, err := c.askDatabase(ctx)
	switch {
	case err == nil:
		return c.judge(ctx, st)
	case errors.Is(err, ErrLogin):
		return 0, c.loginFailed(err)
	}
	state, unitErr := c.server.State(ctx)
	switch {
	case errors.Is(unitErr, ErrNoUnit):
		return ocf.NotRunning, nil
	case unitErr != nil:
		return 0, unitErr
	case state.Down():
		return c.offline(ctx)
	case len(c.req.Problems) > 0:
		return 0, c.req.Problems[0]
	case state.Active == "active":
		return 0, ocf.Errorf(ocf.ErrGeneric, "mariadb.service runs but does not answer: %w", err)
	default:
		return 0, ocf.Errorf(ocf.ErrGeneric, "mariadb.service is %s: %s", state.Active, state.StatusText)
	}
}

// askDatabase gives the query half of the time, so that a server that hangs leaves
// enough to say so.
func (c *call) askDatabase(ctx context.Context) (Wsrep, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(deadline.Sub(c.clock.Now())/2, time.Millisecond))
		defer cancel()
	}
	return c.database.Status(ctx)
}

// judge is the verdict on a server that answers.
func (c *call) judge(ctx context.Context, st Wsrep) (ocf.Code, error) {
	if st.ClusterStatus != primary {
		status := st.ClusterStatus
		if status == "" {
			status = "none, wsrep is off"
		}
		if err := c.identify(ctx); err != nil {
			return 0, err
		}
		c.log.Error("local node <" + c.node + "> is started, but not in primary mode. Unknown state.")
		return 0, ocf.Errorf(ocf.ErrGeneric, "%s is started, but not in primary mode (wsrep_cluster_status=%s)", c.node, status)
	}
	if st.State != synced {
		c.log.Info("the server is in the primary component, but not synced", "wsrep_local_state", st.Comment)
	}
	if c.req.Probe() {
		// A running member that the cluster did not know of stays promoted.
		if err := c.adopt(ctx); err != nil {
			c.log.Warn("the promotion score could not be restored", "error", err)
		}
	}
	return ocf.RunningPromoted, nil
}

func (c *call) adopt(ctx context.Context) error {
	if err := c.identify(ctx); err != nil {
		return err
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return err
	}
	return c.update(ctx, differing(s, []crm.Change{c.score(c.node, promotable)})...)
}

// offline tells a started instance, which waits to be promoted, from a stopped or
// crashed one: the first has a report in the cluster.
func (c *call) offline(ctx context.Context) (ocf.Code, error) {
	if len(c.req.Problems) > 0 {
		return ocf.NotRunning, nil
	}
	if err := c.identify(ctx); err != nil {
		return 0, err
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	if s.Attribute(c.node, c.attribute(attrPosition)) == "" {
		return ocf.NotRunning, nil
	}
	if c.req.Probe() {
		return ocf.Success, nil
	}
	if err := c.ask(ctx, s); err != nil {
		c.log.Warn("the election could not be held; the next monitor tries again", "error", err)
	}
	return ocf.Success, nil
}

func (c *call) loginFailed(err error) error {
	c.log.Error("Unable to retrieve wsrep_cluster_status, verify check_user '" + c.checkUser + "'")
	return fmt.Errorf("the server does not let check_user in; verify check_user and check_passwd: %w", err)
}
