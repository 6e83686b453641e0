package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// screen prints for people. Its methods may be called from several goroutines.
type screen struct {
	mu     sync.Mutex
	out    io.Writer
	failed error
}

// broken is why people cannot read all of it, as on a full disk; the first error stays.
func (s *screen) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// print writes a text; the caller holds the lock.
func (s *screen) print(text string) {
	if _, err := io.WriteString(s.out, text); err != nil && s.failed == nil {
		s.failed = fmt.Errorf("write the log: %w", err)
	}
}

// tell prints one line with its time, like
//
//	[14:02:10.450] [SUCCESS] Connected to db1
func (s *screen) tell(at time.Time, k kind, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(fmt.Sprintf("[%s] %-9s %s\n", at.Format("15:04:05.000"), "["+string(k)+"]", fmt.Sprintf(format, args...)))
}

// plain prints a text as it is.
func (s *screen) plain(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(text)
}
