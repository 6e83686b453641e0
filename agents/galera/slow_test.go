package main

import (
	"testing"
	"time"

	"holdfast/ocf"
)

// seen is what one monitor met and what the cluster shows of the node afterwards.
type seen struct {
	slow, busy int // questions without an answer; without a connection
	full       bool
	noDisk     bool
	code       ocf.Code
	unfit      string
	state      string
}

// The address moves for good reason only: a database that is busy or slow once keeps it, and
// one that was slow does not get it back before it answers at once.
func TestTheAddressLeavesADatabaseThatIsSilentTwice(t *testing.T) {
	const forEver = 1 << 30
	full := "its disk is full: make room in the directory of the database"
	well := seen{code: ocf.RunningPromoted}
	for name, monitors := range map[string][]seen{
		"silent once": {{slow: 1, code: ocf.RunningPromoted}},
		"silent twice": {
			{slow: 2, code: ocf.RunningPromoted, unfit: "true", state: noAnswer}, well},
		"silent all the time": {
			{slow: 3, code: ocf.ErrGeneric, unfit: "true", state: noAnswer}, well},
		"silent twice, then once": {
			{slow: 2, code: ocf.RunningPromoted, unfit: "true", state: noAnswer},
			{slow: 1, code: ocf.RunningPromoted, unfit: "true", state: noAnswer}, well},
		"busy for a moment": {
			{busy: 3, code: ocf.RunningPromoted, state: noConnection}, well},
		"busy all the time": {
			{busy: forEver, code: ocf.ErrGeneric, state: noConnection}, well},
		"busy all the time, with a disk that does not answer": {
			{busy: forEver, noDisk: true, code: ocf.ErrGeneric, unfit: "true", state: noDisk}, well},
		"busy for a moment, with a disk that does not answer": {
			{busy: 3, noDisk: true, code: ocf.RunningPromoted, state: noConnection}, well},
		"busy until the disk answers again": {
			{busy: 30, noDisk: true, code: ocf.RunningPromoted, unfit: "true", state: noDisk}, well},
		"busy, then silent once": {
			{busy: 2, slow: 1, code: ocf.RunningPromoted, state: noConnection}, well},
		"busy, then silent twice": {
			{busy: 2, slow: 2, code: ocf.RunningPromoted, unfit: "true", state: noAnswer}, well},
		"silent twice, then busy": {
			{slow: 2, code: ocf.RunningPromoted, unfit: "true", state: noAnswer},
			{busy: 2, code: ocf.RunningPromoted, unfit: "true", state: noAnswer}, well},
		"silent once on a full disk": {
			{slow: 1, full: true, code: ocf.RunningPromoted, unfit: "true", state: full}, well},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			n := s.node("db2")
			for i, m := range monitors {
				s.now = time.Now() // waiting for a busy server let it run ahead of the deadlines
				n.slow, n.busy, n.free, n.noDisk = m.slow, m.busy, 1<<30, m.noDisk
				if m.full {
					n.free = 0
				}
				code, reason := s.act("db2", "monitor", inPromotedRole, "OCF_RESKEY_CRM_meta_timeout=6000")
				if code != m.code {
					t.Errorf("monitor %d: %s %s, want %s", i+1, code, reason, m.code)
				}
				if unfit, state := s.attrs["db2"]["galera-unfit"], s.attrs["db2"]["galera-state"]; unfit != m.unfit || state != m.state {
					t.Errorf("after monitor %d the cluster has unfit=%q state=%q, want %q %q", i+1, unfit, state, m.unfit, m.state)
				}
			}
		})
	}
}

// What is shown of a server that waits for its disk says since when, if that can be known.
func TestADatabaseThatWaitsForItsDiskIsShownWithItsLastWrite(t *testing.T) {
	const forEver = 1 << 30
	for name, x := range map[string]struct {
		slow, busy int
		disk       bool
		ago        time.Duration // the last write, before the monitor; 0: there is no log
		words      string
		told       bool
	}{
		"no connection left":             {busy: forEver, disk: true, ago: 500 * time.Millisecond, words: noDisk, told: true},
		"silent":                         {slow: 2, disk: true, ago: 2 * time.Second, words: noAnswer, told: true},
		"silent, and its log is written": {slow: 2, disk: true, ago: time.Nanosecond, words: noAnswer},
		"silent, and seldom written to":  {slow: 2, disk: true, ago: time.Minute, words: noAnswer},
		"silent, with a log elsewhere":   {slow: 2, disk: true, words: noAnswer},
		"silent, and no disk is slow":    {slow: 2, ago: 2 * time.Second, words: noAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			n := s.node("db2")
			s.now = time.Now()
			n.slow, n.busy, n.noDisk, n.noWaits, n.free = x.slow, x.busy, x.disk, !x.disk, 1<<30
			want := x.words
			if x.ago > 0 {
				n.written = s.now.Add(-x.ago)
			}
			if x.told {
				want += ", and its last write was at " + n.written.UTC().Format("2006-01-02T15:04:05.000Z07:00")
			}
			s.act("db2", "monitor", inPromotedRole, "OCF_RESKEY_CRM_meta_timeout=6000")
			if state := s.attrs["db2"]["galera-state"]; state != want {
				t.Errorf("the cluster has %q, want %q", state, want)
			}
			// It is taken back when the server answers again at once, and not before.
			s.now = time.Now()
			n.slow, n.busy = 0, 2
			s.act("db2", "monitor", inPromotedRole, "OCF_RESKEY_CRM_meta_timeout=6000")
			if state := s.attrs["db2"]["galera-state"]; state != want {
				t.Errorf("after a busy monitor the cluster has %q, want %q", state, want)
			}
		})
	}
}

// A disk that answers nobody is known before the server has been silent twice, and only such a one.
func TestAStalledDiskIsKnownWhileAQuestionHasNoAnswer(t *testing.T) {
	const ms = time.Millisecond
	for name, x := range map[string]struct {
		lasts []time.Duration // until each question is answered, or is not
		slow  int
		fine  bool          // the disk answers
		ago   time.Duration // the last write, before the monitor
		unfit string
	}{
		"silent":                              {lasts: []time.Duration{time.Second}, slow: 1, ago: 600 * ms, unfit: "true"},
		"silent for a moment":                 {lasts: []time.Duration{700 * ms}, ago: 600 * ms, unfit: "true"},
		"silent for a shorter moment":         {lasts: []time.Duration{600 * ms}, ago: 600 * ms},
		"silent, just after the last write":   {lasts: []time.Duration{time.Second}, slow: 1, ago: 100 * ms},
		"silent, and it is not written to":    {lasts: []time.Duration{time.Second}, slow: 1, ago: time.Minute},
		"silent, with a disk that is fine":    {lasts: []time.Duration{time.Second}, slow: 1, ago: 600 * ms, fine: true},
		"silent for longer, just after it":    {lasts: []time.Duration{time.Second, 400 * ms}, slow: 1, ago: 100 * ms, unfit: "true"},
		"silent twice, just after that write": {lasts: []time.Duration{time.Second}, slow: 2, ago: 100 * ms, unfit: "true"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			n := s.node("db2")
			n.lasts, n.slow, n.noDisk, n.free, n.written = x.lasts, x.slow, !x.fine, 1<<30, s.now.Add(-x.ago)
			if code, reason := s.act("db2", "monitor", inPromotedRole, "OCF_RESKEY_CRM_meta_timeout=6000"); code != ocf.RunningPromoted {
				t.Fatalf("%s: %s", code, reason)
			}
			if unfit := s.attrs["db2"]["galera-unfit"]; unfit != x.unfit {
				t.Errorf("unfit is %q, want %q", unfit, x.unfit)
			}
			s.now, n.lasts = time.Now(), nil
			if s.act("db2", "monitor", inPromotedRole); s.attrs["db2"]["galera-unfit"] != "" {
				t.Error("it is unfit although it answers at once")
			}
		})
	}
}

// A process that is stopped by a signal is found without a question.
func TestAFrozenDatabaseIsNotAsked(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	n := s.node("db2")
	n.frozen, n.slow = true, 3
	if code := s.watch("db2"); code != ocf.ErrGeneric || n.slow != 3 {
		t.Errorf("monitor: %s, %d questions asked", code, 3-n.slow)
	}
}
