package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestDiskWatch(t *testing.T) {
	type look struct {
		after   time.Duration
		waits   diskWaits
		stalled bool
	}
	const s = time.Second
	for name, looks := range map[string][]look{
		"nobody waits":                    {{0, nil, false}, {9 * s, nil, false}},
		"one waits all the time":          {{0, diskWaits{7: 10}, false}, {s, diskWaits{7: 10}, false}, {2 * s, diskWaits{7: 10}, true}},
		"one waits again and again":       {{0, diskWaits{7: 10}, false}, {s, diskWaits{7: 11}, false}, {2 * s, diskWaits{7: 12}, false}, {3 * s, diskWaits{7: 13}, false}},
		"another one each time":           {{0, diskWaits{7: 10}, false}, {s, diskWaits{8: 10}, false}, {2 * s, diskWaits{7: 10}, false}},
		"one among others that are quick": {{0, diskWaits{7: 1, 8: 1}, false}, {s, diskWaits{7: 2, 8: 1}, false}, {2 * s, diskWaits{7: 3, 8: 1, 9: 1}, true}},
	} {
		var w diskWatch
		begin := time.Now()
		for i, l := range looks {
			if got := w.look(begin.Add(l.after), l.waits, 0); got != l.stalled {
				t.Errorf("%s: look %d says %v", name, i+1, got)
			}
		}
	}
}

// A server that wrote until a moment ago, and does not any more, has waited for longer than it was looked at.
func TestDiskWatchOfAServerThatHasStoppedWriting(t *testing.T) {
	const ms = time.Millisecond
	for name, x := range map[string]struct {
		quiet   time.Duration // at the second look
		waits   diskWaits     // at the second look
		after   time.Duration
		stalled bool
	}{
		"for long enough":             {1200 * ms, diskWaits{7: 10, 8: 20}, 500 * ms, true},
		"and others begin to wait":    {1200 * ms, diskWaits{7: 10, 8: 20, 9: 1}, 500 * ms, true},
		"not for long enough":         {1100 * ms, diskWaits{7: 10, 8: 20}, 500 * ms, false},
		"and it is looked at again":   {3000 * ms, diskWaits{7: 10, 8: 20}, 250 * ms, false},
		"and the disk answers this":   {3000 * ms, diskWaits{7: 11, 8: 21}, 500 * ms, false},
		"and the disk answers others": {3000 * ms, diskWaits{7: 10, 8: 21}, 500 * ms, false},
		"and the disk answered one":   {3000 * ms, diskWaits{7: 10}, 500 * ms, false},
	} {
		var w diskWatch
		begin := time.Now()
		if w.look(begin, diskWaits{7: 10, 8: 20}, x.quiet) {
			t.Errorf("%s: stalled at the first look", name)
		}
		if got := w.look(begin.Add(x.after), x.waits, x.quiet); got != x.stalled {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestDuring: no look goes on when what was done is over.
func TestDuring(t *testing.T) {
	looks := 0
	looked := make(chan struct{})
	clock{}.During(time.Millisecond, func() {
		if looks++; looks == 3 {
			close(looked)
		}
	}, func() { <-looked })
	before := looks
	clock{}.During(time.Hour, func() { t.Error("it looked too soon") }, func() {})
	if looks != before || looks < 3 {
		t.Errorf("%d looks, and %d later", before, looks)
	}
}

// TestDuringAPanic: the dispatcher has to get it, or the agent ends with 2.
func TestDuringAPanic(t *testing.T) {
	defer func() {
		if r := recover(); r != "as it happens" {
			t.Errorf("recovered %v", r)
		}
	}()
	looked := make(chan struct{})
	clock{}.During(time.Millisecond, func() {
		defer close(looked)
		panic("as it happens")
	}, func() { <-looked })
	t.Error("it went on")
}

func TestProcCounter(t *testing.T) {
	if n, ok := procCounter([]byte("Name:\tmariadbd\nState:\tD (disk sleep)\nvoluntary_ctxt_switches:\t4711\nnonvoluntary_ctxt_switches:\t3\n"), "voluntary_ctxt_switches"); n != 4711 || !ok {
		t.Errorf("%d, %v", n, ok)
	}
	if n, ok := procCounter([]byte("Name:\tmariadbd\n"), "voluntary_ctxt_switches"); ok {
		t.Errorf("%d of nothing", n)
	}
}

func TestDiskWaitsIn(t *testing.T) {
	tasks := t.TempDir()
	for thread, state := range map[string]string{"101": "S", "102": "D", "103": "R", "104": "D"} {
		dir := filepath.Join(tasks, thread)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		status := "Name:\tmariadbd\nvoluntary_ctxt_switches:\t" + thread + "\n"
		if thread == "104" { // it ends between two looks
			status = ""
		}
		for name, text := range map[string]string{"stat": thread + " (mariadbd) x) " + state + " 1 2 3", "status": status} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := diskWaitsIn(tasks); !maps.Equal(got, diskWaits{102: 102}) {
		t.Errorf("got %v", got)
	}
}
