package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

// A state transfer may take hours, and a promotion may not. After a while promote leaves
// the server joining: it takes the score back, so that Pacemaker
// demotes the node, demote lets the server run, and the monitor of the unpromoted
// instance gives the score when the server is synced. The node is unpromoted
// meanwhile, so that nothing that needs a database is placed there.

// errJoinGoesOn ends a promotion whose server is still joining.
var errJoinGoesOn = errors.New("the server is still joining the cluster")

// joinPatience is how long a promotion waits for a join. Pacemaker decides nothing new
// while an action is under way: a failover, and after an outage of everything the address
// itself, would wait for the copy.
const joinPatience = 10 * time.Second

// joinReserve is what promote keeps of its time to leave the join in order.
const joinReserve = 15 * time.Second

// timeIsUp says whether it is time to leave the join to the monitor.
func (c *call) timeIsUp(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false
	}
	left := deadline.Sub(c.clock.Now())
	return left < min(joinReserve, c.req.Meta.Timeout()/4)
}

// leaveJoining ends the promotion and not the join.
func (c *call) leaveJoining(ctx context.Context, doing string) (ocf.Code, error) {
	c.log.Warn("the join takes longer than the promotion may; it goes on, and the promotion is repeated when the server is synced", "state", doing)
	if err := c.files.SaveNote(noteJoining, c.clock.Now().UTC().Format(time.RFC3339)); err != nil {
		return 0, fmt.Errorf("note that the server goes on joining: %w", err)
	}
	if err := c.update(ctx, c.score(c.node, "")); err != nil {
		return 0, err
	}
	c.show(ctx, fit("joining: "+doing))
	return ocf.Success, nil
}

// joinGoesOn says whether a demotion is the one that leaveJoining asked for.
func (c *call) joinGoesOn(ctx context.Context) bool {
	since, err := c.files.Note(noteJoining)
	if err != nil || since == "" {
		return false
	}
	state, err := c.server.State(ctx)
	return err == nil && !state.Down()
}

// monitorJoining watches a server that joins in the unpromoted role.
func (c *call) monitorJoining(ctx context.Context, since string) (ocf.Code, error) {
	if err := c.identify(ctx); err != nil {
		return 0, err
	}
	state, err := c.server.State(ctx)
	if err != nil {
		return 0, err
	}
	if state.Down() {
		return 0, c.startFailed(ctx, errors.New("mariadb.service ended while joining the cluster"))
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	st, err := c.askDatabase(ctx)
	switch {
	case err == nil && st.ClusterStatus == primary && st.State == synced:
		return c.joinedAtLast(ctx, s)
	case errors.Is(err, ErrLogin):
		return 0, c.loginFailed(err)
	case err == nil && st.ClusterStatus == disconnected:
		return 0, c.startFailed(ctx, errClosed)
	case c.req.Probe():
		return ocf.Success, nil
	case !c.peerStays(ctx, s):
		return c.giveUp(ctx)
	}
	c.show(ctx, fit(fmt.Sprintf("joining since %s: %s", since, c.progress(state, st, err))))
	return ocf.Success, nil
}

func (c *call) joinedAtLast(ctx context.Context, s *crm.Status) (ocf.Code, error) {
	c.show(ctx, remark{})
	changes := differing(s, []crm.Change{c.score(c.node, promotable)})
	if len(changes) > 0 {
		c.log.Info("the server is synced; this node may be promoted")
	}
	if err := c.update(ctx, changes...); err != nil {
		return 0, err
	}
	return ocf.Success, nil
}

// peerStays looks twice, because one look may fall between two states of the cluster.
func (c *call) peerStays(ctx context.Context, s *crm.Status) bool {
	for look := 1; ; look++ {
		if _, ok := c.promotedPeer(s); ok {
			return true
		}
		if look == aloneLimit || c.clock.Sleep(ctx, peerPause) != nil {
			return false
		}
		again, err := c.cluster.Status(ctx)
		if err != nil {
			c.log.Warn("the peers could not be watched", "error", err)
			return true
		}
		s = again
	}
}

// progress is what a joining server is doing and how far it is.
func (c *call) progress(state UnitState, st Wsrep, err error) string {
	switch {
	case err == nil && st.Committed != "":
		return fmt.Sprintf("%s, at transaction %s", st.called(st.ClusterStatus), st.Committed)
	case state.StatusText != "":
		return fmt.Sprintf("%s, %s received", state.StatusText, megabytes(c.files.Size()))
	default:
		return megabytes(c.files.Size()) + " received"
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n/1_000_000) }
