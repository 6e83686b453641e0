package qb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The control file of a socket connection has a pair {int32 sent, int32 flow_control}
// for requests, responses and events (struct ipc_us_control in lib/ipc_socket.c).
const (
	controlSize     = 24
	controlRequest  = 0
	controlResponse = 8
	controlEvent    = 16
	controlHeld     = 4
)

// past is a deadline that has expired.
func past() time.Time { return time.Unix(1, 0) }

// sockets is the datagram transport.
type sockets struct {
	setup           *net.UnixConn
	control         []byte
	message, notice *net.UnixConn // requests and responses; events
	limit           int
	response        []byte // where receive receives
}

func newSockets(setup *net.UnixConn, g greeting) (_ *sockets, err error) {
	s := &sockets{setup: setup, limit: g.limit}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if s.control, err = mapFile(g.request, controlSize); err != nil {
		return nil, err
	}
	if s.message, err = datagrams(g.response+"-response", g.response+"-request", g.limit); err != nil {
		return nil, err
	}
	s.notice, err = datagrams(g.response+"-event", g.response+"-event-tx", g.limit)
	return s, err
}

// datagrams makes a socket that only talks with the given name. Names are abstract
// although they look like paths (set_sock_addr).
func datagrams(local, remote string, limit int) (*net.UnixConn, error) {
	from, err := abstract(local)
	if err != nil {
		return nil, err
	}
	to, err := abstract(remote)
	if err != nil {
		return nil, err
	}
	c, err := net.DialUnix("unixgram", from, to)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.SetReadBuffer(limit), c.SetWriteBuffer(limit)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// abstract is a name in the abstract namespace. libqb binds the whole of sun_path, so
// the name is padded with NULs to its end (QB_SUN_LEN in lib/util_int.h).
func abstract(name string) (*net.UnixAddr, error) {
	const longest = 107 // of sun_path's 108 bytes the first says that it is abstract
	if name == "" || len(name) >= longest || strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("%w: the socket name %q", ErrMalformed, name)
	}
	return &net.UnixAddr{Name: "@" + name + strings.Repeat("\x00", longest-len(name)), Net: "unixgram"}, nil
}

func (s *sockets) counter(offset int) *int32 { return (*int32)(unsafe.Pointer(&s.control[offset])) }

// count keeps the number of messages on their way, by which the server sees how far
// behind its client is.
func (s *sockets) count(offset int, delta int32) error {
	return guard(func() error { atomic.AddInt32(s.counter(offset), delta); return nil })
}

func (s *sockets) send(ctx context.Context, message []byte, lost <-chan struct{}) error {
	if len(message) > s.limit {
		return fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, len(message), s.limit)
	}
	held := func() (held bool, err error) {
		err = guard(func() error {
			held = atomic.LoadInt32(s.counter(controlRequest+controlHeld)) > 0
			return nil
		})
		return held, err
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if held, err := held(); err != nil {
			return err
		} else if !held {
			break
		}
		if err := sleep(ctx, pause, lost); err != nil {
			return err
		}
	}
	err := during(ctx, s.message.SetWriteDeadline, func() error {
		_, err := s.message.Write(message)
		return err
	})
	if err != nil {
		return err
	}
	return s.count(controlRequest, 1)
}

// receive waits for the next response. One that was there before the connection was
// lost is still given.
func (s *sockets) receive(ctx context.Context, lost <-chan struct{}) ([]byte, error) {
	if s.response == nil {
		s.response = make([]byte, s.limit+1)
	}
	var n int
	err := errInterrupted
	select {
	case <-lost: // the deadline that said so may be gone
	default:
		err = during(ctx, s.message.SetReadDeadline, func() (err error) {
			n, err = s.message.Read(s.response)
			return err
		})
	}
	if errors.Is(err, errInterrupted) || errors.Is(err, os.ErrDeadlineExceeded) {
		if n, err = pending(s.message, s.response); errors.Is(err, unix.EAGAIN) {
			return nil, errInterrupted
		}
	}
	if err != nil {
		return nil, err
	}
	return s.received(s.response[:n], controlResponse)
}

// received copies a datagram that came in.
func (s *sockets) received(b []byte, counter int) ([]byte, error) {
	if len(b) > s.limit {
		return nil, fmt.Errorf("%w: a datagram of more than %d bytes", ErrMalformed, s.limit)
	}
	message := append(make([]byte, 0, len(b)), b...)
	return message, s.count(counter, -1)
}

// events delivers events until the server ends the connection, which the setup socket
// shows, or until deliver says that nobody wants them.
func (s *sockets) events(deliver func([]byte) bool) error {
	lost := make(chan error, 1)
	go func() {
		_, err := s.setup.Read(make([]byte, 1))
		if err == nil {
			err = fmt.Errorf("%w: a byte on the setup socket", ErrMalformed)
		}
		lost <- disconnected(err)
		_ = s.notice.SetReadDeadline(past())
	}()
	buffer := make([]byte, s.limit+1)
	next := s.notice.Read
	for {
		n, err := next(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) { // what is there is still delivered
			next = func(b []byte) (int, error) { return pending(s.notice, b) }
			continue
		}
		var message []byte
		if err == nil {
			message, err = s.received(buffer[:n], controlEvent)
		}
		if err == nil && !deliver(message) {
			err = ErrClosed
		}
		if err != nil {
			_ = s.setup.SetReadDeadline(past())
			if end := <-lost; errors.Is(err, unix.EAGAIN) {
				return end
			}
			return disconnected(err)
		}
	}
}

func (s *sockets) interrupt() {
	_ = s.setup.SetReadDeadline(past())
	_ = s.message.SetDeadline(past())
}

func (s *sockets) release() {
	for _, c := range []*net.UnixConn{s.message, s.notice} {
		if c != nil {
			c.Close()
		}
	}
	if s.control != nil {
		_ = unix.Munmap(s.control) // fails for what is not mapped only
	}
}

// pending reads a datagram that is there already, whatever the deadline; EAGAIN says
// that there is none.
func pending(c *net.UnixConn, b []byte) (n int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	if e := raw.Control(func(fd uintptr) { n, _, err = unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT) }); e != nil {
		return 0, e
	}
	return n, err
}

// during runs f, which reads or writes under the deadline that set sets, and lets it
// fail as soon as ctx ends.
func during(ctx context.Context, set func(time.Time) error, f func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		_ = set(past())
	})
	err := f()
	if stop() {
		return err
	}
	<-fired
	if e := set(time.Time{}); err == nil {
		return e
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// disconnected names the end of a socket.
func disconnected(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE),
		errors.Is(err, unix.ENOTCONN), errors.Is(err, unix.ECONNREFUSED):
		return ErrDisconnected
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
		return ErrClosed
	}
	return err
}
