package main

import (
	"context"
	"errors"
	"time"

	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

// monitor tells the state (observe). Of a promoted database that failed the score goes as well.
func (c *call) monitor(ctx context.Context) (ocf.Code, error) {
	code, err := c.observe(ctx)
	// One that waits or joins (Success) has lost its score to what left it so.
	if c.promotedRole() && (err != nil || code != ocf.Success) {
		c.keepScore(ctx, err == nil && code == ocf.RunningPromoted)
	}
	return code, err
}

// promotedRole says whether this is the recurring monitor of the promoted role.
func (c *call) promotedRole() bool {
	role := c.req.Meta.Get("role")
	return !c.req.Probe() && (role == "Promoted" || role == "Master")
}

// withdrawTime is what telling the cluster may take of a monitor that has bad news.
const withdrawTime = time.Second

// showSoon shows a remark, or lets it be: the verdict does not wait for it.
func (c *call) showSoon(ctx context.Context, r remark) {
	ctx, cancel := context.WithTimeout(ctx, withdrawTime)
	defer cancel()
	c.show(ctx, r)
}

// requestTime is how long a change of the cluster that was only asked for may take, also on a node
// with far more work than it can do.
const requestTime = 10 * time.Second

// keepScore takes the score of a promoted database back that has failed, and restores it when
// the database is well again though nobody demoted it: a note says that this was done. A score
// that is gone without a note was taken away by somebody else, and stays so.
func (c *call) keepScore(ctx context.Context, well bool) {
	note, err := c.files.Note(noteWithdrawn)
	if err != nil {
		return
	}
	switch {
	case well && note != "":
		if err := c.restoreScore(ctx); err != nil {
			c.log.Warn("the promotion score could not be restored; the next monitor tries again", "error", err)
		}
	case !well && c.withdrawalOver(note):
		if err := c.withdrawScore(ctx); err != nil {
			c.log.Warn("the promotion score of a failed database stays until it is demoted", "error", err)
		}
	}
}

// withdrawalOver says whether a score that was taken back, as the note says, surely is gone by
// now, or never will be. Without a note there was none.
func (c *call) withdrawalOver(note string) bool {
	at, err := time.Parse(time.RFC3339, note)
	age := c.clock.Now().Sub(at)
	return err != nil || age < 0 || age >= requestTime
}

// withdrawScore takes the score of this node back. With a score Pacemaker would promote the same
// database again in the transition that recovers it, and what is ordered after the promotion,
// like the address, would wait until all of that is done; without one the address starts
// elsewhere at once (crm_simulate of Pacemaker 2.1.5).
//
// The score must not be gone before the result is there: Pacemaker would demote the database for
// want of a score, cancel this very monitor for it, and never learn that anything failed. Nor may it
// come much later: the database would be demoted before the address starts elsewhere, which a
// server that shuts down makes a second longer. So the change is handed over as the last thing
// before the process ends, and its effect is not waited for: it has to be told to all nodes and
// written to the CIB first, and the scheduler has to run, before anything is cancelled.
func (c *call) withdrawScore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
	defer cancel()
	if err := c.identify(ctx); err != nil {
		return err
	}
	if err := c.files.SaveNote(noteWithdrawn, c.clock.Now().UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	if err := c.cluster.Request(ctx, c.score(c.node, "")); err != nil { // the last thing that is done
		return errors.Join(err, c.files.SaveNote(noteWithdrawn, ""))
	}
	return nil
}

// restoreScore gives a member that is well its score. A withdrawal that is still under way would
// undo this: as long as it may be, the note stays, and the next monitor looks again.
func (c *call) restoreScore(ctx context.Context) error {
	if err := c.identify(ctx); err != nil {
		return err
	}
	note, err := c.files.Note(noteWithdrawn)
	if err != nil {
		return err
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return err
	}
	changes := differing(s, []crm.Change{c.score(c.node, promotable)})
	if len(changes) == 0 && !c.withdrawalOver(note) {
		return nil
	}
	if err := c.update(ctx, changes...); err != nil {
		return err
	}
	return c.files.SaveNote(noteWithdrawn, "")
}
