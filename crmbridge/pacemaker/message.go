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

// frame is a message, taken apart.
type frame struct {
	id         int32
	size       int    // of the XML, with its NUL
	body       []byte // the XML, or what it was compressed to
	compressed bool
}

// Decode takes a message apart: the id of the request that it answers, or of nothing
// if it is an event, and its XML, decompressed. The XML may be a part of b.
func Decode(b []byte) (id int32, xml []byte, err error) {
	f, err := unframe(b)
	if err != nil {
		return 0, nil, err
	}
	if !f.compressed {
		return f.id, f.body[:f.size-1], nil
	}
	var plain bytes.Buffer // grows with what is there, not with what is claimed
	if _, err := io.Copy(&plain, f.xml()); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return f.id, plain.Bytes(), nil
}

func unframe(b []byte) (frame, error) {
	if len(b) < headerSize {
		return frame{}, fmt.Errorf("%w: a message of %d bytes", ErrMalformed, len(b))
	}
	number := func(offset int) uint32 { return binary.NativeEndian.Uint32(b[offset:]) }
	plain, flags := number(offPlain), number(offFlags)
	if v := b[offVersion]; v != protocolVersion {
		return frame{}, fmt.Errorf("%w: version %d of the protocol", ErrMalformed, v)
	}
	if flags&flagMultipart != 0 {
		return frame{}, fmt.Errorf("%w: a part of a message, as only Pacemaker 3 sends", ErrMalformed)
	}
	if plain == 0 || plain > largestDocument {
		return frame{}, fmt.Errorf("%w: %d bytes of XML", ErrMalformed, plain)
	}
	f := frame{id: int32(number(0)), size: int(plain), body: b[headerSize:], compressed: flags&flagCompressed != 0}
	if f.compressed {
		n := number(offCompressed)
		if n == 0 || uint64(n) > uint64(len(f.body)) {
			return frame{}, fmt.Errorf("%w: %d compressed bytes in %d", ErrMalformed, n, len(f.body))
		}
		f.body = f.body[:n]
		return f, nil
	}
	if f.size > len(f.body) {
		return frame{}, fmt.Errorf("%w: %d bytes of XML in %d", ErrMalformed, plain, len(f.body))
	}
	if f.body[f.size-1] != 0 {
		return frame{}, fmt.Errorf("%w: XML without an end", ErrMalformed)
	}
	return f, nil
}

// xml is the document as it is decompressed: the text of a large CIB is never in the
// memory as a whole.
func (f frame) xml() io.Reader {
	if !f.compressed {
		return bytes.NewReader(f.body[:f.size-1])
	}
	return &plainText{from: bzip2.NewReader(bytes.NewReader(f.body)), left: f.size - 1}
}

// plainText reads as many bytes as were announced, and refuses more or fewer.
type plainText struct {
	from io.Reader
	left int
}

func (p *plainText) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, p.end()
	}
	n, err := p.from.Read(b[:min(len(b), p.left)])
	p.left -= n
	if errors.Is(err, io.EOF) && p.left > 0 {
		return n, fmt.Errorf("%w: %d bytes of XML less than announced", ErrMalformed, p.left)
	}
	if errors.Is(err, io.EOF) {
		err = nil // end says so
	}
	return n, err
}

// end is io.EOF if nothing follows but the NUL, which is not always compressed with the
// text.
func (p *plainText) end() error {
	var rest [2]byte
	n, err := io.ReadFull(p.from, rest[:])
	switch {
	case n > 1, n == 1 && rest[0] != 0:
		return fmt.Errorf("%w: more XML than announced", ErrMalformed)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.EOF
	}
	return err
}
