package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/galera/wsrep"
	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

const (
	syncPause = 100 * time.Millisecond // between looks at a server that joins
	peerPause = 2 * time.Second        // between looks at the peers meanwhile
)

// How long a server that was to join may take to stop in order: it has written nothing that a
// kill could harm. One that does not answer yet may be waiting for a primary component in
// vain, and does not hear a SIGTERM then.
const (
	joinerGrace = 10 * time.Second
	silentGrace = 500 * time.Millisecond
)

// errClusterGone ends a join whose cluster has ceased to exist meanwhile.
var errClusterGone = errors.New("no other node is a member of the cluster any more")

// promote starts the server: as a member of the running cluster if there is one,
// else as its first member if this node was elected.
func (c *call) promote(ctx context.Context) (ocf.Code, error) {
	if err := c.validate(ctx, deepCheck); err != nil {
		return 0, err
	}
	if st, err := c.database.Status(ctx); err == nil && st.ClusterStatus == primary {
		return c.promotedAlready(ctx, st)
	}
	if c.joinGoesOn(ctx) {
		w := &watch{call: c, transfer: true, patience: joinPatience}
		return c.finish(ctx, w, c.awaitSynced(ctx, w))
	}
	if err := c.refuseRunning(ctx); err != nil {
		return 0, err
	}
	if err := c.dropTorn(ctx); err != nil {
		return 0, err
	}
	own, err := c.findPosition(ctx)
	if err != nil {
		return 0, err
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	if peer, ok := c.promotedPeer(s); ok {
		c.log.Info("joining the cluster", "peer", peer, "position", own.Position)
		w := &watch{call: c, transfer: true, patience: joinPatience}
		return c.finish(ctx, w, c.run(ctx, Boot{Position: own.Text}, w))
	}
	if !c.mayBootstrap(s, own) {
		return c.withdraw(ctx, s)
	}
	c.log.Info("Node <"+c.node+"> is bootstrapping the cluster", "position", own.Position)
	if err := c.markSafe(ctx, own); err != nil {
		return 0, err
	}
	w := &watch{call: c, newCluster: true}
	return c.finish(ctx, w, c.run(ctx, Boot{NewCluster: true, Position: own.bootstrapText()}, w))
}

// mayBootstrap is the last look before a cluster is made: only the operator's word
// or an election that still holds counts. An attribute from before does not.
func (c *call) mayBootstrap(s *crm.Status, own report) bool {
	switch s.Attribute(c.node, c.attribute(attrBootstrap)) {
	case "":
		return false
	case overrideValue:
		c.log.Warn("bootstrapping because the operator set "+c.attribute(attrBootstrap)+
			"=true: what other nodes have beyond this position is lost", "position", own.Position)
		return true
	}
	d, ok := c.stillElected(s, own)
	if !ok {
		c.log.Warn("this node was elected, but no longer: "+d.Verdict.String()+" "+d.Node, "reason", d.Reason)
	}
	return ok
}

// grastateVersion is the format of the file that Galera 4 writes (saved_state.cpp).
const grastateVersion = "2.1"

// withdraw gives the promotion up without failing it: there is nothing wrong with
// this node, and Pacemaker demotes it as soon as it sees the score gone.
func (c *call) withdraw(ctx context.Context, s *crm.Status) (ocf.Code, error) {
	c.log.Info("There is no running cluster to join, demoting ourself")
	changes := differing(s, []crm.Change{c.set(c.node, attrBootstrap, ""), c.score(c.node, "")})
	if err := c.update(ctx, changes...); err != nil {
		return 0, err
	}
	return ocf.Success, nil
}

// markSafe sets safe_to_bootstrap in grastate.dat if Galera needs it to start. A file
// that was deleted is written anew, as Galera has it beside a database that was
// interrupted: without it the cluster would begin a new history, which no other node
// could tell from that of another cluster, should this one be gone before they joined.
func (c *call) markSafe(ctx context.Context, own report) error {
	if own.NoGrastate && !own.Denied && own.Position.Known() {
		c.log.Info("writing the grastate.dat that is missing, because this node was elected", "position", own.Position)
		unknown := bootstrap.Position{UUID: own.Position.UUID, Seqno: -1}
		if err := c.files.MarkSafe(ctx, wsrep.State{Version: grastateVersion, Position: unknown}); err != nil {
			return fmt.Errorf("write grastate.dat: %w", err)
		}
		return nil
	}
	if own.State == nil || own.State.SafeToBootstrap || own.State.Position.None() {
		return nil
	}
	c.log.Info("setting safe_to_bootstrap: 1 in grastate.dat, because this node was elected")
	if err := c.files.MarkSafe(ctx, *own.State); err != nil {
		return fmt.Errorf("set safe_to_bootstrap in grastate.dat: %w", err)
	}
	return nil
}

// run starts the server and waits until it is a full member of the cluster, or until w has
// no patience left.
func (c *call) run(ctx context.Context, boot Boot, w *watch) error {
	if err := c.server.Prepare(ctx, c.launch()); err != nil {
		return err
	}
	// From here on this node's position is no longer true, and a bootstrap must
	// not happen twice: without a report no election can take place.
	if err := c.update(ctx, c.retraction()...); err != nil {
		return err
	}
	c.log.Info("starting mariadb.service", "new_cluster", boot.NewCluster, "start_position", boot.Position)
	err := c.server.Start(ctx, boot, w.look)
	switch {
	case err == nil:
		return c.awaitSynced(ctx, w)
	case errors.Is(err, errClusterGone), errors.Is(err, errJoinGoesOn):
		return err
	}
	return c.startFailed(ctx, err)
}

// finish is the end of a promotion whose server was started.
func (c *call) finish(ctx context.Context, w *watch, err error) (ocf.Code, error) {
	switch {
	case errors.Is(err, errClusterGone):
		return c.giveUp(ctx)
	case errors.Is(err, errJoinGoesOn):
		c.log.Warn("the join takes longer than a promotion may; it goes on, and the promotion is repeated when the server is synced", "state", w.doing)
		return c.leaveJoining(ctx, w.doing)
	case err != nil:
		return 0, err
	}
	c.log.Info("Galera started")
	if err := c.settled(); err != nil {
		return 0, err
	}
	if w.newCluster {
		if err := c.files.SaveNote(noteInvite, c.clock.Now().UTC().Format(time.RFC3339)); err != nil {
			c.log.Warn("the nodes that wait are not told of the cluster; they will see it for themselves", "error", err)
		}
	}
	return ocf.Success, c.stand(ctx)
}

// settled takes back what was noted of the time before this node was a member.
func (c *call) settled() error {
	return errors.Join(c.files.SaveNote(noteJoining, ""), c.files.SaveNote(noteParted, ""), c.files.SaveNote(noteWithdrawn, ""))
}

// awaitSynced tolerates a server that is not in the primary component yet: a
// joiner is not while it receives the write-sets that it missed.
func (c *call) awaitSynced(ctx context.Context, w *watch) error {
	for {
		doing := "the server does not answer yet"
		st, err := c.database.Status(ctx)
		switch {
		case err == nil && st.ClusterStatus == primary && st.State == synced:
			return nil
		case err == nil:
			doing = fmt.Sprintf("wsrep_cluster_status=%s wsrep_local_state_comment=%s", st.ClusterStatus, st.Comment)
			w.transfer = st.State == joining || st.State == joined
			if w.closed(st) {
				return c.startFailed(ctx, errClosed)
			}
		case errors.Is(err, ErrLogin):
			return c.loginFailed(err)
		case errors.Is(err, ErrNoServer):
			if u, err := c.server.State(ctx); err == nil && u.Down() {
				return c.startFailed(ctx, errors.New("mariadb.service ended while joining the cluster"))
			}
		}
		if err := w.look(ctx, doing); err != nil {
			return err
		}
		if err := c.clock.Sleep(ctx, syncPause); err != nil {
			return ocf.Errorf(ocf.ErrGeneric, "the database is not synced in time: %s", doing)
		}
	}
}

// giveUp stops a server that was to join a cluster which is gone. Galera would
// wait for the members of its last view for ever, and they wait for this node's
// position.
func (c *call) giveUp(ctx context.Context) (ocf.Code, error) {
	c.log.Warn("the cluster that this node was joining is gone; reporting for an election instead")
	return ocf.Success, c.reportInstead(ctx)
}

// reportInstead stops a server that was to join and publishes the position, as if it had not
// been started.
func (c *call) reportInstead(ctx context.Context) error {
	grace := joinerGrace
	if _, err := c.database.Status(ctx); errors.Is(err, ErrNoServer) {
		grace = silentGrace
	}
	if _, err := c.server.Stop(ctx, grace); err != nil {
		return err
	}
	if err := c.files.SaveNote(noteJoining, ""); err != nil {
		return err
	}
	r, err := c.findPosition(ctx)
	if err != nil {
		return err
	}
	c.show(ctx, remark{})
	return c.update(ctx, append([]crm.Change{c.score(c.node, "")}, c.publication(r)...)...)
}

// startFailed finds the sentence that says why, within what is left of the time.
func (c *call) startFailed(ctx context.Context, err error) error {
	c.log.Error("mariadb.service did not start", "error", err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), causeTime)
	defer cancel()
	if cause := c.server.Cause(ctx); cause != "" {
		return &ocf.Error{Code: ocf.ErrGeneric, Reason: "mariadb: " + cause, Err: err}
	}
	return err
}

// causeTime is what looking for the cause of a failure may take, also when the
// action's time is over: ocf keeps a second back.
const causeTime = 700 * time.Millisecond

// stand gives this node its score.
func (c *call) stand(ctx context.Context) error {
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return err
	}
	c.show(ctx, remark{})
	return c.update(ctx, differing(s, []crm.Change{c.score(c.node, promotable)})...)
}

// invite gives a score to a node that waits started for a cluster which this one has
// bootstrapped. It is the first monitors' business and not the promotion's: what is ordered
// after the promotion, like the address, would be ordered after theirs too. And it is one node
// at a time: two that join a single one at once may take each other's connections for
// a partition, in which that one has no majority (gcomm, about 1 s). A node that is not
// invited sees the cluster at its own next monitor.
func (c *call) invite(ctx context.Context) error {
	if since, err := c.files.Note(noteInvite); err != nil || since == "" {
		return err
	}
	if err := c.identify(ctx); err != nil {
		return err
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return err
	}
	next, joining := c.waiting(s)
	switch {
	case joining:
		return nil
	case next == "":
		return c.files.SaveNote(noteInvite, "")
	}
	c.log.Info("the cluster runs; another node may join it", "node", next)
	return c.update(ctx, c.score(next, promotable))
}

// waiting finds a node that waits for a cluster, and whether one is just joining it. A
// node reports as long as it waits.
func (c *call) waiting(s *crm.Status) (next string, joining bool) {
	for _, i := range s.Active(c.resource) {
		switch scored := s.Attribute(i.Node, crm.ScoreName(c.resource)) != ""; {
		case i.Promoted || i.Node == c.node || !slices.Contains(c.nodes, i.Node):
		case scored:
			joining = true
		case s.Attribute(i.Node, c.attribute(attrPosition)) != "":
			next = i.Node
		}
	}
	return next, joining
}

// promotedAlready makes promote idempotent.
func (c *call) promotedAlready(ctx context.Context, st Wsrep) (ocf.Code, error) {
	if st.State != synced {
		if err := c.awaitSynced(ctx, &watch{call: c, newCluster: true}); err != nil {
			return 0, err
		}
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	if err := c.settled(); err != nil {
		return 0, err
	}
	changes := append(c.retraction(), c.score(c.node, promotable))
	if err := c.update(ctx, differing(s, changes)...); err != nil {
		return 0, err
	}
	return ocf.Success, nil
}
