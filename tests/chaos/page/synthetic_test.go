package page_test

import (
	"math/rand/v2"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// A synthetic run, made up to draw every kind of thing. Nobody measured it, and
// its page says so in its title.

const (
	interval = 40
	deadline = 250
)

// story is a made-up repetition of a fault on db1.
type story struct {
	name         string
	repetition   int
	interruption result.Milliseconds
	healed       result.Milliseconds
	open         bool
}

func syntheticRun(interval result.Milliseconds, stories ...story) result.Run {
	started := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	run := result.Run{
		ID: "SYNTHETIC (not a measurement)", Started: started, Ended: started.Add(17*time.Minute + 3*time.Second),
		Address: "192.0.2.70", Interval: interval, Deadline: deadline,
		Versions: map[string]string{"MariaDB": "synthetic", "Galera": "synthetic", "Pacemaker": "synthetic"},
		Settings: map[string]string{"token": "synthetic", "evs.suspect_timeout": "<synthetic & escaped>"},
		Nodes:    []result.Node{{Name: "db1", Address: "192.0.2.71"}, {Name: "db2", Address: "192.0.2.72"}, {Name: "db3", Address: "192.0.2.73"}},
	}
	for i, s := range stories {
		run.Faults = append(run.Faults, s.fault(run, rand.New(rand.NewPCG(1, uint64(i)))))
	}
	return run
}

func (s story) fault(run result.Run, dice *rand.Rand) result.Fault {
	since, until := result.Milliseconds(-7), s.healed+4000
	f := result.Fault{
		Name: s.name, Description: "Synthetic: " + s.name + " on the node with the address.",
		Expected: "The address moves, nothing is lost.", Repetition: s.repetition, Targets: []string{"db1"},
		Injected: run.Started.Add(time.Duration(s.repetition) * time.Minute), From: -3000, To: until,
		Marks: []result.Mark{
			{Name: result.Healed, At: s.healed, Node: "db1"},
			{Name: result.Injected, At: 0, Node: "db1"},
			{Name: result.FirstError, At: 33},
			{Name: result.ViewChanged, At: s.interruption * 0.55, Node: "db2"},
			{Name: result.AddressMoved, At: s.interruption * 0.8, Node: "db2"},
			{Name: result.ARPChanged, At: s.interruption*0.8 + 12, Node: "db2"},
			{Name: result.Undone, At: s.interruption + 5000},
			{Name: result.Synced, At: s.healed + 900},
		},
		Lanes: []result.Lane{
			{Name: "db1", Spans: []result.Span{{From: -3000, To: 0, State: "Synced"}, {From: 0, To: s.interruption + 5000, State: "unreachable"},
				{From: s.interruption + 5000, To: s.healed - 1200, State: "off"}, {From: s.healed - 1200, To: s.healed, State: "Joiner"}, {From: s.healed, To: until, State: "Synced"}}},
			{Name: "db2", Spans: []result.Span{{From: -3000, To: -1000, State: "Synced"}, {From: -1000, To: s.interruption * 0.3, State: "Synced"},
				{From: s.interruption * 0.3, To: s.interruption * 0.55, State: "non-Primary"}, {From: s.interruption * 0.55, To: until, State: "Synced"}}},
			{Name: "db3", Spans: []result.Span{{From: -3000, To: s.interruption * 0.3, State: "Synced"},
				{From: s.interruption * 0.3, To: s.interruption * 0.55, State: "non-Primary"}, {From: s.interruption * 0.55, To: s.healed - 1200, State: "Synced"},
				{From: s.healed - 1200, To: s.healed, State: "Donor"}, {From: s.healed, To: until, State: "Synced"}}},
			{Name: run.Address, Spans: []result.Span{{From: -3000, To: 0, State: "db1"}, {From: 0, To: s.interruption * 0.8, State: ""}, {From: s.interruption * 0.8, To: until, State: "db2"}}},
		},
	}
	if s.open {
		f.Unmeasured = []string{"db3 could not be read after the fault: its rows are not compared."}
	} else {
		f.Marks = append(f.Marks, result.Mark{Name: result.FirstOK, At: since + s.interruption})
	}
	for _, c := range []result.Client{
		{Kind: sla.WriterKind, Interruption: s.interruption, Since: since, Open: s.open},
		{Kind: "persistent", Interruption: s.interruption + 120, Since: since, Open: s.open},
		{Kind: "read", Interruption: s.interruption / 2, Since: since},
		{Kind: "direct", Node: "db3", Interruption: s.interruption * 0.6, Since: since},
		{Kind: "glued", Node: "db1", Interruption: until, Since: since, Open: true},
	} {
		f.Clients = append(f.Clients, attempts(c, run.Interval, until, dice))
	}
	f.Acked, f.Indeterminate = f.Clients[0].Acked+f.Clients[1].Acked, f.Clients[0].Indeterminate
	return f
}

// attempts makes up what a client felt.
func attempts(c result.Client, interval, until result.Milliseconds, dice *rand.Rand) result.Client {
	end := c.Since + c.Interruption
	if c.Open {
		end = until
	}
	var latencies []result.Milliseconds
	for at := result.Milliseconds(-3000); at < until; at += interval {
		d := result.Dot{At: at, Latency: result.Milliseconds(2.2 + 1.5*dice.ExpFloat64()), Verdict: "acknowledged", Node: "db2"}
		switch {
		case at > 0 && at <= 300 && at < end:
			d.Verdict, d.Latency, d.Error, d.Node = "indeterminate", deadline, "timeout", ""
			c.Indeterminate++
		case at > 0 && at < end:
			d.Verdict, d.Latency, d.Error, d.Node = "refused", 1, "refused", ""
			c.Refused++
		default:
			c.Acked++
			if at >= end && at < end+600 {
				d.Latency *= 20
			}
			latencies = append(latencies, d.Latency)
		}
		c.Attempts++
		c.Dots = append(c.Dots, d)
	}
	if c.Attempts > 0 {
		c.Availability = float64(c.Acked) / float64(c.Attempts)
	}
	if len(latencies) > 0 {
		c.Latency = result.Latency{P50: 3.2, P95: 6.4, P99: 11.9, Max: latencies[len(latencies)-1]}
	}
	return c
}

// broken adds every kind of violation to a repetition.
func broken(f *result.Fault) {
	f.Lost = 2
	f.Doubled = []result.Doubling{{From: 700, To: 940, Nodes: []string{"db1", "db2"}}}
	f.Violations = []result.Violation{
		{Kind: "two-primaries", Node: "db1", At: 900, Detail: "db1 and db2 were Primary with different members."},
		{Kind: "lost", Node: "db3", At: 1400, Detail: "2 acknowledged writes are not on db3: id 17 and <18>."},
		{Kind: "doubled-address", At: 700, Detail: "db1 and db2 both answered ARP for 240 ms."},
	}
	lane := &f.Lanes[len(f.Lanes)-1]
	lane.Spans = append(lane.Spans[:1:1], result.Span{From: 0, To: 700, State: "db1"}, result.Span{From: 700, To: 940, State: "db1+db2"}, result.Span{From: 940, To: f.To, State: "db2"})
}

// goldenRun is small, and has one of everything.
func goldenRun() result.Run {
	run := syntheticRun(interval,
		story{name: "node-power-cut", repetition: 1, interruption: 2130, healed: 12400},
		story{name: "node-power-cut", repetition: 2, interruption: 1870, healed: 11900},
		story{name: "node-power-cut", repetition: 3, interruption: 2410, healed: 14000},
		story{name: "isolated-from-peers", repetition: 1, interruption: 1240, healed: 9000},
		story{name: "database-sigstop", repetition: 1, interruption: 16000, healed: 12000, open: true},
		story{name: "planned-move", repetition: 1, interruption: 80, healed: 7000},
	)
	broken(&run.Faults[3])
	run.Faults[5].Clients = run.Faults[5].Clients[1:] // no writer
	objective, err := sla.ParseObjective("99.95%")
	if err != nil {
		panic(err)
	}
	run.SLA = sla.Judge(sla.Terms{Objective: objective, Window: 30 * 24 * time.Hour, MaxInterruption: 2 * time.Second},
		sla.Observation{Length: 17 * time.Minute, Unmeasured: 4 * time.Second, Interruptions: []sla.Interruption{
			{From: time.Minute, To: 62130 * time.Millisecond}, {From: 2 * time.Minute, To: 121870 * time.Millisecond},
			{From: 3 * time.Minute, To: 182410 * time.Millisecond}, {From: 10 * time.Minute, To: 616 * time.Second, Open: true},
		}}).Result()
	return run
}

func render(write func(b *strings.Builder) error) (string, error) {
	var out strings.Builder
	err := write(&out)
	return out.String(), err
}
