package main

import (
	"os"
	"testing"
	"time"
)

// A server that ends slowly because it has much to write must not be killed for it.
func TestAServerThatDoesNothingIsToldFromOneThatEndsSlowly(t *testing.T) {
	for name, test := range map[string]struct {
		perSecond activity
		want      bool
	}{
		"nothing at all":          {activity{}, true},
		"a thread that wakes up":  {activity{ticks: 0}, true},
		"writes its buffer pool":  {activity{written: 4096}, false},
		"computes":                {activity{ticks: 20}, false},
		"computes and it matters": {activity{ticks: 1}, false},
	} {
		var s stillness
		var a activity
		still := false
		for second := range 60 {
			still = still || s.look(time.Unix(int64(second), 0), a)
			a.ticks, a.written = a.ticks+test.perSecond.ticks, a.written+test.perSecond.written
		}
		if still != test.want {
			t.Errorf("%s: hangs %v, want %v", name, still, test.want)
		}
	}
}

func TestStillnessBeginsAgainWithEachSignOfLife(t *testing.T) {
	var s stillness
	for second, written := range []uint64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096, 4096} {
		if s.look(time.Unix(int64(second), 0), activity{written: written}) {
			t.Fatalf("hangs after %d s", second)
		}
	}
}

func TestActivityOfThisProcess(t *testing.T) {
	if _, ok := activityOf(os.Getpid()); !ok {
		t.Error("not known")
	}
	got, ok := parseActivity([]byte("339 (maria) db) S 1 339 339 0 -1 4194560 9 0 0 0 700 300 0 0 20 0 44 0 5 9 9"), []byte("rchar: 1\nwrite_bytes: 4096\ncancelled_write_bytes: 1\n"))
	if want := (activity{ticks: 1000, written: 4096}); !ok || got != want {
		t.Errorf("got %+v, %v; want %+v", got, ok, want)
	}
	for _, stat := range []string{"", "339 (mariadbd) S 1"} {
		if a, ok := parseActivity([]byte(stat), []byte("write_bytes: 1\n")); ok {
			t.Errorf("%q: %+v", stat, a)
		}
	}
}
