package agree

import (
	"slices"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/tests/chaos/result"
)

// lostUntil is a record like lost, of a service that was back at another time.
func lostUntil(back float64) incident.Record {
	r := lost()
	r.ServiceBack = at(back)
	r.Interruption = r.ServiceBack.At.Sub(sec(100))
	r.Phases[1].End, r.Phases[1].Duration = r.ServiceBack.At, r.ServiceBack.At.Sub(sec(100.5))
	return r
}

// TestFirstWrite: a service that is back is known by the first write that is answered, which was begun
// before that.
func TestFirstWrite(t *testing.T) {
	for _, x := range []struct {
		name   string
		back   float64 // when crmbridge says so; the write was begun at 101.8 and answered at 102
		served result.Milliseconds
		want   []string
	}{
		{"at its answer", 102, 0, nil},
		{"when it was begun", 101.8, 0, nil},
		{"a little before it", 101.76, 40, nil},
		{"long before it", 101.7, 100, []string{string(Interruption), string(ServiceBack)}},
		{"long after it", 102.06, 60, []string{string(Interruption), string(ServiceBack)}},
	} {
		t.Run(x.name, func(t *testing.T) {
			f, r := powerCut(), lostUntil(x.back)
			f.Marks = f.Marks[:2] // nobody asked for the address
			dots := f.Clients[0].Dots
			i := slices.IndexFunc(dots, func(d result.Dot) bool { return d.At == 2000 })
			dots[i].At, dots[i].Latency = 1800, 200
			report := laidBeside(t, f, r)
			got, row := kindsOf(report), report.Faults[0]
			if !slices.Equal(got, x.want) || row.Served.Max != x.served {
				t.Errorf("got %q, served %v off, want %q and %v", got, row.Served.Max, x.want, x.served)
			}
		})
	}
}

// TestBackWithAllThatWaited: of the writes that wait, some may be answered while others fail that were begun
// later; the service is back with the first after which none fails.
func TestBackWithAllThatWaited(t *testing.T) {
	for _, x := range []struct {
		name   string
		back   float64 // when crmbridge says so
		served result.Milliseconds
		want   []string
	}{
		{"when the first was answered, and no other failed that was begun then", 102, 0, nil},
		{"when that was answered from which on none failed", 102.19, 0, nil},
		{"long after it", 102.26, 70, []string{string(Interruption), string(ServiceBack)}},
		{"when the last of those was begun that failed", 101.87, 70, []string{string(Interruption), string(ServiceBack)}},
	} {
		t.Run(x.name, func(t *testing.T) {
			f, r := powerCut(), lostUntil(x.back)
			f.Marks = f.Marks[:2]
			var dots []result.Dot
			for ms := f.From; ms < 8000; ms += 10 {
				d := result.Dot{At: ms, Verdict: "acknowledged"}
				switch {
				case ms <= 0 || ms > 2190:
				case ms < 1800, ms > 1850 && ms < 1940: // their time is over before
					d.Verdict, d.Latency = "indeterminate", 250
				case ms <= 1850:
					d.Latency = 2000 - ms
				default:
					d.Latency = 2190 - ms
				}
				dots = append(dots, d)
			}
			f.Clients[0].Dots = dots
			report := laidBeside(t, f, r)
			got, served := kindsOf(report), report.Faults[0].Served.Max
			if !slices.Equal(got, x.want) || served != x.served {
				t.Errorf("got %q, served %v off, want %q and %v: %+v", got, served, x.want, x.served, report.Disagreements)
			}
		})
	}
}

// TestAgainAway: an answer or two in the middle of an interruption are no service.
func TestAgainAway(t *testing.T) {
	f, r := powerCut(), lost()
	f.Marks = f.Marks[:2]
	var dots []result.Dot
	for ms := f.From; ms < 8000; ms += 10 {
		d := result.Dot{At: ms, Verdict: "acknowledged"}
		if ms > 0 && ms < 2000 || ms > 2020 && ms < 2400 {
			d.Verdict, d.Latency = "indeterminate", 250
		}
		dots = append(dots, d)
	}
	f.Clients[0].Dots = dots
	report := laidBeside(t, f, r)
	if got, want := kindsOf(report), []string{string(Interruption), string(ServiceBack)}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: %+v", got, want, report.Disagreements)
	}
}

// TestAsked: of what an administrator asks for the moment is compared at which it was in the CIB, and
// not that of the first thing Pacemaker did.
func TestAsked(t *testing.T) {
	f, r := powerCut(), lost()
	f.Name = "planned-move"
	r.Cause, r.Planned, r.Occurrence = incident.Cause{Kind: incident.ResourceMoved, Node: "db3", Evidence: []incident.Evidence{{At: sec(100.02)}}}, true, at(100.1)
	report := laidBeside(t, f, r)
	if got := report.Faults[0].Occurrence; got != (Spread{1, 20, 20}) {
		t.Errorf("it was asked for %+v apart, want 20 ms: %+v", got, report.Disagreements)
	}
}

// TestMovedTwice: the first answer to ARP is that of the node that had the address first.
func TestMovedTwice(t *testing.T) {
	f, r := powerCut(), lost()
	f.Marks[2].At = 1000
	r.Phases = append(r.Phases, incident.Phase{Name: incident.PhaseAddress, Node: "db2", Begin: sec(100.6), End: sec(100.7), Duration: 100 * time.Millisecond},
		incident.Phase{Name: incident.PhaseAddress, Node: "db1", Begin: sec(100.7), End: sec(100.8), Duration: 100 * time.Millisecond, Failed: true},
		incident.Phase{Name: incident.PhaseAddress, Node: "db1", Begin: sec(100.9), End: sec(101.01), Duration: 110 * time.Millisecond})
	report := laidBeside(t, f, r)
	if got := report.Faults[0].AddressMoved; got != (Spread{1, 10, 10}) {
		t.Errorf("the address moved %+v apart, want 10 ms: %+v", got, report.Disagreements)
	}
}

// TestBriefly: what takes less than the monitor calls an interruption is compared with the longest time without an
// answer, which it tells of then.
func TestBriefly(t *testing.T) {
	for _, x := range []struct {
		name string
		took time.Duration
		want []string
	}{
		{"as long", 80 * time.Millisecond, nil},
		{"too long", 150 * time.Millisecond, []string{string(Interruption), string(ServiceBack)}},
	} {
		t.Run(x.name, func(t *testing.T) {
			f, r := powerCut(), lostUntil(100.1)
			f.Name, f.Marks = "disk-full", f.Marks[:1]
			f.Clients[0].Dots = nil
			for ms := result.Milliseconds(-1000); ms < 30000; ms += 10 {
				if ms <= 0 || ms >= 90 {
					f.Clients[0].Dots = append(f.Clients[0].Dots, result.Dot{At: ms, Verdict: "acknowledged"})
				}
			}
			r.Cause = incident.Cause{Kind: incident.DatabaseUnfit, Node: "db2", Resource: "galera"}
			r.Detection, r.Interruption, r.ServiceBack = at(100), x.took, incident.Point{At: sec(100.005).Add(x.took)}
			r.Observers = []string{"db1", "db2", "db3"}
			r.Phases = []incident.Phase{
				{Name: incident.PhaseRecovery, Path: true, Begin: sec(100.005), End: r.ServiceBack.At, Duration: x.took},
				{Name: incident.PhaseStart, Node: "db2", Begin: sec(101), End: sec(102), Duration: time.Second}, // it is written after that
			}
			report := laidBeside(t, f, r)
			if got := kindsOf(report); !slices.Equal(got, x.want) {
				t.Errorf("got %q, want %q: %+v", got, x.want, report.Disagreements)
			}
		})
	}
}
