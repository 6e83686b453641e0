// Package wait lets time pass, but no longer than somebody still wants it.
package wait

import (
	"context"
	"time"
)

// For waits, not at all when d is not above zero; false when ctx ended first.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
