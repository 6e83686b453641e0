package qb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// memory makes a ring of words words in ordinary memory.
func memory(words int) (head, data []byte) {
	h, d := make([]uint64, (headerSize+7)/8), make([]uint64, (words+1)/2)
	head = unsafe.Slice((*byte)(unsafe.Pointer(&h[0])), headerSize)
	data = unsafe.Slice((*byte)(unsafe.Pointer(&d[0])), words*4)
	binary.NativeEndian.PutUint32(head[offWords:], uint32(words))
	return head, data
}

func TestRingThatLies(t *testing.T) {
	const words, limit = 64, 100
	put32 := func(b []byte, v uint32) { binary.NativeEndian.PutUint32(b, v) }
	for _, test := range []struct {
		name string
		lie  func(head, data []byte)
	}{
		{"more words than bytes", func(head, _ []byte) { put32(head[offWords:], words+1) }},
		{"no words", func(head, _ []byte) { put32(head[offWords:], 0) }},
		{"words that overflow", func(head, _ []byte) { put32(head[offWords:], math.MaxUint32) }},
		{"read pointer beyond the end", func(head, _ []byte) { put32(head[offRead:], words) }},
		{"write pointer beyond the end", func(head, _ []byte) { put32(head[offWrite:], math.MaxUint32) }},
		{"write pointer back at the read pointer", func(head, _ []byte) { put32(head[offWrite:], 0) }},
		{"write pointer inside the chunk", func(head, _ []byte) { put32(head[offWrite:], 3) }},
		{"length beyond the limit", func(_, data []byte) { put32(data, limit+1) }},
		{"length that overflows", func(_, data []byte) { put32(data, math.MaxUint32) }},
		{"length that overflows when padded", func(_, data []byte) { put32(data, math.MaxUint32-2) }},
		{"chunk that is not ready", func(_, data []byte) { put32(data[4:], chunkAlloc) }},
		{"chunk that is dead", func(_, data []byte) { put32(data[4:], chunkDead) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			head, data := memory(words)
			w, err := newRing(head, data, limit, offWrite)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.put(message(1, 60)); err != nil {
				t.Fatal(err)
			}
			test.lie(head, data)
			r, err := newRing(head, data, limit, offRead)
			if err == nil {
				_, err = r.take()
			}
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("taken with %v", err)
			}
		})
	}
}

func TestRingFillsAndEmpties(t *testing.T) {
	const words = 50
	head, data := memory(words)
	w, err := newRing(head, data, 4*words-chunkMargin, offWrite)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRing(head, data, 4*words-chunkMargin, offRead)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var written, read int32
	for range 10_000 {
		for {
			err := w.put(message(written, minMessage+random.IntN(4*words-chunkMargin-minMessage+1)))
			if errors.Is(err, errFull) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			written++
		}
		for n := 1 + random.IntN(3); n > 0 && read < written; n-- {
			b, err := r.take()
			if err != nil || idOf(b) != read {
				t.Fatalf("message %d: %v", read, err)
			}
			read++
		}
	}
}

func TestSemaphoreThatNeverSettles(t *testing.T) {
	state := uint64(0)
	s := semaphore{&state}
	var stop sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	stop.Go(func() {
		for ctx.Err() == nil {
			_ = wake(s.value())
		}
	})
	err := s.wait(ctx, nil)
	if !errors.Is(err, ErrMalformed) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
	stop.Wait()
	if state != 0 {
		t.Errorf("the semaphore has %#x waiters left", state)
	}
}

// TestServerTruncatesItsRings pulls the memory away under the client, which must end
// with an error and not with the process.
func TestServerTruncatesItsRings(t *testing.T) {
	for _, suffix := range []string{"-header", "-data"} {
		t.Run(suffix, func(t *testing.T) {
			s := startServer(t, SharedMemory)
			c, p := s.dial(t, Dialer{})
			asleep := make(chan error)
			short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			go func() {
				_, err := c.Receive(short)
				asleep <- err
			}()
			time.Sleep(10 * time.Millisecond) // mostly asleep by then; it must end either way
			for _, ring := range []string{"-request-x", "-response-x", "-event-x"} {
				if err := os.Truncate(p.base+ring+suffix, 0); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case err := <-asleep:
				if !errors.Is(err, ErrMalformed) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a receive that was asleep ended with %v", err)
				}
			case <-time.After(patience):
				t.Fatal("a receive that was asleep did not wake")
			}
			if err := c.Send(deadline(t, patience), message(1, 20)); !errors.Is(err, ErrMalformed) {
				t.Errorf("send: %v", err)
			}
			if _, err := p.setup.Write([]byte{0}); err != nil && c.Err() == nil {
				t.Fatal(err)
			}
			if _, err := c.Event(deadline(t, patience)); !errors.Is(err, ErrMalformed) {
				t.Errorf("event: %v", err)
			}
		})
	}
}

// TestServerScribbles lets the server write anything anywhere in the rings while the
// client uses them.
func TestServerScribbles(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := startServer(t, SharedMemory)
			c, p := s.dial(t, Dialer{})
			ctx := deadline(t, 50*time.Millisecond)
			var wg sync.WaitGroup
			wg.Go(func() { scribble(ctx, p, rand.New(rand.NewPCG(seed, 0))) })
			wg.Go(func() {
				for ctx.Err() == nil && c.Err() == nil {
					_, _ = c.Event(ctx)
				}
			})
			wg.Go(func() {
				for ctx.Err() == nil && c.Err() == nil {
					_, _ = c.Receive(ctx)
				}
			})
			for i := int32(0); ctx.Err() == nil && c.Err() == nil; i++ {
				_ = c.Send(ctx, message(i, minMessage+int(i)%200))
			}
			wg.Wait()
			if err := c.Err(); err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrDisconnected) && !errors.Is(err, ErrAbandoned) {
				t.Errorf("ended with %v", err)
			}
			c.Close()
		})
	}
}

func scribble(ctx context.Context, p *peer, random *rand.Rand) {
	interesting := []uint32{0, 1, 2, 3, 100, chunkReady, chunkDead, chunkAlloc, math.MaxUint32, math.MaxInt32}
	end, _ := ctx.Deadline()
	_ = p.setup.SetWriteDeadline(end) // a client that gave up does not read
	for ctx.Err() == nil {
		m := []*mapping{p.request, p.response, p.event}[random.IntN(3)]
		value := interesting[random.IntN(len(interesting))]
		if random.IntN(2) == 0 {
			value = random.Uint32N(m.words + 1)
		}
		place := m.word(random.Uint32N(16))
		switch random.IntN(4) {
		case 0:
			place = m.field([]int{offWrite, offRead, offWords, offSemaphore, offSemaphore + 4}[random.IntN(5)])
		case 1:
			_ = p.event.put(message(1, minMessage+random.IntN(100)))
			_, _ = p.setup.Write([]byte{0})
			continue
		}
		*place = value
	}
}

func TestMalformedMessagesEndTheConnection(t *testing.T) {
	for name, b := range map[string][]byte{
		"no header":             make([]byte, 8),
		"nothing":               {},
		"a size beyond the end": message(1, 100)[:50],
		"a negative size":       append(make([]byte, 8), 255, 255, 255, 255, 255, 255, 255, 255),
	} {
		t.Run(name, func(t *testing.T) {
			bothModes(t, func(t *testing.T, s *server) {
				c, p := s.dial(t, Dialer{})
				p.mustNotify(message(1, 100))
				p.mustNotify(b)
				if e, err := c.Event(deadline(t, patience)); err != nil || idOf(e.Data) != 1 {
					t.Errorf("the event before: %v", err)
				}
				if _, err := c.Event(deadline(t, patience)); !errors.Is(err, ErrMalformed) {
					t.Errorf("event: %v", err)
				}
				c, p = s.dial(t, Dialer{})
				if !p.respond(b) {
					t.Fatal("the server could not respond")
				}
				if _, err := c.Receive(deadline(t, patience)); !errors.Is(err, ErrMalformed) || !errors.Is(c.Err(), ErrMalformed) {
					t.Errorf("response: %v, connection: %v", err, c.Err())
				}
			})
		})
	}
}

func TestFilesThatAreNoRings(t *testing.T) {
	directory := t.TempDir()
	file := func(name string, size int) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	short := file("short", 10)
	link := filepath.Join(directory, "link")
	if err := os.Symlink(file("whole", headerSize), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{short, link, directory, filepath.Join(directory, "none"), "/dev/null"} {
		if _, err := mapFile(path, headerSize); err == nil {
			t.Errorf("%s was mapped", path)
		}
	}
}

func TestRingsOfADeadServerAreRemoved(t *testing.T) {
	dead := exec.CommandContext(t.Context(), "true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	create := func(pid int) (directory, base string) {
		directory = fmt.Sprintf("%s/qb-%d-1-1-test%d", sharedMemory, pid, os.Getpid())
		if err := os.Mkdir(directory, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(directory) })
		base = directory + "/qb-event-x"
		for _, suffix := range []string{"-header", "-data"} {
			if err := os.WriteFile(base+suffix, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return directory, base
	}
	gone, base := create(dead.Process.Pid)
	tidy(int32(dead.Process.Pid), []string{base})
	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("the rings of a dead server are still there (%v)", err)
	}
	alive, base := create(os.Getpid())
	tidy(int32(os.Getpid()), []string{base})
	tidy(int32(dead.Process.Pid), []string{base})
	if _, err := os.Stat(alive); err != nil {
		t.Errorf("the rings of a living server were removed (%v)", err)
	}
}
