package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/load"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/outage"
)

// lookEvery is how often the course of a run is decided when no write is answered.
const lookEvery = 20 * time.Millisecond

// failureClass is a class of failures and what it means for the writes.
type failureClass struct {
	class   mariadb.Class
	verdict ledger.Verdict
}

// session is one run: the writes, the fault, and everything that was seen. One
// goroutine owns it.
type session struct {
	opt    options
	name   string
	server *mariadb.Server
	screen *screen
	file   io.Writer // of the ledger; nil without

	origin     time.Time
	course     course
	transcript transcript
	streak     outage.Streak
	ledger     ledger.Ledger
	answers    []outage.Answer
	failures   map[failureClass]int
	latest     time.Duration // by which the schedule was missed at most
	end        time.Duration // of the last attempt

	faultCommand []string
	faultDone    chan error
	faultErr     error
	fileErr      error
	broken       error // why the run ended before its course was over
}

func newSession(opt options, name string, server *mariadb.Server, scr *screen, file io.Writer) *session {
	return &session{
		opt: opt, name: name, server: server, screen: scr, file: file,
		course: course{
			before: opt.before, after: opt.after, limit: opt.limit,
			duration: opt.duration, hasFault: len(opt.fault) > 0,
		},
		transcript: transcript{address: opt.address, damping: opt.threshold},
		streak:     outage.Streak{Threshold: opt.threshold},
		failures:   map[failureClass]int{},
		faultDone:  make(chan error, 1),
	}
}

// inFlight lets four times as many writes be under way as can be when every one
// takes its whole deadline: only a client that was itself held up gets there.
func inFlight(opt options) int { return 4 * (int(opt.timeout/opt.interval) + 1) }

// writes begins to write rows of a run, until ctx is done.
func writes(ctx context.Context, opt options, origin time.Time, server *mariadb.Server, run string) <-chan write {
	attempts := make(chan write, 1024)
	go load.Run(ctx, load.Schedule{
		Origin: origin, Interval: opt.interval, Deadline: opt.timeout, InFlight: inFlight(opt),
	}, func(ctx context.Context, tick uint64) mariadb.Outcome {
		return server.Write(ctx, run, tick)
	}, attempts)
	return attempts
}

// write runs the course to its end or until ctx is done, and then waits for the
// writes and the fault command that are under way.
func (s *session) write(ctx context.Context) {
	writing, stop := context.WithCancel(ctx)
	defer stop()
	s.origin = time.Now()
	attempts := writes(writing, s.opt, s.origin, s.server, s.name)

	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case w, open := <-attempts:
			if !open {
				s.conclude(ctx)
				return
			}
			s.record(w)
		case err := <-s.faultDone:
			s.faultReturned(err)
		case <-look.C:
		}
		if writing.Err() == nil && s.advance(ctx) {
			stop()
		}
	}
}

// record takes one attempt into all the books.
func (s *session) record(w write) {
	outcome := w.Answer
	if w.Overflow {
		outcome = mariadb.Outcome{Verdict: ledger.Refused, Class: mariadb.ClientFull}
	}
	s.ledger.Record(w.Tick, outcome.Verdict)
	s.appendRecord(w, outcome)
	s.latest = max(s.latest, w.Started-w.Intended)
	s.end = max(s.end, w.Done)
	if outcome.Verdict == ledger.Acknowledged {
		s.answers = append(s.answers, outage.Answer{Intended: w.Intended, At: w.Done, Node: outcome.Node})
		s.streak.Answer(w.Done)
	} else {
		s.failures[failureClass{outcome.Class, outcome.Verdict}]++
	}
	if l, changed := s.transcript.see(w); changed {
		s.screen.tell(s.origin.Add(w.Done), l.kind, "%s", l.text)
	}
}

// appendRecord writes to the ledger file. Its first error ends the run: a ledger
// with holes proves nothing.
func (s *session) appendRecord(w write, outcome mariadb.Outcome) {
	if s.file == nil || s.fileErr != nil {
		return
	}
	s.fileErr = ledger.Append(s.file, ledger.Record{
		Run: s.name, ID: w.Tick, Verdict: outcome.Verdict.String(), Node: outcome.Node, At: s.origin.Add(w.Done),
	})
}

// advance takes the next step of the course; true when the writes shall end.
func (s *session) advance(ctx context.Context) bool {
	if err := cmp.Or(s.fileErr, s.screen.broken()); err != nil {
		s.broken = err
		if s.course.hasFault && s.course.phase == beforeFault {
			s.broken = startError("could not start the fault: %w: nothing that cannot be written down is done", err)
		}
		return true
	}
	now := time.Since(s.origin)
	switch s.course.next(now, s.streak) {
	case startFault:
		return !s.startFault(ctx)
	case finish:
		return true
	case giveUpUnsteady:
		s.broken = startError("could not start the fault: within %v the writes through %s were never acknowledged for %v without a gap of %v: is the cluster healthy?",
			s.opt.limit, s.opt.address, s.opt.before, s.opt.threshold)
		return true
	case giveUpSilent:
		// The open gap says it; a flapping service has none.
		if s.streak.Silent(now) < s.opt.threshold {
			s.broken = fmt.Errorf("the service was never there for %v without a gap within %v after the fault", s.opt.after, s.opt.limit)
		}
		return true
	case carryOn:
	}
	return false
}

// startFault starts the command; false when it cannot be started.
func (s *session) startFault(ctx context.Context) bool {
	node := s.answers[len(s.answers)-1].Node // there is one: the writes have been steady
	command, err := faultCommand(s.opt.fault, node)
	if err != nil {
		s.broken = startError("could not start the fault: %w", err)
		return false
	}
	s.faultCommand = command
	limited, cancel := context.WithTimeout(ctx, s.opt.limit)
	s.course.faultStarted(time.Since(s.origin))
	s.screen.tell(s.origin.Add(s.course.started), kindFault, "%s", strings.Join(command, " "))
	go func() {
		defer cancel()
		s.faultDone <- runFault(limited, command, func(text string) {
			s.screen.tell(time.Now(), kindOutput, "%s", text)
		})
	}()
	return true
}

func (s *session) faultReturned(err error) {
	s.faultErr = err
	s.course.faultReturned(time.Since(s.origin))
	if err != nil {
		s.screen.tell(time.Now(), kindFault, "failed: %v", err)
	}
}

// conclude notes how the run ended, when the last write is over.
func (s *session) conclude(ctx context.Context) {
	if s.course.phase == faultRunning {
		s.faultReturned(<-s.faultDone)
	}
	if ctx.Err() != nil && s.course.hasFault && s.broken == nil {
		s.broken = errors.New("stopped by a signal before the run was over")
	}
}

// observation is what package outage makes the figures of.
func (s *session) observation() outage.Observation {
	return outage.Observation{Answers: s.answers, Fault: s.course.started, End: s.end}
}
