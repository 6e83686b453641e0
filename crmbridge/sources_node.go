package main

import (
	"context"
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
	return journalctl.Follow(ctx, wanted, func() { s.sight(ctx) }, func(l journalctl.Line) {
		s.say(ctx, time.Now(), l)
	})
}
