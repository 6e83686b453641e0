package qb

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// The shared header of a ring: struct qb_ringbuffer_shared_s in lib/ringbuffer_int.h.
const (
	offWrite     = 0    // uint32, in words
	offRead      = 4    // uint32, in words
	offWords     = 8    // uint32, the ring's size
	offReference = 8204 // int32, after two paths of PATH_MAX
	offSemaphore = 8208 // sem_t
	offUser      = 8240 // int32: on the request ring, flow control
	headerSize   = 8248 // the least that a header file may have
)

// A chunk is a word with its length in bytes, a word with its state, and its bytes,
// padded to a word (lib/ringbuffer.c).
const (
	chunkHeader = 2
	chunkMargin = 4 * (chunkHeader + 1) // what libqb leaves free, in bytes
	chunkReady  = 0xA1A1A1A1
	chunkDead   = 0xD0D0D0D0
	chunkAlloc  = 0xA110CED0
	// attached is the reference count of a ring with a server and its client.
	attached = 2
)

// errFull is a ring without room for a message now.
var errFull = errors.New("the ring is full")

// ring is one direction of a shared memory connection, seen by one of its two ends.
// Everything in head and data may change at any time to anything; words, limit and
// at are ours.
type ring struct {
	head, data []byte
	words      uint32
	limit      int    // largest message, in bytes
	at         uint32 // where we write next or read next
}

// newRing checks a mapped header against its mapped data. With pointer, offWrite or
// offRead, it says which of the two pointers is ours to move.
func newRing(head, data []byte, limit, pointer int) (*ring, error) {
	if len(head) < headerSize {
		return nil, fmt.Errorf("%w: a ring header of %d bytes", ErrMalformed, len(head))
	}
	r := &ring{head: head, data: data, limit: limit}
	r.words = atomic.LoadUint32(r.field(offWords))
	size := uint64(r.words) * 4
	if size > uint64(len(data)) || size < uint64(limit)+chunkMargin {
		return nil, fmt.Errorf("%w: a ring of %d words in %d bytes, for messages of up to %d",
			ErrMalformed, r.words, len(data), limit)
	}
	at, err := r.pointer(pointer)
	if err != nil {
		return nil, err
	}
	r.at = at
	return r, nil
}

func (r *ring) field(offset int) *uint32 { return (*uint32)(unsafe.Pointer(&r.head[offset])) }

func (r *ring) word(i uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.data[i%r.words*4])) }

func (r *ring) semaphore() semaphore {
	return semaphore{(*uint64)(unsafe.Pointer(&r.head[offSemaphore]))}
}

// pointer reads a pointer that the other side moves.
func (r *ring) pointer(offset int) (uint32, error) {
	p := atomic.LoadUint32(r.field(offset))
	if p >= r.words {
		return 0, fmt.Errorf("%w: a pointer to word %d of a ring of %d", ErrMalformed, p, r.words)
	}
	return p, nil
}

// take removes the next chunk. The caller has taken one from the semaphore, so there
// must be a whole one.
func (r *ring) take() ([]byte, error) {
	if state := atomic.LoadUint32(r.word(r.at + 1)); state != chunkReady {
		return nil, fmt.Errorf("%w: a chunk in state %#x at word %d", ErrMalformed, state, r.at)
	}
	end, err := r.pointer(offWrite)
	if err != nil {
		return nil, err
	}
	size := atomic.LoadUint32(r.word(r.at))
	span := chunkHeader + (uint64(size)+3)/4
	// libqb's margin keeps a ring from ever being full to the last word: equal
	// pointers mean an empty one.
	used := uint64((end + r.words - r.at) % r.words)
	if uint64(size) > uint64(r.limit) || span > used {
		return nil, fmt.Errorf("%w: a chunk of %d bytes in %d used words of a ring for messages of up to %d",
			ErrMalformed, size, used, r.limit)
	}
	message := make([]byte, size)
	n := copy(message, r.data[(r.at+chunkHeader)%r.words*4:r.words*4])
	copy(message[n:], r.data)
	// In this order: a writer that sees the pointer must find the header cleared.
	atomic.StoreUint32(r.word(r.at), 0)
	atomic.StoreUint32(r.word(r.at+1), chunkDead)
	r.at = uint32((uint64(r.at) + span) % uint64(r.words))
	atomic.StoreUint32(r.field(offRead), r.at)
	return message, nil
}

// put appends a chunk and posts the semaphore; errFull asks to try later.
func (r *ring) put(message []byte) error {
	if len(message) > r.limit {
		return fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, len(message), r.limit)
	}
	read, err := r.pointer(offRead)
	if err != nil {
		return err
	}
	free := r.words // equal pointers: empty
	if read != r.at {
		free = (read+r.words-r.at)%r.words - 1
	}
	if uint64(len(message))+chunkMargin > uint64(free)*4 {
		return errFull
	}
	atomic.StoreUint32(r.word(r.at), 0)
	atomic.StoreUint32(r.word(r.at+1), chunkAlloc)
	n := copy(r.data[(r.at+chunkHeader)%r.words*4:r.words*4], message)
	copy(r.data, message[n:])
	atomic.StoreUint32(r.word(r.at), uint32(len(message)))
	next := (r.at + chunkHeader + uint32(len(message)+3)/4) % r.words
	atomic.StoreUint32(r.field(offWrite), next)
	atomic.StoreUint32(r.word(r.at+1), chunkReady)
	r.at = next
	return r.semaphore().post()
}

// attach and detach count us as a user of the ring.
func (r *ring) attach() { r.reference(1) }
func (r *ring) detach() { r.reference(-1) }

func (r *ring) reference(delta int32) {
	atomic.AddInt32((*int32)(unsafe.Pointer(r.field(offReference))), delta)
}

// held says that the server asks its clients to hold their requests; a server that
// has let go of the ring gives ErrDisconnected (qb_ipc_shm_fc_get).
func (r *ring) held() (bool, error) {
	if n := atomic.LoadUint32(r.field(offReference)); n != attached {
		return false, ErrDisconnected
	}
	return int32(atomic.LoadUint32(r.field(offUser))) > 0, nil
}
