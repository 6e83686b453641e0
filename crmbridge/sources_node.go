package main

import (
	"context"
	"sync"
	"time"

	"holdfast/crmbridge/journalctl"
	"holdfast/crmbridge/kernel"
	"holdfast/crmbridge/unit"
)

func followUnits(ctx context.Context, s *source, names []string) error {
	conn, err := unit.Connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	f, err := asking(ctx, func(ctx context.Context) (*unit.Follower, error) { return unit.Follow(ctx, conn, names...) })
	if err != nil {
		return err
	}
	s.sight(ctx)
	for {
		state, err := f.Next(ctx)
		if err != nil {
			return err
		}
		s.say(ctx, state.Received, state)
	}
}

func followAddresses(ctx context.Context, s *source) error {
	a, err := kernel.FollowAddresses()
	if err != nil {
		return err
	}
	defer a.Close()
	asked := time.Now() // what is announced came after that
	now, err := kernel.CurrentAddresses()
	if err != nil {
		return err
	}
	s.sight(ctx)
	s.say(ctx, asked, addressesRead(now))
	for {
		address, err := a.Next(ctx)
		if err != nil {
			return err
		}
		s.say(ctx, address.Received, address)
	}
}

func followClock(ctx context.Context, s *source) error {
	steps, err := kernel.FollowSteps()
	if err != nil {
		return err
	}
	defer steps.Close()
	s.sight(ctx)
	for {
		step, err := steps.Next(ctx)
		if err != nil {
			return err
		}
		s.say(ctx, step.Received, step)
	}
}

// followJournal follows the words of programs: decisions and views that nobody tells in
// another way.
func followJournal(ctx context.Context, s *source, units []string) error {
	wanted := journalctl.Filter{Units: units, Identifiers: speakers(), Messages: []string{probeEntry}, Fields: []string{probeAnswer, probeAt, probeName}}
	remembering, cancel := context.WithTimeout(ctx, rememberTime)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() { s.remember(remembering, units) })
	return journalctl.Follow(ctx, wanted, func() { s.sight(ctx) }, func(l journalctl.Line) {
		s.say(ctx, time.Now(), l)
	})
}

// rememberTime is what looking for something in a long journal may take.
const rememberTime = 10 * time.Second

// remember tells what the database said of its settings when it started, which was before this
// program did. Without it, when a database fell silent is known less exactly, and nothing else.
func (s *source) remember(ctx context.Context, units []string) {
	l, found, err := journalctl.Newest(ctx, journalctl.Filter{Units: units, Identifiers: []string{"mariadbd"}}, gcsConfig)
	if err == nil && found {
		s.say(ctx, time.Now(), l)
	}
}
