package main

import (
	"fmt"
	"log/slog"
	"time"
)

// narrator is a consumer that tells everything to the log.
type narrator struct{ log *slog.Logger }

var _ consumer = narrator{}

func (n narrator) take(o observation) (time.Time, error) {
	n.log.Debug("observed", "source", o.source, "received", o.received, "what", fmt.Sprintf("%T%+v", o.what, o.what))
	return time.Time{}, nil
}

func (n narrator) wake(time.Time) (time.Time, error) { return time.Time{}, nil }
