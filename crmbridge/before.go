package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journal"
	"holdfast/crmbridge/journalctl"
	"holdfast/crmbridge/unit"
)

// before is what is known of the time before this program was started.
type before struct {
	// since is when it wrote its last entry, or zero if it never did.
	since time.Time
	// address is the node that had the address then, or "". alive is the last sign of life of this
	// machine: if it was off, the service may have been there until then.
	address string
	alive   time.Time
}

// lookBack finds out, from the journal, what was before. since is when the last entry was written. That
// something is not known then is logged: only the loss of all nodes is not told then.
func lookBack(ctx context.Context, node string, since time.Time, log *slog.Logger) before {
	b := before{since: since, alive: since}
	if since.IsZero() {
		return b
	}
	var err error
	if b.address, err = asking(ctx, func(ctx context.Context) (string, error) { return addressOf(ctx, node) }); err != nil {
		log.Warn("where the address was before is not known", "error", err)
	}
	if b.address == "" {
		return b
	}
	sign, err := asking(ctx, func(ctx context.Context) (time.Time, error) { return lastSign(ctx, since) })
	switch {
	case err != nil:
		log.Warn("until when this machine ran before is only known from the last entry", "error", err)
	case sign.After(b.alive):
		b.alive = sign
	}
	return b
}

// addressOf is the node that has the address by the newest record of a node, or "". One that had left the
// cluster in order when it wrote last does not know: what became of the address afterwards, only others saw.
func addressOf(ctx context.Context, node string) (string, error) {
	own, found, err := journal.NewestOf(ctx, node, incident.NodeChanged, incident.ShutdownRequested)
	if err != nil || !found || !takesPart(own) {
		return "", err
	}
	r, found, err := journal.NewestRecord(ctx, node)
	if err != nil || !found || r.Outcome == incident.Down || r.Outcome == incident.Halted {
		return "", err
	}
	return r.To, nil
}

// takesPart says whether by the newest event about itself a node was a full member of the cluster, and was not
// asked to leave it.
func takesPart(own incident.Event) bool {
	s := own.State
	return own.Kind == incident.NodeChanged && s.Member && s.Online && s.Join == joinMember && s.Expected == "member"
}

// lastSign is when something was last written to the journal before this machine was started; the
// zero time if nothing was, or if it was not started since an entry.
func lastSign(ctx context.Context, entry time.Time) (time.Time, error) {
	conn, err := unit.Connect(ctx)
	if err != nil {
		return time.Time{}, err
	}
	started, err := unit.Started(ctx, conn)
	if err := errors.Join(err, conn.Close()); err != nil || started.Before(entry) {
		return time.Time{}, err
	}
	line, _, err := journalctl.Before(ctx, started)
	if err != nil {
		return time.Time{}, fmt.Errorf("find the last sign of life from before %s: %w", started.Format(time.RFC3339), err)
	}
	return line.At, nil
}
