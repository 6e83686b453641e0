package wait_test

import (
	"context"
	"testing"
	"time"

	"holdfast/tests/chaos/wait"
)

func TestFor(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	start := time.Now()
	for _, test := range []struct {
		name string
		ctx  context.Context
		d    time.Duration
		want bool
	}{
		{"a while", t.Context(), 20 * time.Millisecond, true},
		{"not at all", t.Context(), 0, true},
		{"a time that is over", t.Context(), -time.Hour, true},
		{"nobody wants it", ended, time.Hour, false},
		{"nobody wants it, and it is over", ended, -time.Hour, false},
	} {
		if got := wait.For(test.ctx, test.d); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if took := time.Since(start); took < 20*time.Millisecond || took > time.Minute {
		t.Errorf("it took %v", took)
	}
}
