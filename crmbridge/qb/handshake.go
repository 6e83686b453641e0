package qb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// Mode is how messages travel; the server chooses.
type Mode int32

// The transports of enum qb_ipc_type that libqb still has.
const (
	Socket       Mode = 0
	SharedMemory Mode = 1
)

func (m Mode) String() string {
	switch m {
	case Socket:
		return "socket"
	case SharedMemory:
		return "shared memory"
	}
	return fmt.Sprintf("mode %d", int32(m))
}

// Sizes and offsets of struct qb_ipc_connection_request and _response
// (lib/ipc_int.h) on a machine with 64 bits.
const (
	idAuthenticate = -1
	idDisconnect   = -3
	requestSize    = 24
	responseSize   = 12328
	pathSize       = 4096
	// minMessage is a request header: int32 id at 0 and int32 size at 8.
	minMessage = 16
)

// greeting is the server's answer to the request for a connection.
type greeting struct {
	mode                     Mode
	limit                    int
	request, response, event string
}

// hello encodes the request for a connection.
func hello(limit int) []byte {
	b := make([]byte, requestSize)
	id := int32(idAuthenticate)
	binary.NativeEndian.PutUint32(b[0:], uint32(id))
	binary.NativeEndian.PutUint32(b[8:], requestSize)
	binary.NativeEndian.PutUint32(b[16:], uint32(limit))
	return b
}

// parseGreeting decodes the answer. An answer that refuses gives the server's
// syscall.Errno. No message may be larger than ceiling.
func parseGreeting(b []byte, ceiling int) (greeting, error) {
	if len(b) != responseSize {
		return greeting{}, fmt.Errorf("%w: an answer to the handshake of %d bytes", ErrMalformed, len(b))
	}
	number := func(offset int) int32 { return int32(binary.NativeEndian.Uint32(b[offset:])) }
	if refusal := number(16); refusal != 0 {
		return greeting{}, fmt.Errorf("the server refused: %w", refused(refusal))
	}
	if id, size := number(0), number(8); id != idAuthenticate || size != responseSize {
		return greeting{}, fmt.Errorf("%w: an answer to the handshake with id %d and size %d", ErrMalformed, id, size)
	}
	g := greeting{mode: Mode(number(24)), limit: int(binary.NativeEndian.Uint32(b[28:]))}
	if g.mode != Socket && g.mode != SharedMemory {
		return greeting{}, fmt.Errorf("the server wants %v: %w", g.mode, errors.ErrUnsupported)
	}
	if g.limit < minMessage || g.limit > ceiling {
		return greeting{}, fmt.Errorf("%w: messages of up to %d bytes; up to %d are accepted", ErrMalformed, g.limit, ceiling)
	}
	paths := []*string{&g.request, &g.response, &g.event}
	if g.mode == Socket { // has no third name
		paths = paths[:2]
	}
	for i, p := range paths {
		var err error
		if *p, err = pathAt(b[40+i*pathSize:][:pathSize]); err != nil {
			return greeting{}, err
		}
	}
	return g, nil
}

// refused gives the reason of a refusal, of which libqb sends the negative.
func refused(code int32) error {
	if code > 0 || code < -4095 {
		return fmt.Errorf("%w: the error %d", ErrMalformed, code)
	}
	return syscall.Errno(-code)
}

// pathAt reads a path that ends with a NUL. The server named it, and we shall open it:
// it must be one that is what it looks like.
func pathAt(b []byte) (string, error) {
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return "", fmt.Errorf("%w: a path without an end", ErrMalformed)
	}
	path := string(b[:end])
	if !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return "", fmt.Errorf("%w: the path %q", ErrMalformed, path)
	}
	return path, nil
}

// body checks a message's header and cuts what is beyond its size.
func body(b []byte) ([]byte, error) {
	if len(b) < minMessage {
		return nil, fmt.Errorf("%w: a message of %d bytes", ErrMalformed, len(b))
	}
	size := int32(binary.NativeEndian.Uint32(b[8:]))
	if size < minMessage || int(size) > len(b) {
		return nil, fmt.Errorf("%w: a message that calls itself %d bytes and has %d", ErrMalformed, size, len(b))
	}
	return b[:size], nil
}
