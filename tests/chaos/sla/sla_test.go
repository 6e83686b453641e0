package sla_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// away is an interruption of the given length.
func away(from, length time.Duration) sla.Interruption {
	return sla.Interruption{From: from, To: from + length}
}

func terms(t *testing.T, objective string, window, longest time.Duration) sla.Terms {
	t.Helper()
	var o sla.Objective
	if objective != "" {
		var err error
		if o, err = sla.ParseObjective(objective); err != nil {
			t.Fatal(err)
		}
	}
	return sla.Terms{Objective: o, Window: window, MaxInterruption: longest}
}

func TestJudge(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	open := sla.Interruption{From: 10 * hour, To: 10*hour + 2*time.Second, Open: true}
	tests := []struct {
		name      string
		objective string
		longest   time.Duration
		seen      sla.Observation
		outcome   sla.Outcome
		used      time.Duration
		reason    string
	}{{
		name: "nothing happened in a whole window", objective: "99.95%",
		seen:    sla.Observation{Length: 30 * day},
		outcome: sla.Met, reason: "Interruptions took 0s of the 21m36s that 99.95% allows in 30d.",
	}, {
		name: "an hour was watched: met so far", objective: "99.95%",
		seen:    sla.Observation{Length: hour, Interruptions: []sla.Interruption{away(minute, 3*time.Second)}},
		outcome: sla.Met, used: 3 * time.Second, reason: "of which 1h0m0s were observed: met so far",
	}, {
		name: "exactly the budget is within it", objective: "99.95%",
		seen:    sla.Observation{Length: 30 * day, Interruptions: []sla.Interruption{away(day, 21*minute+36*time.Second)}},
		outcome: sla.Met, used: 21*minute + 36*time.Second,
	}, {
		name: "the budget is used up in an hour: breached whatever follows", objective: "99.95%",
		seen:    sla.Observation{Length: hour, Interruptions: []sla.Interruption{away(0, 22*minute)}},
		outcome: sla.Breached, used: 22 * minute, reason: "Interruptions took 22m0s of the 21m36s",
	}, {
		name: "a stalled monitor may have missed a breach", objective: "99.95%",
		seen:    sla.Observation{Length: day, Unmeasured: 22 * minute},
		outcome: sla.Unknown, reason: "for 22m0s nobody was looking",
	}, {
		name: "a short stall cannot have hidden one", objective: "99.95%",
		seen:    sla.Observation{Length: day, Unmeasured: minute},
		outcome: sla.Met,
	}, {
		name: "an end was not seen", objective: "99.95%", longest: 5 * time.Second,
		seen:    sla.Observation{Length: 10*hour + 2*time.Second, Interruptions: []sla.Interruption{open}},
		outcome: sla.Unknown, used: 2 * time.Second, reason: "had no end",
	}, {
		name: "an end was not seen, but it is too long already", longest: time.Second,
		seen:    sla.Observation{Length: 10*hour + 2*time.Second, Interruptions: []sla.Interruption{open}},
		outcome: sla.Breached, reason: "took 2s, more than 1s",
	}, {
		name: "two windows: only the worse one counts", objective: "99.95%",
		seen: sla.Observation{Length: 60 * day, Interruptions: []sla.Interruption{
			away(day, 20*minute), away(40*day, 15*minute)}},
		outcome: sla.Met, used: 20 * minute,
	}, {
		name: "a window need not begin with a month", objective: "99.95%",
		seen: sla.Observation{Length: 60 * day, Interruptions: []sla.Interruption{
			away(40*day, 12*minute), away(20*day, 12*minute)}},
		outcome: sla.Breached, used: 24 * minute,
	}, {
		name: "what overlaps counts once", objective: "99.95%",
		seen: sla.Observation{Length: 30 * day, Interruptions: []sla.Interruption{
			away(day, 15*minute), away(day+5*minute, 5*minute), away(day+10*minute, 10*minute)}},
		outcome: sla.Met, used: 20 * minute,
	}, {
		name: "just the promised length", longest: 2 * time.Second,
		seen:    sla.Observation{Length: hour, Interruptions: []sla.Interruption{away(0, 2*time.Second)}},
		outcome: sla.Met, reason: "took 2s, not more than 2s",
	}, {
		name: "within the budget, but one was too long", objective: "99.95%", longest: 2 * time.Second,
		seen:    sla.Observation{Length: hour, Interruptions: []sla.Interruption{away(0, 2001*time.Millisecond)}},
		outcome: sla.Breached, used: 2001 * time.Millisecond, reason: "took 2.001s, more than 2s",
	}, {
		name: "an interruption may hide where nobody looked", longest: 2 * time.Second,
		seen:    sla.Observation{Length: hour, Unmeasured: 3 * time.Second},
		outcome: sla.Unknown, reason: "may hide an interruption of more than 2s",
	}, {
		name: "nobody ever looked", objective: "99.95%", longest: 2 * time.Second,
		seen:    sla.Observation{Length: hour, Unmeasured: hour},
		outcome: sla.Unknown, reason: "Nothing was measured.",
	}, {
		name: "100% leaves nothing", objective: "100%",
		seen:    sla.Observation{Length: 30 * day, Interruptions: []sla.Interruption{away(0, time.Millisecond)}},
		outcome: sla.Breached, used: time.Millisecond,
	}, {
		name: "nothing was promised", seen: sla.Observation{Length: hour},
		outcome: sla.Unknown, reason: "Nothing was promised",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := sla.Judge(terms(t, test.objective, 30*day, test.longest), test.seen)
			if v.Outcome != test.outcome || v.Used != test.used {
				t.Errorf("got %s, used %v; want %s, %v (%v)", v.Outcome, v.Used, test.outcome, test.used, v.Reasons)
			}
			if reasons := strings.Join(v.Reasons, " "); !strings.Contains(reasons, test.reason) {
				t.Errorf("reasons %q do not contain %q", reasons, test.reason)
			}
		})
	}
}

func TestAvailabilityLeavesOutWhatNobodySaw(t *testing.T) {
	v := sla.Judge(terms(t, "99.95%", 30*day, 0), sla.Observation{
		Length: 110 * time.Second, Unmeasured: 10 * time.Second,
		Interruptions: []sla.Interruption{away(0, time.Second)},
	})
	if math.Abs(v.Availability-0.99) > 1e-12 {
		t.Errorf("got %v, want 0.99", v.Availability)
	}
	got := v.Result()
	if got.Objective != "99.95%" || got.Window != "30d" || got.Used != 1000 || got.Left != got.Budget-1000 || got.Verdict != "met" {
		t.Errorf("as a result: %+v", *got)
	}
}

func TestAffordable(t *testing.T) {
	if got := sla.Affordable(21*time.Minute+36*time.Second, 2*time.Second); got != 648 {
		t.Errorf("got %d, want 648", got)
	}
	if got := sla.Affordable(time.Minute, 0); got != -1 {
		t.Errorf("no interruption costs nothing, but got %d", got)
	}
}

func TestBreaches(t *testing.T) {
	writer := result.Client{Kind: sla.WriterKind, Interruption: 2100}
	tests := []struct {
		name    string
		fault   result.Fault
		longest result.Milliseconds
		want    string
	}{
		{"kept", result.Fault{Clients: []result.Client{writer}}, 2100, ""},
		{"too long", result.Fault{Clients: []result.Client{writer}}, 2000, "max-interruption"},
		{"not back", result.Fault{Clients: []result.Client{{Kind: sla.WriterKind, Interruption: 9000, Open: true}}}, 0, "open"},
		{"another client's interruption is not the fault's", result.Fault{Clients: []result.Client{{Kind: "persistent", Open: true}}}, 1, ""},
		{"lost without a violation", result.Fault{Lost: 2}, 0, "lost"},
		{"lost is named once", result.Fault{Lost: 2, Violations: []result.Violation{{Kind: "lost"}, {Kind: "two-primaries"}}}, 0, "lost two-primaries"},
	}
	for _, test := range tests {
		var kinds []string
		for _, b := range sla.Breaches(test.fault, test.longest) {
			kinds = append(kinds, b.Kind)
		}
		if got := strings.Join(kinds, " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
