package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// consumer makes something of what was observed. It may ask to be woken at a time even
// if nothing happens until then; the zero time is never.
type consumer interface {
	take(o observation) (wake time.Time, err error)
	wake(now time.Time) (again time.Time, err error)
}

// loop is the one goroutine that everything goes through.
type loop struct {
	consumer consumer
	log      *slog.Logger
	watchdog time.Duration // how often systemd wants to hear of us; 0 for never
	sight    map[sourceName]bool
	status   string
}

func newLoop(c consumer, log *slog.Logger) (*loop, error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, fmt.Errorf("read what systemd wants of a watchdog: %w", err)
	}
	return &loop{consumer: c, log: log, watchdog: interval / 2, sight: map[sourceName]bool{}}, nil
}

// run takes observations until ctx ends, and gives its cause. It tells systemd that it
// is alive from this very loop: one that hangs is started again.
func (l *loop) run(ctx context.Context, observations <-chan observation) error {
	if err := notify(daemon.SdNotifyReady); err != nil {
		return err
	}
	var alive <-chan time.Time
	if l.watchdog > 0 {
		ticker := time.NewTicker(l.watchdog)
		defer ticker.Stop()
		alive = ticker.C
	}
	alarm := time.NewTimer(0)
	alarm.Stop()
	defer alarm.Stop()
	for {
		var next time.Time
		var err error
		select {
		case o := <-observations:
			l.look(o)
			next, err = l.consumer.take(o)
		case now := <-alarm.C:
			next, err = l.consumer.wake(now)
		case <-alive:
			if err := notify(daemon.SdNotifyWatchdog); err != nil {
				return err
			}
			continue
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		alarm.Stop()
		if !next.IsZero() {
			alarm.Reset(max(time.Until(next), 0))
		}
	}
}

// look keeps the status that systemctl status shows.
func (l *loop) look(o observation) {
	switch o.what.(type) {
	case seeing:
		l.sight[o.source] = true
	case blind:
		l.sight[o.source] = false
	default:
		return
	}
	status := "STATUS=following everything"
	if missing := l.missing(); missing != "" {
		status = "STATUS=blind for " + missing
	}
	if status == l.status {
		return
	}
	l.status = status
	if err := notify(status); err != nil {
		l.log.Warn("tell systemd the status", "error", err)
	}
}

func (l *loop) missing() string {
	text := ""
	for _, name := range allSources() {
		if !l.sight[name] {
			text += " " + string(name)
		}
	}
	if text == "" {
		return ""
	}
	return text[1:]
}

// notify tells systemd, if it started us and wants to know.
func notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("tell systemd %s: %w", state, err)
	}
	return nil
}
