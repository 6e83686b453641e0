package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
)

// at makes an attempt of which intended and done are in milliseconds.
func at(intended, done int, outcome mariadb.Outcome) write {
	return write{
		Intended: time.Duration(intended) * time.Millisecond, Done: time.Duration(done) * time.Millisecond, Answer: outcome,
	}
}

func ok(node string) mariadb.Outcome {
	return mariadb.Outcome{Verdict: ledger.Acknowledged, Node: node}
}

func bad(class mariadb.Class) mariadb.Outcome {
	return mariadb.Outcome{Class: class, Err: errors.New("cause")}
}

func TestTranscript(t *testing.T) {
	const address = "192.168.205.70:3306"
	timeout, refused := bad(mariadb.ConnectTimeout), bad(mariadb.ConnectionRefused)
	tests := []struct {
		name     string
		attempts []write
		want     []string
	}{{
		name: "one line per change of state",
		attempts: []write{
			at(0, 2, ok("db1")), at(10, 12, ok("db1")), at(1000, 1002, ok("db1")),
			at(1010, 1260, timeout), at(1020, 1270, timeout), at(1500, 1501, refused), at(1510, 1760, timeout),
			at(2930, 2932, ok("db2")), at(2940, 2942, ok("db2")),
		},
		want: []string{
			"SUCCESS Connected to db1",
			"FAILED no answer from " + address + ": cause (connect timeout)",
			"FAILED no answer from " + address + ": cause (connection refused)",
			"SUCCESS Connected to db2  <-- Recovery after 1.93 s, 4 failed",
		},
	}, {
		name: "a write from before the recovery that fails after it is no new failure",
		attempts: []write{
			at(0, 2, ok("db1")), at(1000, 1250, timeout), at(2000, 2002, ok("db2")), at(1900, 2150, timeout),
		},
		want: []string{
			"SUCCESS Connected to db1",
			"FAILED no answer from " + address + ": cause (connect timeout)",
			"SUCCESS Connected to db2  <-- Recovery after 2.00 s, 1 failed",
		},
	}, {
		name:     "a move without a failure",
		attempts: []write{at(0, 2, ok("db1")), at(500, 502, ok("db2"))},
		want:     []string{"SUCCESS Connected to db1", "SUCCESS Connected to db2  <-- was db1"},
	}, {
		name: "two nodes that answer in turn do not flood",
		attempts: []write{
			at(0, 2, ok("db1")), at(10, 12, ok("db2")), at(20, 22, ok("db1")), at(30, 32, ok("db2")), at(40, 42, ok("db1")),
		},
		want: []string{"SUCCESS Connected to db1"},
	}, {
		name:     "nothing there at first",
		attempts: []write{at(0, 1, refused), at(10, 11, refused), at(20, 22, ok("db1"))},
		want: []string{
			"FAILED no answer from " + address + ": cause (connection refused)",
			"SUCCESS Connected to db1",
		},
	}, {
		name:     "the client is full",
		attempts: []write{at(0, 2, ok("db1")), {Intended: time.Second, Done: time.Second, Overflow: true}},
		want: []string{
			"SUCCESS Connected to db1",
			"FAILED no answer from " + address + ": too many writes under way (too many in flight)",
		},
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			told := transcript{address: address, damping: 100 * time.Millisecond}
			var got []string
			for _, w := range test.attempts {
				if l, changed := told.see(w); changed {
					got = append(got, string(l.kind)+" "+l.text)
				}
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}
