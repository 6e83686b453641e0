package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/pacemaker"
	"holdfast/crmbridge/qb"
)

// How long a source waits until it tries again, where nobody tells it when to.
const (
	firstRetry   = 50 * time.Millisecond
	longestRetry = 2 * time.Second
	// askTimeout bounds every question to a daemon: one that hangs is as good as gone.
	askTimeout = 30 * time.Second
	// queueBytes is how much of Pacemaker's news may wait for a slow disk, in bytes, before
	// Pacemaker itself has to wait, and at last disconnects us: then it is said.
	queueBytes = 2 << 20
)

// sources are all that the daemon listens to.
type sources struct {
	node  string
	units []string // systemd's
	out   chan<- observation
	log   *slog.Logger
}

// source is where one source's observations go, and whether it sees.
type source struct {
	name sourceName
	out  chan<- observation
	log  *slog.Logger

	mu    sync.Mutex
	sees  bool
	since time.Time // when it became blind; zero if it has never seen
}

// run follows everything until ctx ends.
func (s *sources) run(ctx context.Context) error {
	dialer, err := pacemaker.NewDialer()
	if err != nil {
		return err
	}
	dialer.QueueBytes = queueBytes
	var wg sync.WaitGroup
	follow := func(name sourceName, serve func(context.Context, *source) error) {
		wg.Go(func() { keep(ctx, &source{name: name, out: s.out, log: s.log}, serve) })
	}
	followQB := func(name sourceName, d *qb.Dialer, service string, serve func(context.Context, *source, *qb.Conn) error) {
		wg.Go(func() {
			src := &source{name: name, out: s.out, log: s.log}
			_ = d.Keep(ctx, service, func(ctx context.Context, c *qb.Conn) error { return serve(ctx, src, c) },
				func(err error) { src.lost(ctx, err) }) // it ends with ctx
		})
	}
	document := &document{}
	followQB(sourceCIB, dialer, pacemaker.ServiceCIB, func(ctx context.Context, src *source, c *qb.Conn) error { return document.follow(ctx, src, c) })
	followQB(sourceFencer, dialer, pacemaker.ServiceFencer, func(ctx context.Context, src *source, c *qb.Conn) error { return followFencer(ctx, src, c) })
	followQB(sourceQuorum, corosync.NewDialer(), "quorum", func(ctx context.Context, src *source, c *qb.Conn) error { return followQuorum(ctx, src, c, s.node) })
	follow(sourceUnits, func(ctx context.Context, src *source) error { return followUnits(ctx, src, s.units) })
	follow(sourceAddresses, followAddresses)
	follow(sourceClock, followClock)
	follow(sourceJournal, func(ctx context.Context, src *source) error { return followJournal(ctx, src, s.units) })
	wg.Wait()
	return context.Cause(ctx)
}

// keep serves a source again and again until ctx ends.
func keep(ctx context.Context, s *source, serve func(context.Context, *source) error) {
	pause := firstRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := serve(ctx, s)
		if ctx.Err() != nil {
			return
		}
		s.lost(ctx, err)
		if time.Since(began) > longestRetry {
			pause = firstRetry
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longestRetry)
	}
}

// say gives on an observation. It blocks while the daemon is busy: what comes
// meanwhile waits in the transport.
func (s *source) say(ctx context.Context, received time.Time, what any) {
	select {
	case s.out <- observation{s.name, received, what}:
	case <-ctx.Done():
	}
}

// sight says that the source sees now, if it did not.
func (s *source) sight(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sees {
		return
	}
	s.sees = true
	s.say(ctx, time.Now(), seeing{since: s.since})
}

// lost says that the source sees nothing any more, once until it does again.
func (s *source) lost(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sees && !s.since.IsZero() || errors.Is(err, context.Canceled) {
		return
	}
	s.log.Warn("cannot follow", "source", s.name, "error", err)
	s.sees, s.since = false, time.Now()
	s.say(ctx, s.since, blind{reason: err.Error()})
}
