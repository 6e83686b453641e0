package outage_test

import (
	"slices"
	"testing"
	"time"

	"holdfast/tests/chaos/outage"
)

const (
	ms        = time.Millisecond
	threshold = 100 * ms
)

// answers is one answer every 10 ms from the first time to the last, both included.
func answers(node string, from, to time.Duration) []outage.Answer {
	var all []outage.Answer
	for at := from; at <= to; at += 10 * ms {
		all = append(all, outage.Answer{Intended: at - 2*ms, At: at, Node: node})
	}
	return all
}

func TestMeasure(t *testing.T) {
	tests := []struct {
		name    string
		answers []outage.Answer
		fault   time.Duration
		end     time.Duration
		want    outage.Gap
		gaps    int
		dark    time.Duration
		back    bool
	}{{
		name:    "node lost: from the last answer of db1 to the first of db2",
		answers: slices.Concat(answers("db1", 0, 1000*ms), answers("db2", 2930*ms, 5000*ms)),
		fault:   980 * ms, end: 5010 * ms,
		want: outage.Gap{From: 1000 * ms, To: 2930 * ms, Before: "db1", After: "db2"},
		gaps: 1, dark: 1930 * ms, back: true,
	}, {
		name:    "no interruption: the longest gap after the fault is an ordinary one",
		answers: slices.Concat(answers("db1", 0, 1000*ms), answers("db2", 1030*ms, 2000*ms)),
		fault:   500 * ms, end: 2010 * ms,
		want: outage.Gap{From: 1000 * ms, To: 1030 * ms, Before: "db1", After: "db2"},
		back: true,
	}, {
		name:    "the fault in a gap that was already there",
		answers: slices.Concat(answers("db1", 0, 1000*ms), answers("db1", 1500*ms, 2000*ms)),
		fault:   1200 * ms, end: 2010 * ms,
		want: outage.Gap{From: 1000 * ms, To: 1500 * ms, Before: "db1", After: "db1"},
		gaps: 1, dark: 500 * ms, back: true,
	}, {
		name: "a longer gap before the fault is not the fault's",
		answers: slices.Concat(answers("db1", 0, 1000*ms), answers("db1", 4000*ms, 5000*ms),
			answers("db2", 5300*ms, 6000*ms)),
		fault: 4900 * ms, end: 6010 * ms,
		want: outage.Gap{From: 5000 * ms, To: 5300 * ms, Before: "db1", After: "db2"},
		gaps: 2, dark: 3300 * ms, back: true,
	}, {
		name:    "never recovered",
		answers: answers("db1", 0, 1000*ms),
		fault:   990 * ms, end: 60000 * ms,
		want: outage.Gap{From: 1000 * ms, To: 60000 * ms, Before: "db1", Open: true},
		gaps: 1, dark: 59000 * ms,
	}, {
		name:    "recovered and lost again: the open gap counts, though it is shorter",
		answers: slices.Concat(answers("db1", 0, 1000*ms), answers("db2", 3000*ms, 3500*ms)),
		fault:   990 * ms, end: 4000 * ms,
		want: outage.Gap{From: 3500 * ms, To: 4000 * ms, Before: "db2", Open: true},
		gaps: 2, dark: 2500 * ms,
	}, {
		name: "two answers in the middle are no service",
		answers: slices.Concat(answers("db1", 0, 1000*ms), answers("db2", 2000*ms, 2010*ms),
			answers("db2", 3000*ms, 4000*ms)),
		fault: 990 * ms, end: 4010 * ms,
		want: outage.Gap{From: 1000 * ms, To: 3000 * ms, Before: "db1", After: "db2"},
		gaps: 1, dark: 2000 * ms, back: true,
	}, {
		name: "never an answer", fault: 10 * ms, end: 1000 * ms,
		want: outage.Gap{To: 1000 * ms, Open: true}, gaps: 1, dark: 1000 * ms,
	}, {
		name:    "no fault: the longest gap of all",
		answers: slices.Concat(answers("db1", 0, 1000*ms), answers("db1", 1020*ms, 2000*ms)),
		end:     2010 * ms,
		want:    outage.Gap{From: 1000 * ms, To: 1020 * ms, Before: "db1", After: "db1"}, back: true,
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			shuffled := slices.Clone(test.answers)
			slices.Reverse(shuffled) // the order of the answers does not matter
			f := outage.Measure(outage.Observation{Answers: shuffled, Fault: test.fault, End: test.end}, threshold)
			if f.Interruption != test.want {
				t.Errorf("interruption: got %+v, want %+v", f.Interruption, test.want)
			}
			if len(f.Gaps) != test.gaps || f.Dark != test.dark || f.Back() != test.back {
				t.Errorf("got %d gaps, dark %v, back %v; want %d, %v, %v",
					len(f.Gaps), f.Dark, f.Back(), test.gaps, test.dark, test.back)
			}
		})
	}
}

func TestStreak(t *testing.T) {
	s := outage.Streak{Threshold: threshold}
	see := func(all []outage.Answer) {
		for _, a := range all {
			s.Answer(a.At)
		}
	}
	if got := s.Unbroken(0); got != 0 {
		t.Errorf("no answer yet, but unbroken for %v", got)
	}
	see(answers("db1", 500*ms, 1500*ms))
	if got := s.Unbroken(0); got != 1000*ms {
		t.Errorf("unbroken for %v, want 1s", got)
	}
	if got := s.Unbroken(1200 * ms); got != 300*ms {
		t.Errorf("unbroken since 1.2 s for %v, want 300ms", got)
	}
	see(answers("db2", 1700*ms, 1800*ms))
	s.Answer(1600 * ms) // told late
	if got := s.Unbroken(0); got != 100*ms {
		t.Errorf("unbroken for %v after a gap, want 100ms", got)
	}
	if got := s.Silent(2000 * ms); got != 200*ms {
		t.Errorf("silent for %v, want 200ms", got)
	}
}

func TestLatencyCountsFromTheIntendedStart(t *testing.T) {
	all := answers("db1", 0, 990*ms) // 100 answers of 2 ms
	all[7].Intended -= 500 * ms      // started late: the wait counts
	want := outage.Latency{Median: 2 * ms, P99: 2 * ms, Max: 502 * ms}
	if got := outage.LatencyOf(all); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
