package pacemaker

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A message is a header of 40 bytes (pcmk__ipc_header_t, with libqb's response header
// at its begin) and XML that ends with a NUL.
const (
	headerSize      = 40
	offSize         = 8
	offPlain        = 24 // uint32 bytes of XML with its NUL
	offCompressed   = 28 // uint32 bytes of bzip2, or 0
	offFlags        = 32
	offVersion      = 36
	protocolVersion = 1
)

// Flags of a message (enum crm_ipc_flags).
const (
	flagCompressed     = 1 << 0
	flagClientResponse = 1 << 9 // the client wants an answer
	flagMultipart      = 1 << 19
)

// largestDocument bounds what a compressed message may become: it keeps a few
// kilobytes from filling the memory. A CIB of a thousand resources has about 10 MB.
const largestDocument = 256 << 20

// ErrMalformed is a message that is not what Pacemaker 2.1 sends.
var ErrMalformed = errors.New("pacemaker sent something that it never sends")

// encode makes a request that wants an answer.
func encode(id int32, xml []byte) []byte {
	b := make([]byte, headerSize+len(xml)+1)
	binary.NativeEndian.PutUint32(b[0:], uint32(id))
	binary.NativeEndian.PutUint32(b[offSize:], uint32(len(b)))
	binary.NativeEndian.PutUint32(b[offPlain:], uint32(len(xml)+1))
	binary.NativeEndian.PutUint32(b[offFlags:], flagClientResponse)
	b[offVersion] = protocolVersion
	copy(b[headerSize:], xml)
	return b
}

// Decode takes a message apart: the id of the request that it answers, or of nothing
// if it is an event, and its XML, decompressed. The XML may be a part of b.
func Decode(b []byte) (id int32, xml []byte, err error) {
	if len(b) < headerSize {
		return 0, nil, fmt.Errorf("%w: a message of %d bytes", ErrMalformed, len(b))
	}
	number := func(offset int) uint32 { return binary.NativeEndian.Uint32(b[offset:]) }
	id, plain, flags := int32(number(0)), number(offPlain), number(offFlags)
	if v := b[offVersion]; v != protocolVersion {
		return 0, nil, fmt.Errorf("%w: version %d of the protocol", ErrMalformed, v)
	}
	if flags&flagMultipart != 0 {
		return 0, nil, fmt.Errorf("%w: a part of a message, as only Pacemaker 3 sends", ErrMalformed)
	}
	if plain == 0 || plain > largestDocument {
		return 0, nil, fmt.Errorf("%w: %d bytes of XML", ErrMalformed, plain)
	}
	body := b[headerSize:]
	if flags&flagCompressed != 0 {
		if n := number(offCompressed); n == 0 || uint64(n) > uint64(len(body)) {
			return 0, nil, fmt.Errorf("%w: %d compressed bytes in %d", ErrMalformed, n, len(body))
		}
		if body, err = decompress(body[:number(offCompressed)], int(plain)); err != nil {
			return 0, nil, err
		}
	}
	if uint64(plain) > uint64(len(body)) {
		return 0, nil, fmt.Errorf("%w: %d bytes of XML in %d", ErrMalformed, plain, len(body))
	}
	xml = body[:plain]
	if xml[plain-1] != 0 {
		return 0, nil, fmt.Errorf("%w: XML without an end", ErrMalformed)
	}
	return id, xml[:plain-1], nil
}

// decompress gives the size bytes that b holds, and refuses more or fewer.
func decompress(b []byte, size int) ([]byte, error) {
	var plain bytes.Buffer // grows with what is there, not with what is claimed
	n, err := io.Copy(&plain, io.LimitReader(bzip2.NewReader(bytes.NewReader(b)), int64(size)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	// The NUL is not always compressed with the text.
	switch n {
	case int64(size):
	case int64(size) - 1:
		plain.WriteByte(0)
	default:
		return nil, fmt.Errorf("%w: %d bytes of XML, %d announced", ErrMalformed, n, size)
	}
	return plain.Bytes(), nil
}
