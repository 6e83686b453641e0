package main

import (
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// A server whose disk has stopped answering is soon out of connections when its clients go on making
// new ones, and then says so at once instead of being silent. It is told from one that is only busy by its
// threads: one of them waits for the disk all the time.

// diskLimit is for how long a thread may wait for one answer of a disk until it is taken for stalled; a
// slow one answers within less.
const diskLimit = 1500 * time.Millisecond

// diskSure is for how long a thread must have waited when the server has not written for diskLimit, but
// did just before: that it waits is then no news.
const diskSure = 500 * time.Millisecond

// diskLook is how often that is looked at.
const diskLook = 250 * time.Millisecond

// diskWaits are the threads of a process that wait for a disk, each with how often it had begun to wait
// for anything until then.
type diskWaits map[int]uint64

// diskWatch watches a process that has no connection left.
type diskWatch struct {
	since  map[int]time.Time
	waits  diskWaits
	looked time.Time
}

// due says whether it is time to look.
func (w *diskWatch) due(now time.Time) bool { return now.Sub(w.looked) >= diskLook }

// look says whether a thread has waited for one answer of a disk for diskLimit. quiet is for how long
// the server has not written; 0 if that says nothing.
func (w *diskWatch) look(now time.Time, waits diskWaits, quiet time.Duration) bool {
	limit := diskLimit
	if quiet >= diskLimit {
		limit = diskSure
	}
	since := map[int]time.Time{}
	stalled := false
	for thread, count := range waits {
		since[thread] = now
		if before, waited := w.waits[thread]; waited && before == count {
			since[thread] = w.since[thread]
		}
		stalled = stalled || now.Sub(since[thread]) >= limit
	}
	w.since, w.waits, w.looked = since, waits, now
	return stalled
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
