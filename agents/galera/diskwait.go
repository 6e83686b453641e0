package main

import (
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// A server whose disk has stopped answering does not answer either, or is soon out of connections when its
// clients go on making new ones, and says so. It is told from one that is only slow or busy by its threads:
// one of them waits for the disk all the time.

// diskLimit is for how long a thread may wait for one answer of a disk until it is taken for stalled; a
// slow one answers within less.
const diskLimit = 1500 * time.Millisecond

// diskQuiet and diskSure are less, for a server that has not written for diskQuiet, but did just
// before: that its threads wait is then no news. For diskSure none of them got an answer. A slow disk
// answers some of those that wait, and at that moment or the next the log is written to.
const (
	diskQuiet = 1200 * time.Millisecond
	diskSure  = 450 * time.Millisecond
)

// diskLook is how often that is looked at.
const diskLook = 125 * time.Millisecond

// diskWaits are the threads of a process that wait for a disk, each with how often it had begun to wait
// for anything until then.
type diskWaits map[int]uint64

// diskWatch watches a process that does not answer or has no connection left.
type diskWatch struct {
	since    map[int]time.Time
	waits    diskWaits
	looked   time.Time
	answered time.Time // when one of them was last seen to have got an answer, or all began to be watched
	stalled  bool
}

// due says whether it is time to look.
func (w *diskWatch) due(now time.Time) bool { return now.Sub(w.looked) >= diskLook }

// look says whether the disk is stalled: a thread has waited for one answer for diskLimit, or, with
// what the server wrote, for diskSure. quiet is for how long it has not written; 0 if that says nothing.
func (w *diskWatch) look(now time.Time, waits diskWaits, quiet time.Duration) bool {
	if w.looked.IsZero() {
		w.answered = now
	}
	for thread, count := range w.waits {
		if still, waiting := waits[thread]; !waiting || still != count {
			w.answered = now
		}
	}
	limit := diskLimit
	if quiet >= diskQuiet && now.Sub(w.answered) >= diskSure {
		limit = diskSure
	}
	since := map[int]time.Time{}
	w.stalled = false
	for thread, count := range waits {
		since[thread] = now
		if before, waited := w.waits[thread]; waited && before == count {
			since[thread] = w.since[thread]
		}
		w.stalled = w.stalled || now.Sub(since[thread]) >= limit
	}
	w.since, w.waits, w.looked = since, waits, now
	return w.stalled
}

// diskWaitsIn reads which threads of a process wait for a disk: those in the state D, and of each its
// voluntary_ctxt_switches. The directory is /proc/PID/task (proc(5)).
func diskWaitsIn(tasks string) diskWaits {
	waits := diskWaits{}
	dirs, _ := filepath.Glob(tasks + "/[0-9]*")
	for _, dir := range dirs {
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue // it has ended
		}
		if fields := statFields(stat); len(fields) == 0 || fields[0] != "D" {
			continue
		}
		thread, err := strconv.Atoi(filepath.Base(dir))
		status, err2 := os.ReadFile(dir + "/status")
		if count, ok := procCounter(status, "voluntary_ctxt_switches"); err == nil && err2 == nil && ok {
			waits[thread] = count
		}
	}
	return waits
}
