package main

import (
	"context"
	"errors"
	"time"

	"holdfast/ocf"
)

// monitor tells the state (observe). Of a promoted database that failed the score goes as well.
func (c *call) monitor(ctx context.Context) (ocf.Code, error) {
	code, err := c.observe(ctx)
	if c.promotedRole() {
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

// keepScore takes the score of a promoted database back that has failed, and restores it when
// the database is well again though nobody demoted it. With a score Pacemaker would promote
// the same database again in the transition that recovers it, and what is ordered after the
// promotion, like the address, would wait until all of that is done; without one the address
// starts elsewhere at once (crm_simulate of Pacemaker 2.1.5).
//
// The score must not be gone before the result is there: Pacemaker would demote the database for
// want of a score, cancel this very monitor for it, and never learn that anything failed. So the
// change is only asked for. What makes it needs longer to begin than this process to end, and if
// it did not, the database would be demoted all the same.
func (c *call) keepScore(ctx context.Context, well bool) {
	withdrawn, err := c.files.Note(noteWithdrawn)
	switch {
	case err != nil || well == (withdrawn == ""):
		return
	case well:
		if err := c.adopt(ctx); err != nil {
			c.log.Warn("the promotion score could not be restored; the next monitor tries again", "error", err)
			return
		}
		err = c.files.SaveNote(noteWithdrawn, "")
	default:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
		defer cancel()
		err = errors.Join(c.identify(ctx), c.files.SaveNote(noteWithdrawn, c.clock.Now().UTC().Format(time.RFC3339)))
		if err == nil {
			err = c.cluster.Request(c.score(c.node, "")) // the last thing that is done
		}
	}
	if err != nil {
		c.log.Warn("the promotion score of a failed database stays until it is demoted", "error", err)
	}
}
