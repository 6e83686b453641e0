package qb

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// largestFile is more than any ring of a server with sane settings: it keeps a
// server from making us map whatever it likes.
const largestFile = 1 << 30

// mapFile maps a whole file of the server for reading and writing.
func mapFile(path string, least int) ([]byte, error) {
	// O_NONBLOCK: what the server names may be a FIFO, and an open must not hang.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("%w: %s is not a file", ErrMalformed, path)
	}
	if st.Size < int64(least) || st.Size > largestFile {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrMalformed, path, st.Size)
	}
	b, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	return b, nil
}

// mapping is a ring's two files in memory.
type mapping struct {
	*ring
	files [][]byte
	base  string
}

// mapRing maps the ring that the server calls base. The header repeats the data
// file's name; libqb makes it from base, and so do we rather than believe the memory.
func mapRing(base string, limit, pointer int) (_ *mapping, err error) {
	m := &mapping{base: base}
	defer func() {
		if err != nil {
			m.unmap()
		}
	}()
	for _, f := range []struct {
		suffix string
		least  int
	}{{"-header", headerSize}, {"-data", limit + chunkMargin}} {
		b, err := mapFile(base+f.suffix, f.least)
		if err != nil {
			return nil, err
		}
		m.files = append(m.files, b)
	}
	err = guard(func() error {
		if m.ring, err = newRing(m.files[0], m.files[1], limit, pointer); err == nil {
			m.attach()
		}
		return err
	})
	return m, err
}

// unmap lets go of the ring. Nobody may use it any more.
func (m *mapping) unmap() {
	if m.ring != nil {
		// A ring that is gone has no count to keep.
		_ = guard(func() error { m.detach(); return nil })
	}
	for _, b := range m.files {
		_ = unix.Munmap(b) // fails for what is not mapped only
	}
	m.files = nil
}
