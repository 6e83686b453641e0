package main

import (
	"time"

	"holdfast/tests/chaos/outage"
)

// step is what a run does next.
type step int

const (
	carryOn        step = iota
	startFault          // the writes have been steady for --before
	finish              // the writes have been steady for --after, or --duration is over
	giveUpUnsteady      // --limit passed before the fault: never steady
	giveUpSilent        // --limit passed after the fault: not back
)

// course decides how a run goes on. It knows no clock: times are offsets from
// the start of the run.
type course struct {
	before, after, limit time.Duration
	duration             time.Duration // without a fault; 0 is without end
	hasFault             bool

	phase    phase
	started  time.Duration // of the fault
	returned time.Duration // of the fault command
}

type phase int

const (
	beforeFault phase = iota
	faultRunning
	afterFault
)

// faultStarted and faultReturned are told by the one who runs the command.
func (c *course) faultStarted(now time.Duration)  { c.phase, c.started = faultRunning, now }
func (c *course) faultReturned(now time.Duration) { c.phase, c.returned = afterFault, now }

// next looks at the writes so far.
func (c *course) next(now time.Duration, writes outage.Streak) step {
	switch {
	case !c.hasFault:
		if c.duration > 0 && now >= c.duration {
			return finish
		}
	case c.phase == beforeFault:
		if writes.Unbroken(0) >= c.before && writes.Silent(now) < writes.Threshold {
			return startFault
		}
		if now >= c.limit {
			return giveUpUnsteady
		}
	case c.phase == afterFault:
		// Counted from the command's return: before it, the fault may not have
		// begun to work.
		if writes.Unbroken(c.returned) >= c.after && writes.Silent(now) < writes.Threshold {
			return finish
		}
		// A service that came back just within the limit may still show that it
		// stays.
		silent := writes.Silent(now) >= writes.Threshold
		if over := now - c.returned; over >= c.limit && silent || over >= c.limit+c.after {
			return giveUpSilent
		}
	}
	return carryOn
}
