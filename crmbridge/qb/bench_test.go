package qb

import (
	"fmt"
	"testing"
)

// BenchmarkRequest is one request and its response, both processes being this one.
func BenchmarkRequest(b *testing.B) {
	for _, mode := range []Mode{SharedMemory, Socket} {
		for _, size := range []int{100, 10_000} {
			b.Run(fmt.Sprintf("%v/%d", mode, size), func(b *testing.B) {
				c, p := startServer(b, mode).dial(b, Dialer{})
				go p.echo()
				request := message(1, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Request(b.Context(), request); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkEvents is a storm of events of the size of a CIB diff.
func BenchmarkEvents(b *testing.B) {
	for _, mode := range []Mode{SharedMemory, Socket} {
		b.Run(mode.String(), func(b *testing.B) {
			s := startServer(b, mode)
			s.limit = 128 << 10 // Pacemaker's
			c, p := s.dial(b, Dialer{})
			event := message(1, 3000)
			b.SetBytes(int64(len(event)))
			b.ReportAllocs()
			go func() {
				for range b.N {
					p.mustNotify(event)
				}
			}()
			for range b.N {
				if _, err := c.Event(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRing is the ring alone.
func BenchmarkRing(b *testing.B) {
	head, data := memory(33792)
	w, err := newRing(head, data, 131072, offWrite)
	if err != nil {
		b.Fatal(err)
	}
	r, err := newRing(head, data, 131072, offRead)
	if err != nil {
		b.Fatal(err)
	}
	event := message(1, 3000)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.put(event); err != nil {
			b.Fatal(err)
		}
		if _, err := r.take(); err != nil {
			b.Fatal(err)
		}
	}
}
