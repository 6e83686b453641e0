package qb

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// waiter is one waiting thread in glibc's semaphore: the low half of the word is
	// the value, the high half how many wait (struct new_sem).
	waiter = uint64(1) << 32

	// futile is how often the word may change without giving us anything. A server
	// that posts honestly never needs a second try: nobody else takes from the rings
	// that we read.
	futile = 10_000

	// Operations of futex(2), without FUTEX_PRIVATE_FLAG: the word is shared.
	futexWait = 0
	futexWake = 1
)

// errInterrupted is a wait that ended because it was asked to.
var errInterrupted = errors.New("interrupted")

// semaphore is a process-shared POSIX semaphore of glibc in mapped memory. It only
// works on machines with 64 bits.
type semaphore struct{ state *uint64 }

// The layout of a 32-bit machine's sem_t is another one: do not compile there.
const _ = uint(unsafe.Sizeof(uintptr(0)) - 8)

// value is the half of the word that futexes wait on; on little-endian machines the
// first.
func (s semaphore) value() *uint32 { return (*uint32)(unsafe.Pointer(s.state)) }

// tryWait takes one from the semaphore if it can.
func (s semaphore) tryWait() (bool, error) {
	for range futile {
		d := atomic.LoadUint64(s.state)
		if uint32(d) == 0 {
			return false, nil
		}
		if atomic.CompareAndSwapUint64(s.state, d, d-1) {
			return true, nil
		}
	}
	return false, fmt.Errorf("%w: a semaphore that never settles", ErrMalformed)
}

// post adds one and wakes somebody if somebody waits.
func (s semaphore) post() error {
	if atomic.AddUint64(s.state, 1)/waiter == 0 {
		return nil
	}
	return wake(s.value())
}

func wake(word *uint32) error {
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("%w: wake the waiter of a semaphore: %w", ErrMalformed, errno)
	}
	return nil
}

// sleeper is a goroutine that waits for a semaphore.
type sleeper struct {
	stop   atomic.Bool  // it shall leave
	thread atomic.Int32 // that it blocks, once it does
}

// wait takes one from the semaphore, and blocks a thread until it can, until ctx
// ends (its cause is returned), or until lost is closed (errInterrupted).
func (s semaphore) wait(ctx context.Context, lost <-chan struct{}) error {
	if ok, err := s.tryWait(); ok || err != nil {
		return err
	}
	var who sleeper
	left, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		s.interrupt(ctx, lost, left, &who)
	}()
	err := guard(func() error { return s.sleep(&who) })
	close(left)
	<-gone // the memory may be unmapped as soon as we return
	if errors.Is(err, errInterrupted) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// interrupt makes the sleeper leave when ctx or the connection ends. The sleeper may
// be on its way into the kernel, where a single wake would miss it: so it is woken
// until it has left.
func (s semaphore) interrupt(ctx context.Context, lost, left <-chan struct{}, who *sleeper) {
	select {
	case <-left:
		return
	case <-ctx.Done():
	case <-lost:
	}
	who.stop.Store(true)
	for {
		if wake(s.value()) != nil {
			// The memory was taken away under the sleeper, and the kernel no longer
			// finds it by its address. A signal makes the kernel look at the address
			// again; SIGURG is the one that the Go runtime sends itself.
			_ = unix.Tgkill(unix.Getpid(), int(who.thread.Load()), unix.SIGURG)
		}
		select {
		case <-left:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// sleep is the slow path of glibc's sem_wait.
func (s semaphore) sleep(who *sleeper) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	who.thread.Store(int32(unix.Gettid()))
	atomic.AddUint64(s.state, waiter)
	for range futile {
		if d := atomic.LoadUint64(s.state); uint32(d) > 0 {
			if atomic.CompareAndSwapUint64(s.state, d, d-1-waiter) {
				return nil
			}
			continue
		}
		if who.stop.Load() {
			atomic.AddUint64(s.state, ^(waiter - 1))
			return errInterrupted
		}
		if err := s.park(&who.stop); err != nil {
			return err
		}
	}
	atomic.AddUint64(s.state, ^(waiter - 1))
	return fmt.Errorf("%w: a semaphore that wakes without a reason", ErrMalformed)
}

// park blocks until the value is not zero, or somebody wakes.
func (s semaphore) park(stop *atomic.Bool) error {
	for !stop.Load() {
		_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(s.value())), futexWait, 0, 0, 0, 0)
		switch errno {
		case 0, unix.EAGAIN:
			return nil
		case unix.EINTR: // the Go runtime's signals; they must not count as futile
		default:
			return fmt.Errorf("%w: wait for a semaphore: %w", ErrMalformed, errno)
		}
	}
	return nil
}
