package qb

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How long Keep waits between two attempts to connect. An abstract name tells nobody
// when somebody listens on it.
const (
	firstRetry   = 50 * time.Millisecond
	longestRetry = 2 * time.Second
)

// Keep connects to a service and runs serve with the connection, again and again, until
// serve returns nil or ctx ends; it returns ctx's cause then, and nil otherwise. The
// connection is closed when serve returns, whose error says why it could not go on.
//
// Whatever happened between two connections is unknown: serve must begin by asking for
// the present state. report, if not nil, is told every error in between, so that a gap
// is never silent; the same one many times if the service stays away.
func (d *Dialer) Keep(ctx context.Context, service string, serve func(context.Context, *Conn) error, report func(error)) error {
	for pause := firstRetry; ; pause = min(2*pause, longestRetry) {
		connected, err := d.once(ctx, service, serve)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if report != nil {
			report(err)
		}
		if connected {
			pause = firstRetry
		}
		// Nothing interrupts but ctx.
		if err := sleep(ctx, pause, nil); err != nil {
			return err
		}
	}
}

// once connects and serves; it says whether there was a connection.
func (d *Dialer) once(ctx context.Context, service string, serve func(context.Context, *Conn) error) (bool, error) {
	c, err := d.Dial(ctx, service)
	if err != nil {
		return false, err
	}
	err = serve(ctx, c)
	if closing := c.Close(); err == nil {
		return true, closing
	}
	if errors.Is(err, ErrDisconnected) {
		err = fmt.Errorf("%s, process %d: %w", service, c.Peer().PID, err)
	}
	return true, err
}
