package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/galera/wsrep"
	"holdfast/ocf"
)

func formatSeqno(p bootstrap.Position) string { return strconv.FormatInt(p.Seqno, 10) }

// findPosition tells how far the data of this node got. The server must not run.
func (c *call) findPosition(ctx context.Context) (report, error) {
	dropped, err := c.files.DropEmptyView()
	if err != nil {
		return report{}, fmt.Errorf("delete the empty gvwstate.dat: %w", err)
	}
	if dropped {
		c.log.Warn("deleted an empty gvwstate.dat, with which Galera would not start")
	}
	state, err := c.grastate()
	if err != nil {
		return report{}, err
	}
	if state != nil && state.Clean() {
		return report{Position: state.Position, Safe: state.SafeToBootstrap, State: state}, nil
	}
	rec, err := c.recovered(ctx)
	if err != nil {
		return report{}, err
	}
	r := assess(state, rec)
	c.log.Info("the position was recovered, because the database was not stopped in order or is new",
		"position", r.Position, "grastate_usable", !r.NoGrastate)
	return r, nil
}

// assess weighs a recovered position against what grastate.dat says after a crash.
// Galera goes on from a recovered position only if grastate.dat names the same
// history (replicator_smm.cpp, "non-trivial recovery information"); a zero uuid
// there is Galera's own mark of data that it does not vouch for.
func assess(state *wsrep.State, rec wsrep.Recovered) report {
	r := report{Position: rec.Position, State: state}
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

// grastate is nil if there is no usable file.
func (c *call) grastate() (*wsrep.State, error) {
	data, err := c.files.Grastate()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read grastate.dat: %w", err)
	}
	state, err := wsrep.ParseState(data)
	if err != nil {
		c.log.Warn("grastate.dat is not usable and counts as missing", "error", err)
		return nil, nil
	}
	return &state, nil
}

// recovered asks the server for its position, once for each time that it ran.
func (c *call) recovered(ctx context.Context) (wsrep.Recovered, error) {
	if text, err := c.files.Recovered(); err == nil && text != "" {
		if rec, err := wsrep.ParseRecoveredText(text); err == nil {
			return rec, nil
		}
	}
	log, err := c.server.Recover(ctx, c.launch())
	var rec wsrep.Recovered
	if err == nil {
		rec, err = wsrep.ParseRecovered(log)
	}
	if err != nil {
		return rec, c.recoveryFailed(log, err)
	}
	if err := c.files.SaveRecovered(rec.Text); err != nil {
		c.log.Warn("the recovered position could not be kept; it will be recovered again", "error", err)
	}
	return rec, nil
}

func (c *call) recoveryFailed(log string, err error) error {
	c.log.Error("Unable to detect last known write sequence number", "error", err)
	if cause := causeIn(log); cause != "" {
		return &ocf.Error{Code: ocf.ErrGeneric, Reason: "no position from the database: " + cause, Err: err}
	}
	return fmt.Errorf("no position from the database: %w", err)
}
