package qb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// link is a way for messages to travel. send and receive are each used by one
// goroutine at a time; both give errInterrupted once lost is closed. events runs in a
// goroutine of its own until the connection ends, and says why. interrupt makes
// events return, and receive if lost is closed. release frees everything, when nobody
// uses it any more.
type link interface {
	send(ctx context.Context, message []byte, lost <-chan struct{}) error
	receive(ctx context.Context, lost <-chan struct{}) ([]byte, error)
	events(deliver func([]byte) bool) error
	interrupt()
	release()
}

var (
	_ link = (*shm)(nil)
	_ link = (*sockets)(nil)
)

// Conn is a connection to a libqb service. It is safe for concurrent use. It must be
// closed, also after it was lost.
type Conn struct {
	peer  Peer
	mode  Mode
	limit int
	rings []string // their names, in shared memory mode
	setup *net.UnixConn
	link  link
	queue *queue

	// Whoever holds a turn may use that direction of the link. Close keeps both.
	sending, receiving, requesting turn

	once   sync.Once
	lost   chan struct{} // closed when the connection ended, for whatever reason
	err    error         // why; set before lost is closed
	closed chan struct{} // closed by Close
	reader chan struct{} // closed when no event comes any more
	close  func()
}

// turn is a mutex whose waiters end with their context.
type turn chan struct{}

func (t turn) take(ctx context.Context, closed <-chan struct{}) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) give() { <-t }

func newConn(setup *net.UnixConn, l link, g greeting, peer Peer, queueBytes int) *Conn {
	c := &Conn{
		peer: peer, mode: g.mode, limit: g.limit, rings: []string{g.request, g.response, g.event}, setup: setup, link: l, queue: newQueue(queueBytes),
		sending: make(turn, 1), receiving: make(turn, 1), requesting: make(turn, 1),
		lost: make(chan struct{}), closed: make(chan struct{}), reader: make(chan struct{}),
	}
	c.close = sync.OnceFunc(c.shut)
	go c.read()
	return c
}

// read takes events from the link. It only stamps and stores them: a reader that does
// more turns the server's milliseconds into seconds.
func (c *Conn) read() {
	defer close(c.reader)
	var malformed error
	err := c.link.events(func(b []byte) bool {
		received := time.Now()
		var data []byte
		if data, malformed = body(b); malformed != nil {
			return false
		}
		return c.queue.put(Event{Data: data, Received: received}, c.closed)
	})
	if malformed != nil {
		err = malformed
	}
	c.fail(err)
	c.queue.finish(c.err)
}

// fail ends the connection for a reason; the first one counts.
func (c *Conn) fail(err error) {
	c.once.Do(func() {
		c.err = err
		close(c.lost)
		c.link.interrupt()
	})
}

// Peer is the server as the kernel knows it.
func (c *Conn) Peer() Peer { return c.peer }

// Mode is the transport that the server chose.
func (c *Conn) Mode() Mode { return c.mode }

// MaxMessage is the agreed largest message, in bytes.
func (c *Conn) MaxMessage() int { return c.limit }

// Stats are what the connection has seen so far.
func (c *Conn) Stats() Stats { return c.queue.snapshot() }

// Done is closed when the connection has ended; Err then says why. Events that came
// before can still be read.
func (c *Conn) Done() <-chan struct{} { return c.lost }

// Err is why the connection ended, or nil while it has not.
func (c *Conn) Err() error {
	select {
	case <-c.lost:
		return c.err
	default:
		return nil
	}
}

// Send sends a request, which begins with a header: int32 id at 0, int32 size of the
// whole message at 8, 16 bytes in all. While the server holds its clients back, or the
// ring is full, it waits until ctx ends.
func (c *Conn) Send(ctx context.Context, message []byte) error {
	if _, err := body(message); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := c.sending.take(ctx, c.closed); err != nil {
		return err
	}
	defer c.sending.give()
	if err := c.Err(); err != nil {
		return err
	}
	return c.settle(c.link.send(ctx, message, c.lost))
}

// Receive waits for the next response, until ctx ends. Responses come in the order of
// the requests; one whose Receive was given up is what the next Receive returns.
func (c *Conn) Receive(ctx context.Context) ([]byte, error) {
	if err := c.receiving.take(ctx, c.closed); err != nil {
		return nil, err
	}
	defer c.receiving.give()
	b, err := c.link.receive(ctx, c.lost)
	if err == nil {
		b, err = body(b)
	}
	if err = c.settle(err); err != nil {
		return nil, err
	}
	return b, nil
}

// Request sends a request and waits for its response. It is for protocols whose
// responses do not say what they answer: if ctx ends in between, the connection is
// lost, with ErrAbandoned. A Conn that is used with Request must not be used with
// Receive.
func (c *Conn) Request(ctx context.Context, message []byte) ([]byte, error) {
	if err := c.requesting.take(ctx, c.closed); err != nil {
		return nil, err
	}
	defer c.requesting.give()
	if err := c.Send(ctx, message); err != nil {
		return nil, err
	}
	b, err := c.Receive(ctx)
	if err != nil && ctx.Err() != nil {
		c.fail(fmt.Errorf("%w: %w", ErrAbandoned, context.Cause(ctx)))
	}
	return b, err
}

// settle ends the connection for an error after which it is of no use, and names an
// interruption by its cause.
func (c *Conn) settle(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errInterrupted), errors.Is(err, os.ErrDeadlineExceeded): // by fail
		return c.Err()
	}
	end := disconnected(err)
	if errors.Is(end, ErrMalformed) || errors.Is(end, ErrDisconnected) || errors.Is(end, ErrAbandoned) {
		c.fail(end)
		return end
	}
	return err
}

// Event waits for the next event, until ctx ends. When the connection has ended, it
// returns what had come before, and then the reason.
func (c *Conn) Event(ctx context.Context) (Event, error) { return c.queue.get(ctx) }

// Close ends the connection and frees what it uses. Calls that wait return ErrClosed;
// events that were not read are gone. It always returns nil.
func (c *Conn) Close() error {
	c.close()
	return nil
}

func (c *Conn) shut() {
	c.fail(ErrClosed)
	close(c.closed)
	c.queue.finish(ErrClosed)
	<-c.reader
	// Nobody uses the memory after its turn, and nobody gets another one.
	c.sending <- struct{}{}
	c.receiving <- struct{}{}
	c.link.release()
	c.setup.Close()
	if errors.Is(c.err, ErrDisconnected) && c.mode == SharedMemory {
		tidy(c.peer.PID, c.rings)
	}
}
