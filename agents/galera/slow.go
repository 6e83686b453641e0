package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"holdfast/ocf"
)

// What is shown of a server that did not answer the first question, until it does.
const (
	noAnswer     = "does not answer in time"
	noConnection = "all of its connections are in use"
	noDisk       = "its disk does not answer"
)

// verdictTime is kept of the monitor's time to say what was found.
const verdictTime = time.Second

// askWatching asks a server, and looks at its disk for as long as it does not answer.
func (c *call) askWatching(ctx context.Context) (st Wsrep, err error) {
	c.clock.During(diskLook, func() { c.lookAtDisk(ctx) }, func() { st, err = c.askDatabase(ctx) })
	return st, err
}

// lookAtDisk says whether the disk of a server that does not answer, or has no connection left, is
// stalled, and shows it once it is known: then the address moves without further questions.
func (c *call) lookAtDisk(ctx context.Context) bool {
	if now := c.clock.Now(); c.disk.due(now) && !c.disk.stalled {
		waits, quiet := c.server.DiskWaits(), c.quiet(ctx)
		if c.disk.look(now, waits, quiet) {
			c.showSoon(ctx, unfit(c.waitsSince(noDisk, waits, quiet)))
		}
	}
	return c.disk.stalled
}

// slowOrHung asks a server again that has not answered in time or has no connection left,
// for as long as the monitor may take: one that is only slow or busy must not be killed for it.
func (c *call) slowOrHung(ctx context.Context, first error) (ocf.Code, error) {
	asked := c.clock.Now()
	deadline, ok := ctx.Deadline()
	if !errors.Is(first, context.DeadlineExceeded) && !errors.Is(first, ErrBusy) || !ok {
		return 0, ocf.Errorf(ocf.ErrGeneric, "mariadb.service runs but does not answer%s: %w", c.wroteLast(ctx), first)
	}
	again, cancel := context.WithDeadline(ctx, deadline.Add(-verdictTime))
	defer cancel()
	st, err := c.askAgain(again, first)
	switch {
	case errors.Is(err, ErrBusy):
		return 0, ocf.Errorf(ocf.ErrGeneric, "mariadb.service hangs: none of its connections became free in %v: %w", c.clock.Now().Sub(asked), err)
	case err != nil:
		return 0, ocf.Errorf(ocf.ErrGeneric, "mariadb.service hangs: no answer, asked three times: %w", err)
	}
	c.log.Warn("the server is slow: it did not answer the first question", "after", c.clock.Now().Sub(asked))
	return c.judge(ctx, st, c.showLate)
}

// busyPause is between two tries to get a connection from a server that has none left.
const busyPause = 100 * time.Millisecond

// askAgain asks a server that gave err for an answer. The address moves when it is silent
// twice in a row, and each move is felt: a single question may have met a moment in which
// everything waited. One whose connections are all in use is alive, and keeps the address:
// the clients that hold them go on working, and a move would end every one of them. MariaDB
// keeps a connection for an administrator, which others hold for the moment in which they
// are refused. Only when its disk has stalled none of them goes on.
func (c *call) askAgain(ctx context.Context, err error) (st Wsrep, _ error) {
	for silent := 0; ; {
		switch {
		case errors.Is(err, ErrBusy):
			silent = 0
			if !c.lookAtDisk(ctx) {
				c.showLate(ctx, fit(noConnection))
			}
			if c.clock.Sleep(ctx, busyPause) != nil {
				return st, err
			}
			st, err = c.askWatching(ctx)
		case errors.Is(err, context.DeadlineExceeded) && silent == 0:
			silent++
			st, err = c.askWatching(ctx)
		case errors.Is(err, context.DeadlineExceeded) && silent == 1:
			silent++
			if !c.disk.stalled {
				c.showSoon(ctx, unfit(c.waitsSince(noAnswer, c.server.DiskWaits(), c.quiet(ctx))))
			}
			st, err = c.database.Status(ctx)
		default:
			return st, err
		}
	}
}

// showLate shows a remark on a server that did not answer the first question. That it did not
// answer is only taken back when it does: where the servers are all as slow, each would lose
// the address to one that has just been taken for well again.
func (c *call) showLate(ctx context.Context, r remark) {
	shown, err := c.files.Note(noteState)
	shown, _, _ = strings.Cut(strings.TrimPrefix(shown, unsure), lastWrite)
	if err == nil && !r.unfit && slices.Contains([]string{noAnswer, noConnection, noDisk}, shown) {
		return
	}
	c.showSoon(ctx, r)
}

// lastWrite is between what is shown of a server that waits for its disk, or that crashed, and when it
// last wrote (RFC 3339). crmbridge reads it: clients have waited since then, and nobody else can tell.
const lastWrite = ", and its last write was at "

// lastWriteLimit is how old a write may be that is taken for the last one before the disk stalled: a
// server that is seldom written to had written before.
const lastWriteLimit = 5 * time.Second

// lastWriteTime is what the question for it may take where the file system does not know it by heart.
const lastWriteTime = 100 * time.Millisecond

// waitsSince adds to a remark when the server last wrote, if some of its threads wait for a disk and it
// has been quiet for long enough. While it is only slow its log is written to.
func (c *call) waitsSince(words string, waits diskWaits, quiet time.Duration) string {
	if shown, err := c.files.Note(noteState); err == nil && strings.HasPrefix(strings.TrimPrefix(shown, unsure), words+lastWrite) {
		return strings.TrimPrefix(shown, unsure) // it is told, however long the disk stays away
	}
	if quiet < answerTime || len(waits) == 0 {
		return words
	}
	return words + wroteAt(c.clock.Now().Add(-quiet))
}

// wroteLast is what to add of a server that is dead, or just dying: it does not write any more, and the
// kernel needs a while to take its memory back until its end can be seen.
func (c *call) wroteLast(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, lastWriteTime)
	defer cancel()
	at, err := c.files.LastWrite(ctx)
	if err != nil || at.IsZero() {
		return ""
	}
	return wroteAt(at)
}

func wroteAt(at time.Time) string {
	return lastWrite + at.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// quiet is for how long the server has not written; 0 if that is not known, or for so long that it says
// nothing.
func (c *call) quiet(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, lastWriteTime)
	defer cancel()
	at, err := c.files.LastWrite(ctx)
	quiet := c.clock.Now().Sub(at)
	if err != nil || quiet < 0 || quiet > lastWriteLimit {
		return 0
	}
	return quiet
}
