package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"holdfast/cib"
	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/pacemaker"
	"holdfast/crmbridge/qb"
)

// connection is what following a daemon needs of one.
type connection interface {
	Send(ctx context.Context, message []byte) error
	Receive(ctx context.Context) ([]byte, error)
	Event(ctx context.Context) (qb.Event, error)
}

var _ connection = (*qb.Conn)(nil)

// document is the copy of the CIB. It outlives connections, so that what changed while
// nobody listened can be told.
type document struct {
	copy *cib.Document
	told []cib.Fact  // by the copy before, which is gone
	was  cib.Version // of that copy
}

// follow keeps the copy current. A gap, or a copy that is not Pacemaker's any more, is
// a blind moment: the CIB is read anew, and the difference told.
func (d *document) follow(ctx context.Context, s *source, c connection) error {
	follower, err := asking(ctx, func(ctx context.Context) (*pacemaker.CIB, error) { return pacemaker.OpenCIB(ctx, c) })
	if err != nil {
		return err
	}
	for {
		if err := d.read(ctx, s, follower); err != nil {
			return err
		}
		err := d.apply(ctx, s, follower)
		if !errors.Is(err, pacemaker.ErrGap) && !stale(err) {
			return err
		}
		s.lost(ctx, err)
	}
}

// stale tells errors after which only a new copy helps.
func stale(err error) bool {
	return errors.Is(err, cib.ErrGap) || errors.Is(err, cib.ErrDiverged) || errors.Is(err, cib.ErrMalformed)
}

func (d *document) read(ctx context.Context, s *source, follower *pacemaker.CIB) error {
	if d.copy != nil { // a large CIB is not kept twice
		d.told, d.was, d.copy = d.copy.Told(), d.copy.Version(), nil
	}
	snapshot, err := asking(ctx, follower.Follow)
	if err != nil {
		return err
	}
	if d.copy, err = cib.New(snapshot.CIB); err != nil {
		return err
	}
	read := cibRead{version: snapshot.Version, another: another(d.was, d.told, d.copy)}
	if d.told == nil || read.another {
		read.facts, read.state = d.copy.Facts(), d.copy.State()
	} else {
		read.changes = d.copy.Since(d.told)
	}
	d.told = nil
	s.sight(ctx)
	s.say(ctx, snapshot.Asked, read)
	debug.FreeOSMemory() // it takes several times the memory of what is left of it
	return nil
}

func (d *document) apply(ctx context.Context, s *source, follower *pacemaker.CIB) error {
	for {
		p, err := follower.Next(ctx)
		if err != nil {
			return err
		}
		changes, err := d.copy.Apply(p.Diff)
		if err != nil {
			return err
		}
		s.say(ctx, p.Received, cibChanged{version: p.Target, client: p.Client, user: p.User, changes: changes})
	}
}

// followFencer asks for the history after every event: an event that says nothing else
// is how the begin of fencing shows.
func followFencer(ctx context.Context, s *source, c connection) error {
	f, err := asking(ctx, func(ctx context.Context) (*pacemaker.Fencer, error) { return pacemaker.OpenFencer(ctx, c) })
	if err != nil {
		return err
	}
	for e := (pacemaker.FencingEvent{Received: time.Now()}); ; {
		history, err := asking(ctx, f.History)
		if err != nil {
			return err
		}
		s.sight(ctx)
		s.say(ctx, e.Received, fencingSeen{ended: e.Ended, status: e.Status, reason: e.Reason, history: history})
		if e, err = f.Next(ctx); err != nil {
			return err
		}
	}
}

// followQuorum says first who the nodes are: the events only have their ids.
func followQuorum(ctx context.Context, s *source, c *qb.Conn, node string) error {
	settings, err := asking(ctx, corosyncSettings)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(settings.Nodes, func(n corosync.Node) bool { return n.Name == node }) {
		s.log.Warn("the cluster has no node of this name: say --node", "name", node, "nodes", settings.Nodes)
	}
	q, err := asking(ctx, func(ctx context.Context) (*corosync.Quorum, error) { return corosync.FollowQuorum(ctx, c) })
	if err != nil {
		return err
	}
	s.sight(ctx)
	s.say(ctx, time.Now(), settings)
	for {
		e, err := q.Next(ctx)
		if err != nil {
			return fmt.Errorf("follow Corosync's quorum: %w", err)
		}
		s.say(ctx, e.Received, e)
	}
}

func corosyncSettings(ctx context.Context) (corosync.Settings, error) {
	c, err := corosync.NewDialer().Dial(ctx, "cmap")
	if err != nil {
		return corosync.Settings{}, err
	}
	defer c.Close()
	return corosync.NewMap(c).Settings(ctx)
}

// asking bounds a question.
func asking[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return question(ctx)
}
