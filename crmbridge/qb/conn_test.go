package qb

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRequestsAreAnswered(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, p := s.dial(t, Dialer{})
		go p.echo()
		if c.Mode() != s.mode || c.MaxMessage() != s.limit || c.Peer().PID == 0 {
			t.Errorf("connected by %v with %d bytes to %+v", c.Mode(), c.MaxMessage(), c.Peer())
		}
		// Sizes that divide the ring into nothing even, so that messages wrap at every place.
		for i := range int32(2000) {
			want := message(i, minMessage+int(i*37)%(s.limit-minMessage+1))
			got, err := c.Request(deadline(t, patience), want)
			if err != nil {
				t.Fatalf("request %d of %d bytes: %v", i, len(want), err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("request %d of %d bytes came back as something else", i, len(want))
			}
		}
	})
}

func TestManyGoroutinesShareAConnection(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, p := s.dial(t, Dialer{})
		go p.echo()
		ctx := deadline(t, patience)
		var wg sync.WaitGroup
		for g := range int32(8) {
			wg.Go(func() {
				for i := range int32(100) {
					want := message(g*1000+i, minMessage+int(i))
					if got, err := c.Request(ctx, want); err != nil || !bytes.Equal(got, want) {
						t.Errorf("request %d: %v", idOf(want), err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestEventsComeInOrderWithTheirTime(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, p := s.dial(t, Dialer{})
		const n = 3000
		before := time.Now() // the first may be there before this goroutine goes on
		go func() {
			for i := range int32(n) {
				p.mustNotify(message(i, minMessage+int(i*13)%3000))
			}
		}()
		ctx := deadline(t, patience)
		for i := range int32(n) {
			e, err := c.Event(ctx)
			if err != nil {
				t.Fatalf("event %d: %v", i, err)
			}
			if !bytes.Equal(e.Data, message(i, len(e.Data))) {
				t.Fatalf("event %d is another one, or damaged", i)
			}
			if e.Received.Before(before) || e.Received.After(time.Now()) {
				t.Fatalf("event %d received at %v, before the one before it (%v)", i, e.Received, before)
			}
			before = e.Received
		}
		if got := c.Stats(); got.Events != n || got.Queued != 0 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestDeadlineEndsAWaitAndNothingElse(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, p := s.dial(t, Dialer{})
		for i := range int32(20) {
			if err := c.Send(deadline(t, patience), message(i, 20)); err != nil {
				t.Fatal(err)
			}
			short := deadline(t, time.Duration(rand.IntN(3000))*time.Microsecond)
			if _, err := c.Receive(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("receive without a response: %v", err)
			}
			if _, err := c.Event(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("event without an event: %v", err)
			}
			answered := make(chan bool)
			go func() { answered <- p.respond(p.next()) }()
			if got, err := c.Receive(deadline(t, patience)); err != nil || idOf(got) != i {
				t.Fatalf("the response after the deadline: %v", err)
			}
			<-answered
		}
		cancelled, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("the operator left")
		time.AfterFunc(time.Millisecond, func() { cancel(reason) })
		if _, err := c.Receive(cancelled); !errors.Is(err, reason) {
			t.Errorf("a cancelled receive gave %v", err)
		}
	})
}

func TestAbandonedRequestEndsTheConnection(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, _ := s.dial(t, Dialer{})
		if _, err := c.Request(deadline(t, 5*time.Millisecond), message(1, 20)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a request without a response: %v", err)
		}
		if _, err := c.Request(deadline(t, patience), message(2, 20)); !errors.Is(err, ErrAbandoned) {
			t.Errorf("the request after: %v", err)
		}
	})
}

func TestServerThatLeaves(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, p := s.dial(t, Dialer{})
		for i := range int32(5) {
			p.mustNotify(message(i, 100))
		}
		if err := c.Send(deadline(t, patience), message(1, 20)); err != nil {
			t.Fatal(err)
		}
		p.respond(p.next())
		waiting := make(chan error)
		if got, err := c.Receive(deadline(t, patience)); err != nil || idOf(got) != 1 {
			t.Fatalf("a response: %v", err)
		}
		go func() {
			_, err := c.Receive(deadline(t, patience))
			waiting <- err
		}()
		p.hangUp()
		if err := <-waiting; !errors.Is(err, ErrDisconnected) {
			t.Errorf("a waiting receive ended with %v", err)
		}
		<-c.Done()
		for i := range int32(5) {
			if e, err := c.Event(deadline(t, patience)); err != nil || idOf(e.Data) != i {
				t.Errorf("event %d that was sent before: %v", i, err)
			}
		}
		if _, err := c.Event(deadline(t, patience)); !errors.Is(err, ErrDisconnected) {
			t.Errorf("after the last event: %v", err)
		}
		for name, err := range map[string]error{
			"send": c.Send(deadline(t, patience), message(1, 20)), "err": c.Err(),
		} {
			if !errors.Is(err, ErrDisconnected) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestSlowReaderLosesNothingQuietly is a server that evicts a client which does not
// read: everything that it could send arrives, and then the error.
func TestSlowReaderLosesNothingQuietly(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, p := s.dial(t, Dialer{QueueBytes: 10_000})
		sent := int32(0)
		for blocked := 0; blocked < 50; { // the event queue of a server that cannot send
			switch err := p.notify(message(sent, 1000)); {
			case err == nil:
				sent, blocked = sent+1, 0
			case errors.Is(err, errFull):
				blocked++
				time.Sleep(time.Millisecond)
			default:
				t.Fatal(err)
			}
		}
		p.hangUp()
		if stats := c.Stats(); stats.Stalled == 0 || stats.Peak > 10_000 || stats.Queued != 10 {
			t.Errorf("a full queue: %+v", stats)
		}
		for i := range sent {
			e, err := c.Event(deadline(t, patience))
			if err != nil || idOf(e.Data) != i {
				t.Fatalf("event %d of %d: %v", i, sent, err)
			}
		}
		if _, err := c.Event(deadline(t, patience)); !errors.Is(err, ErrDisconnected) {
			t.Errorf("after the last of %d events: %v", sent, err)
		}
	})
}

func TestServerHoldsItsClients(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		c, p := s.dial(t, Dialer{})
		hold := func(n uint32) {
			if p.request != nil {
				*p.request.field(offUser) = n
			} else {
				*p.counter(controlRequest + controlHeld) = int32(n)
			}
		}
		hold(1)
		if err := c.Send(deadline(t, 20*time.Millisecond), message(1, 20)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("send while held: %v", err)
		}
		time.AfterFunc(20*time.Millisecond, func() { hold(0) })
		go p.echo()
		if _, err := c.Request(deadline(t, patience), message(1, 20)); err != nil {
			t.Errorf("request when free again: %v", err)
		}
		if err := c.Send(t.Context(), message(1, s.limit+1)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a message beyond the limit: %v", err)
		}
		if _, err := c.Request(deadline(t, patience), message(1, 20)); err != nil {
			t.Errorf("request after one that was too large: %v", err)
		}
	})
}

func TestRefusals(t *testing.T) {
	s := startServer(t, SharedMemory)
	d := Dialer{}
	s.refuse = unix.EACCES
	if _, err := d.Dial(deadline(t, patience), s.name); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a server that refuses: %v", err)
	}
	s.stop()
	if _, err := d.Dial(deadline(t, patience), s.name); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
	untrusting := Dialer{Trust: TrustUIDs(4711)}
	s = startServer(t, SharedMemory)
	if _, err := untrusting.Dial(deadline(t, patience), s.name); !errors.Is(err, ErrUntrusted) {
		t.Errorf("a server of a stranger: %v", err)
	}
	if _, err := d.Dial(deadline(t, patience), "no\x00name"); !errors.Is(err, ErrMalformed) {
		t.Errorf("an impossible name: %v", err)
	}
}

func TestCloseEndsEveryWait(t *testing.T) {
	bothModes(t, func(t *testing.T, s *server) {
		for range 20 {
			c, _ := s.dial(t, Dialer{})
			ctx := deadline(t, patience)
			var wg sync.WaitGroup
			for _, wait := range []func() error{
				func() error { _, err := c.Receive(ctx); return err },
				func() error { _, err := c.Receive(ctx); return err },
				func() error { _, err := c.Event(ctx); return err },
				func() error { <-c.Done(); return c.Err() },
			} {
				wg.Go(func() {
					if err := wait(); !errors.Is(err, ErrClosed) {
						t.Errorf("ended with %v", err)
					}
				})
			}
			time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
			wg.Go(func() { c.Close() })
			c.Close()
			wg.Wait()
			if err := c.Send(ctx, message(1, 20)); !errors.Is(err, ErrClosed) {
				t.Fatalf("send on a closed connection: %v", err)
			}
		}
	})
}

func TestKeepConnectsAgain(t *testing.T) {
	s := startServer(t, SharedMemory)
	ctx := deadline(t, patience)
	go func() {
		for i := range int32(3) {
			p := <-s.peers
			p.mustNotify(message(i, 100))
			if i == 1 { // gone for a while
				s.listener.Close()
				p.hangUp()
				time.Sleep(100 * time.Millisecond)
				s.listen()
				continue
			}
			p.hangUp()
		}
	}()
	var events []int32
	var reported []error
	err := (&Dialer{}).Keep(ctx, s.name, func(ctx context.Context, c *Conn) error {
		for {
			e, err := c.Event(ctx)
			if err != nil {
				return err
			}
			if events = append(events, idOf(e.Data)); len(events) == 3 {
				return nil
			}
		}
	}, func(err error) { reported = append(reported, err) })
	if err != nil || len(events) != 3 || events[2] != 2 {
		t.Errorf("kept until %v with events %v", err, events)
	}
	if len(reported) < 2 || !errors.Is(reported[0], ErrDisconnected) {
		t.Errorf("reported %v", reported)
	}
}
