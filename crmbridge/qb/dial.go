package qb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

const (
	// defaultMessage is what Pacemaker's clients ask for; servers give more if they
	// need more.
	defaultMessage = 128 << 10
	// defaultCeiling bounds the memory that a server can make us use for a message.
	defaultCeiling = 64 << 20
	// defaultQueue bounds the events that wait to be read.
	defaultQueue = 64 << 20
)

// Peer is the process on the other side of a connection, as the kernel knows it.
type Peer struct {
	PID      int32
	UID, GID uint32 // effective when it began to listen
}

// Dialer connects to libqb services. Its zero value trusts servers that run as root
// or as the caller.
type Dialer struct {
	// Trust accepts or refuses a server, before anything is sent to it: anybody can
	// listen on an abstract name. nil is TrustUIDs(0, the caller's).
	Trust func(Peer) error
	// MaxMessage is the largest message that the caller sends or expects, in bytes;
	// 0 is 128 KiB. The server may raise it, up to MaxCeiling.
	MaxMessage int
	// MaxCeiling is the largest message size that a server may ask for, in bytes; 0
	// is 64 MiB.
	MaxCeiling int
	// QueueBytes is how many bytes of events may wait to be read until the server
	// must wait; 0 is 64 MiB.
	QueueBytes int
	// SocketDir is the directory with the services' sockets, on machines with
	// /etc/libqb/force-filesystem-sockets; "" is the abstract namespace.
	SocketDir string
}

// TrustUIDs accepts servers with one of these user ids.
func TrustUIDs(uids ...uint32) func(Peer) error {
	return func(p Peer) error {
		if slices.Contains(uids, p.UID) {
			return nil
		}
		return fmt.Errorf("it runs as uid %d, not as one of %v", p.UID, uids)
	}
}

// Dial connects to a service by its name, as "cib_ro" or "quorum".
//
// Errors: ECONNREFUSED or ENOENT (by errors.Is) if nobody listens; ErrUntrusted;
// ErrMalformed; and the server's own refusal as a syscall.Errno: EACCES for a
// client that it does not let in, EAGAIN for one that comes too early.
func (d *Dialer) Dial(ctx context.Context, service string) (*Conn, error) {
	c, err := d.dial(ctx, service)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", service, err)
	}
	return c, nil
}

func (d *Dialer) dial(ctx context.Context, service string) (_ *Conn, err error) {
	address, err := abstract(service)
	if err != nil {
		return nil, err
	}
	if d.SocketDir != "" {
		address.Name = filepath.Join(d.SocketDir, service)
	}
	stream, err := new(net.Dialer).DialContext(ctx, "unix", address.Name)
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return nil, op.Err // without the padded name
	}
	if err != nil {
		return nil, err
	}
	setup := stream.(*net.UnixConn) // the network is "unix"
	defer func() {
		if err != nil {
			setup.Close()
		}
	}()
	peer, err := peerOf(setup)
	if err != nil {
		return nil, err
	}
	if err := d.trust()(peer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	g, err := d.greet(ctx, setup)
	if err != nil {
		return nil, err
	}
	l, err := newLink(setup, g)
	if err != nil {
		return nil, fmt.Errorf("by %v: %w", g.mode, err)
	}
	return newConn(setup, l, g, peer, orDefault(d.QueueBytes, defaultQueue)), nil
}

func newLink(setup *net.UnixConn, g greeting) (link, error) {
	if g.mode == Socket {
		return newSockets(setup, g)
	}
	return newShm(setup, g)
}

func (d *Dialer) trust() func(Peer) error {
	if d.Trust != nil {
		return d.Trust
	}
	return TrustUIDs(0, uint32(os.Geteuid()))
}

// peerOf asks the kernel who listens: what it says cannot be forged
// (SO_PEERCRED in unix(7)). The server learns of us from the credentials that
// SO_PASSCRED makes the kernel attach to what we send.
func peerOf(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) {
		if cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
		}
	}); e != nil || err != nil {
		return Peer{}, fmt.Errorf("ask who listens: %w", errors.Join(e, err))
	}
	return Peer{PID: cred.Pid, UID: cred.Uid, GID: cred.Gid}, nil
}

// greet does the handshake.
func (d *Dialer) greet(ctx context.Context, setup *net.UnixConn) (greeting, error) {
	answer := make([]byte, responseSize)
	// libqb's own clients never ask for less than the answer's size.
	limit := max(orDefault(d.MaxMessage, defaultMessage), responseSize)
	err := during(ctx, setup.SetDeadline, func() error {
		if _, err := setup.Write(hello(limit)); err != nil {
			return err
		}
		_, err := io.ReadFull(setup, answer)
		return err
	})
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return greeting{}, fmt.Errorf("handshake: %w", disconnected(err))
	}
	return parseGreeting(answer, orDefault(d.MaxCeiling, defaultCeiling))
}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}
