package main

import (
	"testing"
	"time"
)

func TestPending(t *testing.T) {
	at := time.Unix(1000, 0)
	for _, test := range []struct {
		name string
		p    pending
		now  time.Time
		send int
		left pending
	}{
		{"nothing", pending{}, at, 0, pending{}},
		{"the rest of the first burst, the second later", pending{4, 5, at}, at.Add(-time.Second), 4, pending{0, 5, at}},
		{"too early for the second", pending{0, 5, at}, at.Add(-time.Second), 0, pending{0, 5, at}},
		{"time for the second", pending{0, 5, at}, at, 5, pending{}},
		{"both, after a late first monitor", pending{4, 5, at}, at.Add(time.Hour), 9, pending{}},
		{"no second", pending{4, 0, at}, at, 4, pending{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			send, left := test.p.due(test.now)
			if send != test.send || left != test.left {
				t.Errorf("send %d and keep %v, not %d and %v", send, left, test.send, test.left)
			}
		})
	}
}

func FuzzParsePending(f *testing.F) {
	f.Add("4 5 1000\n")
	f.Add("4 5")
	f.Add("-1 999999999999999999999 0\n")
	f.Fuzz(func(t *testing.T, s string) {
		p := parsePending(s)
		if p.now < 0 || p.late < 0 || p.now > 100 || p.late > 100 {
			t.Fatalf("%q gives %v", s, p)
		}
		if again := parsePending(p.String()); !p.none() && again != p {
			t.Errorf("%v is written and read as %v", p, again)
		}
	})
}
