package kernel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Clock is how far this machine's clock can be trusted, by the kernel.
type Clock struct {
	// Synchronized says that somebody keeps the clock right (STA_UNSYNC is not set).
	Synchronized bool
	// MaxError bounds how wrong it is, and Error estimates it; both grow while nobody
	// keeps it right. They mean nothing while Synchronized is false.
	MaxError, Error time.Duration
}

// ReadClock asks the kernel, adjtimex(2).
func ReadClock() (Clock, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return Clock{}, fmt.Errorf("ask the kernel about its clock: %w", err)
	}
	return Clock{
		Synchronized: state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0,
		MaxError:     time.Duration(t.Maxerror) * time.Microsecond,
		Error:        time.Duration(t.Esterror) * time.Microsecond,
	}, nil
}

// Uptime is CLOCK_MONOTONIC: the time that no clock setting changes, as the journal and
// systemd count it.
func Uptime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0, fmt.Errorf("read the monotonic clock: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// Step is a jump of the clock.
type Step struct {
	Received time.Time     // by the clock after it
	By       time.Duration // positive: forwards
}

// Steps waits for jumps of the clock.
type Steps struct {
	timer  *os.File
	offset time.Duration // of the clock from the monotonic one
}

// FollowSteps begins to wait: a timer at the end of time, which the kernel cancels when
// somebody sets the clock (TFD_TIMER_CANCEL_ON_SET).
func FollowSteps() (*Steps, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("follow the clock: %w", err)
	}
	s := &Steps{timer: os.NewFile(uintptr(fd), "timerfd")}
	if err := s.begin(); err != nil {
		s.timer.Close()
		return nil, fmt.Errorf("follow the clock: %w", err)
	}
	return s, nil
}

// begin sets the timer and remembers where the clock stands.
func (s *Steps) begin() error {
	raw, err := s.timer.SyscallConn()
	if err != nil {
		return err
	}
	never := unix.ItimerSpec{Value: unix.Timespec{Sec: math.MaxInt32 << 16}}
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &never, nil)
	}); err != nil {
		return err
	}
	s.offset, err = offset()
	// A step between two of these calls is reported late, with the next one.
	return errors.Join(set, err)
}

// Next waits for the next jump, until ctx ends.
func (s *Steps) Next(ctx context.Context) (Step, error) {
	if err := s.wait(ctx); err != nil {
		return Step{}, err
	}
	before := s.offset
	if err := s.begin(); err != nil {
		return Step{}, fmt.Errorf("follow the clock: %w", err)
	}
	return Step{Received: time.Now(), By: s.offset - before}, nil
}

// wait returns when the timer was cancelled.
func (s *Steps) wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.timer.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var expirations [8]byte
	_, err := s.timer.Read(expirations[:])
	switch {
	case errors.Is(err, unix.ECANCELED):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		return errors.New("follow the clock: the end of time has come")
	}
	return fmt.Errorf("follow the clock: %w", err)
}

// Close ends the waiting.
func (s *Steps) Close() error { return s.timer.Close() }

func offset() (time.Duration, error) {
	up, err := Uptime()
	return time.Duration(time.Now().UnixNano()) - up, err
}
