package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// MariaDB 10.11 sometimes never ends after it has left the cluster: its last words are "dtor
// state: CLOSED", and its threads wait for each other. Pacemaker decides nothing else as long
// as a stop goes on, so that another node's failure would wait as well. A server that ends slowly is
// told from such a one by what it does: it writes its buffer pool down, or computes.

// stillLimit is for how long a server that was told to end may do nothing before it is killed.
const stillLimit = 15 * time.Second

// stillLook is how often that is looked at.
const stillLook = time.Second

// idleTicks is the CPU time, in ticks of a hundredth second (USER_HZ, proc(5)), that threads
// which only wait may use in stillLimit.
const idleTicks = 10

// activity is what a process has done since it began.
type activity struct {
	ticks   uint64 // of CPU time
	written uint64 // bytes, to disks
}

// stillness watches a process that was told to end.
type stillness struct {
	began  activity
	since  time.Time
	looked time.Time
}

// due says whether it is time to look.
func (s *stillness) due(now time.Time) bool { return now.Sub(s.looked) >= stillLook }

// look says whether the process has done nothing for stillLimit.
func (s *stillness) look(now time.Time, a activity) bool {
	s.looked = now
	if s.since.IsZero() || a.written != s.began.written || a.ticks-s.began.ticks > idleTicks {
		s.began, s.since = a, now
		return false
	}
	return now.Sub(s.since) >= stillLimit
}

// activityOf reads what a process has done; false if that cannot be known.
func activityOf(pid int) (activity, bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err1 := os.ReadFile(dir + "/stat")
	io, err2 := os.ReadFile(dir + "/io")
	if err1 != nil || err2 != nil {
		return activity{}, false
	}
	return parseActivity(stat, io)
}

// parseActivity reads utime and stime of /proc/PID/stat, fields 14 and 15, and write_bytes of
// /proc/PID/io (proc(5)).
func parseActivity(stat, io []byte) (activity, bool) {
	fields := statFields(stat)
	if len(fields) < 13 {
		return activity{}, false
	}
	user, err1 := strconv.ParseUint(fields[11], 10, 64)
	system, err2 := strconv.ParseUint(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return activity{}, false
	}
	written, ok := procCounter(io, "write_bytes")
	if !ok {
		return activity{}, false
	}
	return activity{ticks: user + system, written: written}, true
}

// procCounter reads a counter from a file of lines "name: value" (/proc/PID/io and
// /proc/PID/status, proc(5)); false if it is not there, or is no number.
func procCounter(file []byte, name string) (uint64, bool) {
	for sc := bufio.NewScanner(bytes.NewReader(file)); sc.Scan(); {
		if text, ok := strings.CutPrefix(sc.Text(), name+":"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
