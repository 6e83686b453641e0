package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/ocf"
)

// demote stops the server and publishes the position at which it stopped. It takes
// the score back, so that no promotion follows before an election.
func (c *call) demote(ctx context.Context) (ocf.Code, error) {
	if err := c.identify(ctx); err != nil {
		return 0, err
	}
	if c.joinGoesOn(ctx) {
		return ocf.Success, c.files.SaveNote(noteWithdrawn, "")
	}
	crashed := c.crashed(ctx)
	parted := c.twoNode && c.isParted(ctx)
	if err := c.stopServer(ctx); err != nil {
		return 0, err
	}
	if err := c.update(ctx, append(c.retraction(), c.score(c.node, ""))...); err != nil {
		return 0, err
	}
	if crashed {
		if err := c.files.SaveNote(noteCrashed, c.clock.Now().UTC().Format(time.RFC3339)); err != nil {
			return 0, fmt.Errorf("note that the position is not known yet: %w", err)
		}
		c.log.Info("the database has crashed; its position is found when it is started again")
		return ocf.Success, nil
	}
	r, err := c.findPosition(ctx)
	if err != nil {
		return 0, err
	}
	if parted {
		r.Interrupted = true
		if err := c.files.SaveNote(noteParted, r.Position.String()); err != nil {
			c.log.Warn("it could not be kept that this node was apart from the others", "error", err)
		}
	}
	if err := c.update(ctx, c.publication(r)...); err != nil {
		return 0, err
	}
	c.log.Info("the database is stopped", "position", r.Position, "safe_to_bootstrap", r.Safe)
	return ocf.Success, nil
}

// crashed says whether a server has ended, and in no order, since it was last looked after. A
// demotion need not find its position then: a failure is behind it, so that a stop and a start
// follow, and the address, which may start elsewhere when the demotion is over, waits. Should they not
// follow, the next monitor finds it (offline).
func (c *call) crashed(ctx context.Context) bool {
	state, err := c.server.State(ctx)
	if err != nil || !state.Down() {
		return false
	}
	if text, err := c.files.Note(noteRecovered); err != nil || text != "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	grastate, _, err := c.grastate(ctx)
	return err == nil && grastate != nil && !grastate.Clean()
}

// lookTime is what looking at a file may take that is only wanted to spare time.
const lookTime = 2 * time.Second

// partedTime is what asking a server that is to stop anyway may take.
const partedTime = 2 * time.Second

// isParted says whether the server runs without being in the primary component.
func (c *call) isParted(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, partedTime)
	defer cancel()
	st, err := c.database.Status(ctx)
	return err == nil && st.ClusterStatus == "non-Primary"
}

// stop ends everything, whatever the parameters say. It succeeds only if nothing
// runs any more; what the cluster shows is secondary to that.
func (c *call) stop(ctx context.Context) (ocf.Code, error) {
	for _, problem := range c.req.Problems {
		c.log.Warn("stopping in spite of a wrong parameter", "problem", problem)
	}
	if err := c.stopServer(ctx); err != nil {
		return 0, err
	}
	released, err := c.server.Release(ctx)
	if err != nil {
		c.log.Warn("the configuration of mariadb.service stays behind", "error", err)
	}
	if err := c.forget(ctx); err != nil {
		c.log.Warn("this node's attributes stay behind", "error", err)
	}
	if err := released(); err != nil {
		c.log.Warn("systemd has not read its configuration again; run: systemctl daemon-reload", "error", err)
	}
	return ocf.Success, nil
}

func (c *call) forget(ctx context.Context) error {
	if err := c.identify(ctx); err != nil {
		return err
	}
	return c.update(ctx, append(c.retraction(), c.score(c.node, ""))...)
}

// stopServer stops the server in order, and kills it when that takes so long that
// Pacemaker would otherwise give up and fence the node.
func (c *call) stopServer(ctx context.Context) error {
	killed, err := c.server.Stop(ctx, c.stopGrace(ctx))
	if killed != "" {
		c.log.Warn("the database was killed, as if it had crashed: " + killed)
	}
	if err != nil && !errors.Is(err, ErrNoUnit) {
		return fmt.Errorf("the database may still run: %w", err)
	}
	var errs []error
	for _, note := range []string{noteJoining, noteState, noteLooked, noteWithdrawn, noteCrashed} {
		errs = append(errs, c.files.SaveNote(note, ""))
	}
	return errors.Join(errs...)
}

// stopGrace is how long this server may take to stop in order. One that is still joining may
// not hear a SIGTERM while it receives write-sets (MariaDB 10.11), and a kill harms it no more
// than an order: what it received is in InnoDB, or is copied again.
func (c *call) stopGrace(ctx context.Context) time.Duration {
	grace := c.grace(ctx)
	since, err := c.files.Note(noteJoining)
	state, stateErr := c.server.State(ctx)
	if err == nil && since != "" || stateErr == nil && state.Active == "activating" {
		return min(grace, joinerGrace)
	}
	return grace
}

// killShare is kept of the time for a stop to kill the server and see it gone.
const killShare = 10 * time.Second

// grace is how long the server may take to stop in order.
func (c *call) grace(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Hour
	}
	left := deadline.Sub(c.clock.Now())
	return left - min(killShare, left/4)
}
