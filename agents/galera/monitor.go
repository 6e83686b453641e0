package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"holdfast/ocf"
)

// primary is the wsrep_cluster_status of a component that may take writes.
const primary = "Primary"

// disconnected is the wsrep_cluster_status of a server without a connection to any cluster.
const disconnected = "Disconnected"

// observe tells the state. While the server runs and answers, two questions on one
// connection are all it costs.
func (c *call) observe(ctx context.Context) (ocf.Code, error) {
	since, err := c.files.Note(noteJoining)
	if err != nil {
		c.log.Warn("it is not known whether the server is joining", "error", err)
	}
	if since != "" && len(c.req.Problems) == 0 {
		return c.monitorJoining(ctx, since)
	}
	// Looked at first: a question would only be answered by its time running out.
	if pid := c.server.Frozen(); pid != 0 {
		return 0, ocf.Errorf(ocf.ErrGeneric, "the database hangs: process %d is stopped by a signal", pid)
	}
	st, err := c.askWatching(ctx)
	switch {
	case err == nil && c.disk.stalled:
		return c.judge(ctx, st, c.showLate)
	case err == nil:
		return c.judge(ctx, st, c.show)
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
		return c.offline(ctx, state)
	case len(c.req.Problems) > 0:
		return 0, c.req.Problems[0]
	case state.Active == "active":
		return c.slowOrHung(ctx, err)
	case state.Active == "deactivating":
		return 0, ocf.Errorf(ocf.ErrGeneric, "mariadb.service is deactivating%s: %s", c.wroteLast(ctx), state.StatusText)
	default:
		return 0, ocf.Errorf(ocf.ErrGeneric, "mariadb.service is %s: %s", state.Active, state.StatusText)
	}
}

// answerTime is what a server that is well takes many times over to answer. One that takes longer is
// asked again (slowOrHung), and has twice as long until the address moves: clients feel each
// second of it, and each move as well.
const answerTime = time.Second

// askDatabase asks once, for at most half of the time that there is.
func (c *call) askDatabase(ctx context.Context) (Wsrep, error) {
	limit := answerTime
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, max(deadline.Sub(c.clock.Now())/2, time.Millisecond))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.database.Status(ctx)
}

// apartTime is how long a server may be outside of the primary component before the monitor
// says so: while the members change it is for a moment. And when this node has lost its quorum
// as well, Pacemaker is just about to cancel the monitor and to stop everything. A failure at that
// moment makes it lose the answer to the cancellation, for which it then waits for 90 s
// ("did not send cancel result", controller of 2.1.5).
const apartTime = time.Second

// lookAgainIfApart asks a server that is in no primary component until it is, or apartTime is over.
func (c *call) lookAgainIfApart(ctx context.Context, st Wsrep) Wsrep {
	for begin := c.clock.Now(); st.ClusterStatus != primary && c.clock.Now().Sub(begin) < apartTime; {
		if c.clock.Sleep(ctx, syncPause) != nil {
			return st
		}
		again, err := c.askDatabase(ctx)
		if err != nil {
			return st
		}
		st = again
	}
	return st
}

// judge is the verdict on a server that answers. Its condition is shown by show.
func (c *call) judge(ctx context.Context, st Wsrep, show func(context.Context, remark)) (ocf.Code, error) {
	if !c.req.Probe() {
		st = c.lookAgainIfApart(ctx, st)
	}
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
	if c.req.Probe() {
		// A running member that the cluster did not know of stays promoted.
		if err := c.restoreScore(ctx); err != nil {
			c.log.Warn("the promotion score could not be restored", "error", err)
		}
		// Pacemaker may have been away, and the attribute with it.
		return ocf.RunningPromoted, c.files.SaveNote(noteState, "")
	}
	if err := c.invite(ctx); err != nil {
		c.log.Warn("the nodes that wait are not told of the cluster; they will see it for themselves", "error", err)
	}
	show(ctx, c.condition(st))
	return ocf.RunningPromoted, nil
}

// offline tells a started instance, which waits to be promoted, from a stopped or
// crashed one: the first has a report in the cluster.
func (c *call) offline(ctx context.Context, state UnitState) (ocf.Code, error) {
	if len(c.req.Problems) > 0 {
		return ocf.NotRunning, nil
	}
	if err := c.identify(ctx); err != nil {
		return 0, err
	}
	version, nothingNew := c.lookAgain(ctx)
	if nothingNew {
		return ocf.Success, nil
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	if c.req.Probe() {
		if err := c.refuseStray(ctx); err != nil {
			return 0, err // it has to be stopped before the cluster's own may run
		}
	}
	if s.Attribute(c.node, c.attribute(attrPosition)) == "" {
		return c.unreported(ctx, state)
	}
	if c.req.Probe() {
		return ocf.Success, nil
	}
	if err := c.ask(ctx, s); err != nil {
		c.log.Warn("the election could not be held; the next monitor tries again", "error", err)
		return ocf.Success, nil
	}
	return ocf.Success, c.looked(version)
}

// unreported is the verdict on a node without a server and a report: it is stopped, or its server
// has crashed, unless a demotion has left the report to this monitor.
func (c *call) unreported(ctx context.Context, state UnitState) (ocf.Code, error) {
	since, err := c.files.Note(noteCrashed)
	if err != nil || since == "" || c.req.Probe() {
		return ocf.NotRunning, c.ending(ctx, state)
	}
	r, err := c.findPosition(ctx)
	if err != nil {
		return 0, err
	}
	c.log.Info("the database had crashed", "since", since, "position", r.Position)
	if err := c.update(ctx, c.publication(r)...); err != nil {
		return 0, err
	}
	return ocf.Success, c.files.SaveNote(noteCrashed, "")
}

// sureTime is how long a look at the cluster counts at most, whatever its version says.
const sureTime = 5 * time.Minute

// lookAgain tells the cluster's version, "" if it is not known, and whether a monitor has
// seen this very version and found nothing to do. What a monitor does follows from the
// cluster's state alone, and a look at all of it costs a process.
func (c *call) lookAgain(ctx context.Context) (version string, nothingNew bool) {
	if c.req.Probe() {
		return "", false
	}
	version, err := c.cluster.Version(ctx)
	if err != nil {
		c.log.Warn("it is not known whether the cluster has changed", "error", err)
		return "", false
	}
	note, err := c.files.Note(noteLooked)
	if err != nil {
		return version, false
	}
	seen, when, _ := strings.Cut(note, " ")
	at, err := time.Parse(time.RFC3339, when)
	age := c.clock.Now().Sub(at)
	return version, err == nil && seen == version && age >= 0 && age < sureTime
}

// looked remembers the version that was looked at: with an older one than that of the
// look, should it have changed meanwhile, so that the next monitor looks again.
func (c *call) looked(version string) error {
	if version == "" {
		return nil
	}
	return c.files.SaveNote(noteLooked, version+" "+c.clock.Now().UTC().Format(time.RFC3339))
}

// ending says how a server ended that should run; nil if nobody expects it to.
func (c *call) ending(ctx context.Context, state UnitState) error {
	switch {
	case c.req.Probe():
		return nil
	case state.Result == "" || state.Result == "success":
		return ocf.Errorf(ocf.NotRunning, "mariadb.service was stopped in order, but not by the cluster")
	default:
		return ocf.Errorf(ocf.NotRunning, "mariadb.service crashed (%s)%s; see journalctl -u mariadb", state.Result, c.wroteLast(ctx))
	}
}

func (c *call) loginFailed(err error) error {
	c.log.Error("Unable to retrieve wsrep_cluster_status, verify check_user '" + c.checkUser + "'")
	return fmt.Errorf("the server does not let check_user in; verify check_user and check_passwd: %w", err)
}
