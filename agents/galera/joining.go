package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

// A state transfer may take hours, and an action may not. Where a cluster runs already, start
// lets the server join it, and the monitor of the unpromoted instance gives the score when the
// server is synced; the promotion finds all done. The node is unpromoted meanwhile, so that
// nothing that needs a database is placed there.
//
// A node that had been started before there was a cluster joins it when it is promoted. After
// a while promote leaves the server joining: it takes the score back, Pacemaker demotes
// the node, and demote lets the server run. That is the second choice, because Pacemaker keeps
// no more than the last action and the last failure of a resource: after such a demotion an older
// failure of the monitor seems to be the last word, and the resource is stopped and started
// again (unpack_rsc_op in lib/pengine/unpack.c of 2.1.5: a start clears a failure, a demotion
// does not).

// errJoinGoesOn ends an action whose server is still joining.
var errJoinGoesOn = errors.New("the server is still joining the cluster")

// joinPatience is how long a promotion waits for a join. Pacemaker decides nothing new
// while an action is under way, and a failover would wait for the copy. It is not shorter, because
// nodes join by a promotion after an outage of everything, with failures that are fresh: a
// restart of one that has just joined may take the majority from the only one that serves.
// After two minutes such a failure has expired where failure-timeout is as holdfast-cluster sets it.
const joinPatience = 2 * time.Minute

// startPatience is the same for a start, which ends at once when another node is in trouble.
// While it lasts, "crm_resource --wait" and "pcs node unstandby --wait" wait as well: an operator
// who takes one node after another down must not take the next before this one is back.
const startPatience = 30 * time.Second

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

// everyNodeIsPromoted says whether a server that runs will be a promoted one. Where fewer may be
// promoted than there are instances, the unpromoted ones do not run, as with
// ocf:heartbeat:galera, and promote lets them join.
func (c *call) everyNodeIsPromoted() bool {
	return c.req.Meta.PromotedMax() >= c.req.Meta.CloneMax()
}

// startJoining lets the server join the cluster that runs.
func (c *call) startJoining(ctx context.Context, peer string, own report) (ocf.Code, error) {
	c.log.Info("joining the cluster", "peer", peer, "position", own.Position)
	if err := c.noteJoin(); err != nil {
		return 0, err
	}
	w := &watch{call: c, transfer: true, patience: startPatience, yields: true}
	err := c.run(ctx, Boot{Position: own.Text}, w)
	switch {
	case err == nil:
		c.log.Info("Galera started")
		return ocf.Success, c.stand(ctx)
	case errors.Is(err, errJoinGoesOn):
		return c.leaveJoining(ctx, w.doing)
	case errors.Is(err, errClusterGone):
		return c.giveUp(ctx)
	}
	// A start that fails bans the node at once (start-failure-is-fatal); a promotion that fails
	// does not. So the promotion tries again, and tells what is wrong if it still is.
	c.log.Warn("the server could not join the cluster; the promotion tries it again", "error", err)
	if err := c.reportInstead(ctx); err != nil {
		return 0, err
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	return ocf.Success, c.ask(ctx, s)
}

func (c *call) noteJoin() error {
	if err := c.files.SaveNote(noteJoining, c.clock.Now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("note that the server joins: %w", err)
	}
	return nil
}

// leaveJoining ends the action and not the join.
func (c *call) leaveJoining(ctx context.Context, doing string) (ocf.Code, error) {
	if err := c.noteJoin(); err != nil {
		return 0, err
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
	case err == nil && st.apart():
		return 0, c.startFailed(ctx, errClosed)
	case c.req.Probe():
		return ocf.Success, nil
	case !c.peerStays(ctx, s):
		return c.giveUp(ctx)
	}
	c.show(ctx, fit(fmt.Sprintf("joining since %s: %s", since, c.progress(ctx, state, st, err))))
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
func (c *call) progress(ctx context.Context, state UnitState, st Wsrep, err error) string {
	switch {
	case err == nil && st.Committed != "":
		return fmt.Sprintf("%s, at transaction %s", st.called(st.ClusterStatus), st.Committed)
	case state.StatusText != "":
		return state.StatusText + ", " + c.received(ctx)
	default:
		return c.received(ctx)
	}
}

// received is how much of a copy has come. It is worth no long wait.
func (c *call) received(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	size, err := c.files.Size(ctx)
	if err != nil {
		c.log.Warn("it is not known how much was received", "error", err)
		return "the file system of " + c.datadir + " does not answer"
	}
	return fmt.Sprintf("%d MB received", size/1_000_000)
}
