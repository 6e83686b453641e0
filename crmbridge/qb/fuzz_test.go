package qb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// FuzzRingTake reads from a ring that holds anything.
func FuzzRingTake(f *testing.F) {
	head, data := memory(64)
	w, err := newRing(head, data, 100, offWrite)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), uint32(0), uint32(64), 100, []byte{})
	for size := minMessage; w.put(message(1, size)) == nil; size += 7 {
		f.Add(w.at, uint32(0), uint32(64), 100, bytes.Clone(data))
	}
	f.Add(uint32(63), uint32(62), uint32(64), 1<<30, bytes.Repeat([]byte{0xA1}, 256))
	f.Fuzz(func(t *testing.T, write, read, words uint32, limit int, content []byte) {
		if limit < 0 {
			return // agreed in the handshake, never negative
		}
		head, data := memory(max(len(content)/4, 1))
		copy(data, content)
		binary.NativeEndian.PutUint32(head[offWrite:], write)
		binary.NativeEndian.PutUint32(head[offRead:], read)
		binary.NativeEndian.PutUint32(head[offWords:], words)
		r, err := newRing(head, data, limit, offRead)
		if err != nil {
			return
		}
		// A chunk that was taken is dead: no content can give more chunks than fit.
		for range r.words/chunkHeader + 1 {
			b, err := r.take()
			if err != nil {
				if !errors.Is(err, ErrMalformed) {
					t.Fatalf("an error without a name: %v", err)
				}
				return
			}
			if len(b) > limit {
				t.Fatalf("a message of %d bytes, the limit is %d", len(b), limit)
			}
		}
		t.Fatal("a ring without an end")
	})
}

// FuzzRingPut writes to a ring whose reader moves its pointer at will.
func FuzzRingPut(f *testing.F) {
	f.Add(uint32(0), uint32(5), uint32(63), uint(16), uint(40))
	f.Add(uint32(64), uint32(0), uint32(1), uint(0), uint(100))
	f.Fuzz(func(t *testing.T, start, second, third uint32, size1, size2 uint) {
		const words, limit = 64, 200
		head, data := memory(words)
		binary.NativeEndian.PutUint32(head[offWrite:], start)
		w, err := newRing(head, data, limit, offWrite)
		if err != nil {
			return
		}
		for i, read := range []uint32{second, third} {
			binary.NativeEndian.PutUint32(head[offRead:], read)
			size := int([]uint{size1, size2}[i] % (limit + 2))
			err := w.put(make([]byte, size))
			if err == nil && read >= words {
				t.Fatalf("put beside a pointer to word %d of %d", read, words)
			}
			if err != nil && !errors.Is(err, errFull) && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("an error without a name: %v", err)
			}
			if w.at >= words {
				t.Fatalf("the pointer is at word %d of %d", w.at, words)
			}
		}
	})
}

// FuzzGreeting parses an answer to the handshake.
func FuzzGreeting(f *testing.F) {
	valid := make([]byte, responseSize)
	id := int32(idAuthenticate)
	binary.NativeEndian.PutUint32(valid[0:], uint32(id))
	binary.NativeEndian.PutUint32(valid[8:], responseSize)
	binary.NativeEndian.PutUint32(valid[24:], uint32(SharedMemory))
	binary.NativeEndian.PutUint32(valid[28:], 131072)
	for i := range 3 {
		copy(valid[40+i*pathSize:], "/dev/shm/qb-1-2-3-abc/qb-ring")
	}
	f.Add(valid[:64], []byte("/dev/shm/x"))
	f.Add(valid[:40], []byte("../../etc/passwd"))
	f.Add([]byte{}, bytes.Repeat([]byte("/"), pathSize))
	f.Fuzz(func(t *testing.T, start, path []byte) {
		b := bytes.Clone(valid)
		copy(b, start)
		copy(b[40:40+pathSize], path)
		g, err := parseGreeting(b, defaultCeiling)
		if err != nil {
			return
		}
		if g.limit < minMessage || g.limit > defaultCeiling {
			t.Fatalf("agreed to messages of %d bytes", g.limit)
		}
		if !strings.HasPrefix(g.request, "/") || strings.Contains(g.request, "/../") || strings.ContainsRune(g.request, 0) {
			t.Fatalf("agreed to the path %q", g.request)
		}
	})
}

// FuzzBody checks message headers.
func FuzzBody(f *testing.F) {
	f.Add(message(1, 20))
	f.Add(message(1, 20)[:17])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := body(b)
		if err == nil && (len(m) < minMessage || !bytes.HasPrefix(b, m)) {
			t.Fatalf("%d bytes of %d", len(m), len(b))
		}
	})
}
