package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/galera/wsrep"
	"holdfast/ocf"
)

func formatSeqno(p bootstrap.Position) string { return strconv.FormatInt(p.Seqno, 10) }

// findPosition tells how far the data of this node got. The server must not run.
func (c *call) findPosition(ctx context.Context) (report, error) {
	state, found, err := c.grastate(ctx)
	if err != nil {
		return report{}, err
	}
	if state != nil && state.Clean() {
		return report{Position: state.Position, Safe: state.SafeToBootstrap, State: state, Interrupted: c.parted(state.Position)}, nil
	}
	rec, rolledBack, err := c.recovered(ctx)
	if err != nil {
		return report{}, err
	}
	if rolledBack {
		state, found = nil, false
	}
	r := assess(state, rec)
	r.Denied = r.NoGrastate && found
	c.log.Info("the position was recovered, because the database was not stopped in order or is new",
		"position", r.Position, "grastate_usable", !r.NoGrastate)
	return r, nil
}

// dropTorn makes room for a start. What only stops a server leaves a torn file alone: where
// the file system is frozen, deleting it would keep the agent from ending.
func (c *call) dropTorn(ctx context.Context) error {
	dropped, err := c.files.DropTorn(ctx)
	for _, name := range dropped {
		c.log.Warn("deleted a file that was never finished and holds nothing, because the server would not start with it", "file", name)
	}
	return err
}

// assess weighs a recovered position against what grastate.dat says after a crash.
// Galera goes on from a recovered position only if grastate.dat names the same
// history (replicator_smm.cpp, "non-trivial recovery information"); a zero uuid
// there is Galera's own mark of data that it does not vouch for.
func assess(state *wsrep.State, rec wsrep.Recovered) report {
	r := report{Position: rec.Position, State: state, recovered: rec.Text}
	switch {
	case state == nil || state.Position.None() || state.Position.UUID != rec.Position.UUID:
		r.NoGrastate = true
	default:
		r.Text = rec.Text
		// seqno -1 beside a uuid is what a running member has there (Galera's
		// saved_state.cpp): it ended as one.
		r.Interrupted = true
	}
	if rec.Position.None() && state != nil && !state.Position.None() {
		r.Position = state.Position // a history, but nobody knows how much of it
	}
	return r
}

// grastate is nil if there is no usable file; found says whether there is any.
func (c *call) grastate(ctx context.Context) (state *wsrep.State, found bool, err error) {
	data, err := c.files.Grastate(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read grastate.dat: %w", err)
	}
	s, err := wsrep.ParseState(data)
	if err != nil {
		c.log.Warn("grastate.dat is not usable: nobody knows what it said of the data", "error", err)
		return nil, true, nil
	}
	return &s, true, nil
}

// parted says whether the server was stopped in order at p, but while it was no member
// of the primary component: as with a crash, nobody went on without it knowingly.
func (c *call) parted(p bootstrap.Position) bool {
	text, err := c.files.Note(noteParted)
	return err == nil && text == p.String()
}

// recovered asks the server for its position, once for each time that it ran.
func (c *call) recovered(ctx context.Context) (rec wsrep.Recovered, rolledBack bool, err error) {
	if text, err := c.files.Note(noteRecovered); err == nil && text != "" {
		if rec, err := wsrep.ParseRecoveredText(text); err == nil {
			return rec, false, nil
		}
	}
	rec, log, err := c.recover(ctx, c.launch())
	if err != nil && strings.Contains(log, preparedTransactions) {
		rec, log, err = c.rollBack(ctx)
		rolledBack = err == nil
	}
	if err != nil {
		return rec, false, c.recoveryFailed(log, err)
	}
	if err := c.files.SaveNote(noteRecovered, rec.Text); err != nil {
		c.log.Warn("the recovered position could not be kept; it will be recovered again", "error", err)
	}
	return rec, rolledBack, nil
}

func (c *call) recover(ctx context.Context, launch Launch) (wsrep.Recovered, string, error) {
	log, err := c.server.Recover(ctx, launch)
	if err != nil {
		return wsrep.Recovered{}, log, err
	}
	rec, err := wsrep.ParseRecovered(log)
	return rec, log, err
}

// preparedTransactions is in the log of a server that was killed between the two
// phases of a commit, and has lost the log that says how they ended (sql/log.cc,
// "Found %d prepared transactions!").
const preparedTransactions = "prepared transactions!"

// rollBack ends transactions that nobody can complete, as ocf:heartbeat:galera does.
// They were not acknowledged here, but the cluster may have committed them: the node
// loses its grastate.dat, so that Galera fetches a whole copy rather than go on from
// data that may lack something, and so that no election trusts its position.
func (c *call) rollBack(ctx context.Context) (wsrep.Recovered, string, error) {
	c.log.Warn("local node <" + c.node + "> was not shutdown properly. Rollback stuck transaction with --tc-heuristic-recover")
	if err := c.files.DropGrastate(ctx); err != nil {
		return wsrep.Recovered{}, "", fmt.Errorf("delete grastate.dat: %w", err)
	}
	launch := c.launch()
	launch.Args = append(launch.Args, "--tc-heuristic-recover=ROLLBACK")
	rec, log, err := c.recover(ctx, launch)
	if errors.Is(err, wsrep.ErrNotReported) || err != nil && !strings.Contains(log, preparedTransactions) {
		return c.recover(ctx, c.launch()) // it ends after the rollback without a position
	}
	return rec, log, err
}

func (c *call) recoveryFailed(log string, err error) error {
	c.log.Error("Unable to detect last known write sequence number", "error", err)
	if cause := causeIn(log); cause != "" {
		return &ocf.Error{Code: ocf.ErrGeneric, Reason: "no position from the database: " + cause, Err: err}
	}
	return fmt.Errorf("no position from the database: %w", err)
}
