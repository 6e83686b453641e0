package qb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long anything in these tests may take on a busy machine.
const patience = 30 * time.Second

// server is the other side of libqb's IPC, as far as a client can tell, over real
// shared memory and real sockets. (The tests with the tag lab talk to libqb itself.)
type server struct {
	t        testing.TB
	name     string
	mode     Mode
	limit    int
	refuse   unix.Errno
	listener *net.UnixListener
	peers    chan *peer
	wg       sync.WaitGroup
}

var serial atomic.Int64

func startServer(t testing.TB, mode Mode) *server {
	t.Helper()
	s := &server{
		t: t, mode: mode, limit: 16 << 10, peers: make(chan *peer, 16),
		name: fmt.Sprintf("holdfast-test-%d-%d", os.Getpid(), serial.Add(1)),
	}
	s.listen()
	t.Cleanup(s.stop)
	return s
}

func (s *server) listen() {
	s.t.Helper()
	address, err := abstract(s.name)
	if err != nil {
		s.t.Fatal(err)
	}
	address.Net = "unix"
	if s.listener, err = net.ListenUnix("unix", address); err != nil {
		s.t.Fatal(err)
	}
	s.wg.Go(func() { s.accept(s.listener) })
}

func (s *server) stop() {
	s.listener.Close()
	s.wg.Wait()
}

func (s *server) accept(l *net.UnixListener) {
	for {
		setup, err := l.AcceptUnix()
		if err != nil {
			return
		}
		p, err := s.greet(setup)
		if err != nil {
			if !errors.Is(err, io.EOF) { // a client that left
				s.t.Errorf("test server: %v", err)
			}
			setup.Close()
			continue
		}
		s.peers <- p
	}
}

// peer is the server's end of one connection.
type peer struct {
	t                        testing.TB
	setup                    *net.UnixConn
	base                     string
	request, response, event *mapping // shared memory
	control                  []byte   // sockets
	message, notice          *net.UnixConn
	buffer                   []byte // of next
	once                     sync.Once
}

func (s *server) greet(setup *net.UnixConn) (*peer, error) {
	var hello [requestSize]byte
	if _, err := io.ReadFull(setup, hello[:]); err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp(sharedMemory, "qb-test-")
	if err != nil {
		return nil, err
	}
	s.t.Cleanup(func() { os.RemoveAll(directory) })
	p := &peer{t: s.t, setup: setup, base: filepath.Join(directory, "qb")}
	s.t.Cleanup(p.close)
	answer := make([]byte, responseSize)
	id := int32(idAuthenticate)
	binary.NativeEndian.PutUint32(answer[0:], uint32(id))
	binary.NativeEndian.PutUint32(answer[8:], responseSize)
	binary.NativeEndian.PutUint32(answer[16:], uint32(-int32(s.refuse)))
	binary.NativeEndian.PutUint32(answer[24:], uint32(s.mode))
	binary.NativeEndian.PutUint32(answer[28:], uint32(s.limit))
	names := []string{p.base + "-request-x", p.base + "-response-x", p.base + "-event-x"}
	if s.mode == Socket {
		names = []string{p.base + "-control", p.base}
		err = p.openSockets(s.limit)
	} else {
		err = p.createRings(names, s.limit)
	}
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		copy(answer[40+i*pathSize:], name)
	}
	_, err = setup.Write(answer)
	return p, err
}

func (p *peer) createRings(names []string, limit int) (err error) {
	for i, r := range []struct {
		to      **mapping
		pointer int
	}{{&p.request, offRead}, {&p.response, offWrite}, {&p.event, offWrite}} {
		page := os.Getpagesize()
		size := (limit + chunkMargin + 1 + page - 1) / page * page
		head := make([]byte, 8252)
		binary.NativeEndian.PutUint32(head[offWords:], uint32(size/4))
		copy(head[12:], names[i]+"-header")
		copy(head[4108:], names[i]+"-data")
		binary.NativeEndian.PutUint32(head[offSemaphore+8:], 128) // shared
		if err := os.WriteFile(names[i]+"-header", head, 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(names[i]+"-data", make([]byte, size), 0o600); err != nil {
			return err
		}
		if *r.to, err = mapRing(names[i], limit, r.pointer); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) openSockets(limit int) (err error) {
	if err := os.WriteFile(p.base+"-control", make([]byte, controlSize), 0o600); err != nil {
		return err
	}
	if p.control, err = mapFile(p.base+"-control", controlSize); err != nil {
		return err
	}
	for _, s := range []struct {
		to   **net.UnixConn
		name string
	}{{&p.message, "-request"}, {&p.notice, "-event-tx"}} {
		address, err := abstract(p.base + s.name)
		if err != nil {
			return err
		}
		if *s.to, err = net.ListenUnixgram("unixgram", address); err != nil {
			return err
		}
		if err := errors.Join((*s.to).SetReadBuffer(limit), (*s.to).SetWriteBuffer(limit)); err != nil {
			return err
		}
	}
	return nil
}

// next returns the next request, or nil when the client is gone. It is good until the
// one after.
func (p *peer) next() []byte {
	if p.request == nil {
		if p.buffer == nil {
			p.buffer = make([]byte, 1<<20)
		}
		n, err := p.message.Read(p.buffer)
		if err != nil {
			return nil
		}
		atomic.AddInt32(p.counter(controlRequest), -1)
		return p.buffer[:n]
	}
	if _, err := io.ReadFull(p.setup, make([]byte, 1)); err != nil {
		return nil
	}
	if ok, err := p.request.semaphore().tryWait(); !ok || err != nil {
		p.t.Errorf("test server: a doorbell without a request (%v)", err)
		return nil
	}
	b, err := p.request.take()
	if err != nil {
		p.t.Errorf("test server: take a request: %v", err)
	}
	return b
}

func (p *peer) counter(offset int) *int32 { return (&sockets{control: p.control}).counter(offset) }

// respond sends a response; false says that the client is gone.
func (p *peer) respond(b []byte) bool {
	if p.response != nil {
		return p.put(p.response, b)
	}
	atomic.AddInt32(p.counter(controlResponse), 1)
	return p.datagram(p.message, "-response", b) == nil
}

// put waits for room; a peer that is closed meanwhile gives up.
func (p *peer) put(m *mapping, b []byte) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		err := m.put(b)
		if err == nil {
			return true
		}
		if !errors.Is(err, errFull) {
			p.t.Errorf("test server: %v", err)
			return false
		}
	}
	return false
}

// notify sends an event if there is room for it now.
func (p *peer) notify(b []byte) error {
	if p.event == nil {
		if err := p.notice.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			return err
		}
		err := p.datagram(p.notice, "-event", b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return errFull
		}
		return err
	}
	if err := p.event.put(b); err != nil {
		return err
	}
	_, err := p.setup.Write([]byte{0})
	return err
}

func (p *peer) datagram(c *net.UnixConn, suffix string, b []byte) error {
	to, err := abstract(p.base + suffix)
	if err != nil {
		return err
	}
	_, err = c.WriteToUnix(b, to)
	return err
}

// mustNotify waits for room.
func (p *peer) mustNotify(b []byte) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Microsecond) {
		err := p.notify(b)
		if err == nil {
			return
		}
		if !errors.Is(err, errFull) || time.Now().After(end) {
			p.t.Fatalf("test server: notify: %v", err)
		}
	}
}

// hangUp ends the connection as a server does that stops or evicts: the sockets close,
// the memory stays.
func (p *peer) hangUp() {
	p.setup.Close()
	for _, c := range []*net.UnixConn{p.message, p.notice} {
		if c != nil {
			c.Close()
		}
	}
}

func (p *peer) close() {
	p.once.Do(func() {
		p.hangUp()
		for _, m := range []*mapping{p.request, p.response, p.event} {
			if m != nil {
				m.unmap()
			}
		}
	})
}

// echo answers every request with itself until the client is gone.
func (p *peer) echo() {
	for b := p.next(); b != nil; b = p.next() {
		if !p.respond(b) {
			return
		}
	}
}

// dial connects a client and returns both ends.
func (s *server) dial(t testing.TB, d Dialer) (*Conn, *peer) {
	t.Helper()
	ctx := deadline(t, patience)
	c, err := d.Dial(ctx, s.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	select {
	case p := <-s.peers:
		return c, p
	case <-ctx.Done():
		t.Fatal("the server did not accept")
		return nil, nil
	}
}

// message makes a message of size bytes with an id, whose bytes depend on it.
func message(id int32, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i + int(id))
	}
	binary.NativeEndian.PutUint64(b, uint64(uint32(id)))
	binary.NativeEndian.PutUint64(b[8:], uint64(uint32(size)))
	return b
}

func idOf(b []byte) int32 { return int32(binary.NativeEndian.Uint32(b)) }

func deadline(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// bothModes runs a test for each transport.
func bothModes(t *testing.T, test func(t *testing.T, s *server)) {
	for _, mode := range []Mode{SharedMemory, Socket} {
		t.Run(mode.String(), func(t *testing.T) { test(t, startServer(t, mode)) })
	}
}
