package qb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// How long a held or full request ring is left alone. libqb does not say when it is
// free again, so this is the one thing to ask for repeatedly; it only happens while
// the server is not keeping up.
const (
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)

// shm is the shared memory transport.
type shm struct {
	setup                    *net.UnixConn
	request, response, event *mapping
}

func newShm(setup *net.UnixConn, g greeting) (_ *shm, err error) {
	s := &shm{setup: setup}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	for _, r := range []struct {
		to      **mapping
		base    string
		pointer int
	}{{&s.request, g.request, offWrite}, {&s.response, g.response, offRead}, {&s.event, g.event, offRead}} {
		if *r.to, err = mapRing(r.base, g.limit, r.pointer); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// send puts the request on its ring and rings the doorbell.
func (s *shm) send(ctx context.Context, message []byte, lost <-chan struct{}) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := guard(func() error {
			if held, err := s.request.held(); err != nil {
				return err
			} else if held {
				return errFull
			}
			return s.request.put(message)
		})
		if err == nil {
			return s.ring(ctx)
		}
		if !errors.Is(err, errFull) {
			return err
		}
		if err := sleep(ctx, pause, lost); err != nil {
			return err
		}
	}
}

// ring tells the server of one request. It only blocks while hundreds of doorbells
// are unanswered; a request without one leaves the connection out of step.
func (s *shm) ring(ctx context.Context) error {
	err := during(ctx, s.setup.SetWriteDeadline, func() error {
		_, err := s.setup.Write([]byte{1})
		return err
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrAbandoned, err)
	}
	return err
}

// receive waits for the next response. One that was there before the connection was
// lost is still given.
func (s *shm) receive(ctx context.Context, lost <-chan struct{}) (message []byte, err error) {
	semaphore := s.response.semaphore()
	waited := guard(func() error { return semaphore.wait(ctx, lost) })
	if errors.Is(waited, errInterrupted) {
		ok := false
		if err := guard(func() (err error) { ok, err = semaphore.tryWait(); return err }); err != nil || !ok {
			return nil, waited
		}
	} else if waited != nil {
		return nil, waited
	}
	err = guard(func() error { message, err = s.response.take(); return err })
	return message, err
}

// events delivers events until the server ends the connection or deliver says that
// nobody wants them. Doorbells only say when to look: all that is there is taken.
func (s *shm) events(deliver func([]byte) bool) error {
	bells := make([]byte, 512)
	for {
		_, lost := s.setup.Read(bells)
		for {
			message, err := s.nextEvent()
			if err != nil {
				return err
			}
			if message == nil {
				break
			}
			if !deliver(message) {
				return ErrClosed
			}
		}
		if lost != nil {
			return disconnected(lost)
		}
	}
}

// nextEvent takes an event if there is one, or gives nil.
func (s *shm) nextEvent() (message []byte, err error) {
	err = guard(func() error {
		ok, err := s.event.semaphore().tryWait()
		if err != nil || !ok {
			return err
		}
		message, err = s.event.take()
		return err
	})
	return message, err
}

// interrupt makes events return. Responses are interrupted by the Conn's own channel.
func (s *shm) interrupt() { _ = s.setup.SetDeadline(past()) }

// release unmaps the rings.
func (s *shm) release() {
	for _, m := range []*mapping{s.request, s.response, s.event} {
		if m != nil {
			m.unmap()
		}
	}
}

// sleep waits a while, or until ctx ends or the connection is lost.
func sleep(ctx context.Context, d time.Duration, lost <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-lost:
		return errInterrupted
	}
}
