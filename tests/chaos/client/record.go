package client

import (
	"cmp"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/result"
)

// Record is everything that one client felt.
type Record struct {
	Client   Client
	attempts []Attempt
}

// Add takes the next attempt; the order does not matter.
func (r *Record) Add(a Attempt) { r.attempts = append(r.attempts, a) }

// Verdict is the verdict of an attempt and why; a tick that was never started
// left nothing behind.
func Verdict(a Attempt) (ledger.Verdict, mariadb.Class) {
	if a.Overflow {
		return ledger.Refused, mariadb.ClientFull
	}
	return a.Answer.Verdict, a.Answer.Class
}

// Frame says how a record is looked at. Offsets count from the origin of the
// schedule.
type Frame struct {
	Injected  time.Duration // the fault; results count from here
	End       time.Duration // of the observation
	Threshold time.Duration // a shorter gap is ordinary latency
	Deadline  time.Duration // of an attempt: later is not available
	Sparse    time.Duration // answered dots of all but the writer are kept this far apart; 0 keeps all
}

// Interruptions is what the answers of the client amount to.
func (r *Record) Interruptions(f Frame) outage.Figures {
	seen := outage.Observation{Fault: f.Injected, End: f.End}
	for _, a := range r.attempts {
		if v, _ := Verdict(a); v == ledger.Acknowledged {
			seen.Answers = append(seen.Answers, outage.Answer{Intended: a.Intended, At: a.Done, Node: a.Answer.Node})
		}
	}
	return outage.Measure(seen, f.Threshold)
}

// Result is the client's part of a fault.
func (r *Record) Result(f Frame) result.Client {
	gap := r.Interruptions(f).Interruption
	c := result.Client{
		Kind: r.Client.Kind, Node: r.Client.Node, Interruption: result.Of(gap.Length()),
		Since: result.Of(gap.From - f.Injected), Open: gap.Open, Latency: r.latency(),
	}
	inTime := 0
	for _, a := range r.attempts {
		switch v, _ := Verdict(a); v {
		case ledger.Acknowledged:
			c.Acked++
			if a.Done-a.Intended <= f.Deadline {
				inTime++
			}
		case ledger.Refused:
			c.Refused++
		case ledger.Indeterminate:
			c.Indeterminate++
		}
	}
	if c.Attempts = len(r.attempts); c.Attempts > 0 {
		c.Availability = float64(inTime) / float64(c.Attempts)
	}
	c.Dots = r.dots(f)
	return c
}

// The range of the histogram: from a microsecond to ten minutes, which no
// attempt with a deadline reaches, three digits exact.
const (
	shortest = 1
	longest  = int64(10 * time.Minute / time.Microsecond)
	digits   = 3
)

// latency is measured from the intended start of every answered attempt.
func (r *Record) latency() result.Latency {
	histogram := hdrhistogram.New(shortest, longest, digits)
	for _, a := range r.attempts {
		if v, _ := Verdict(a); v == ledger.Acknowledged {
			// Out of range is out of every promise as well: it counts as the most.
			_ = histogram.RecordValue(min(int64((a.Done-a.Intended)/time.Microsecond), longest))
		}
	}
	at := func(percent float64) result.Milliseconds {
		return result.Of(time.Duration(histogram.ValueAtQuantile(percent)) * time.Microsecond)
	}
	return result.Latency{P50: at(50), P95: at(95), P99: at(99), Max: result.Of(time.Duration(histogram.Max()) * time.Microsecond)}
}

// dots are the attempts for the page. What failed or was late is always there.
func (r *Record) dots(f Frame) []result.Dot {
	sorted := slices.Clone(r.attempts)
	slices.SortFunc(sorted, func(a, b Attempt) int { return cmp.Compare(a.Intended, b.Intended) })
	sparse := f.Sparse
	if r.Client.Kind == NewConnection {
		sparse = 0
	}
	var dots []result.Dot
	var kept time.Duration
	for i, a := range sorted {
		verdict, class := Verdict(a)
		good := verdict == ledger.Acknowledged && a.Done-a.Intended <= f.Deadline
		if good && i > 0 && a.Intended-kept < sparse {
			continue
		}
		kept = a.Intended
		dots = append(dots, result.Dot{
			At: result.Of(a.Intended - f.Injected), Latency: result.Of(a.Done - a.Intended),
			Verdict: verdict.String(), Node: a.Answer.Node, Error: string(class),
		})
	}
	return dots
}

// Failure is the first attempt intended at or after the given offset that was
// not answered in time; false when there is none.
func (r *Record) Failure(from time.Duration) (Attempt, bool) {
	var first Attempt
	found := false
	for _, a := range r.attempts {
		if v, _ := Verdict(a); v != ledger.Acknowledged && a.Done >= from && (!found || a.Done < first.Done) {
			first, found = a, true
		}
	}
	return first, found
}

// Acks are the acknowledged attempts, in no order.
func (r *Record) Acks() []Attempt {
	var acks []Attempt
	for _, a := range r.attempts {
		if v, _ := Verdict(a); v == ledger.Acknowledged {
			acks = append(acks, a)
		}
	}
	return acks
}

// Stall is a time in which the monitor itself was held up.
type Stall struct{ From, To time.Duration }

// Stalls are the times in which ticks started later than intended by at least
// the given duration: what happened then was only seen afterwards.
func (r *Record) Stalls(late time.Duration) []Stall {
	sorted := slices.Clone(r.attempts)
	slices.SortFunc(sorted, func(a, b Attempt) int { return cmp.Compare(a.Intended, b.Intended) })
	var stalls []Stall
	for _, a := range sorted {
		if a.Started-a.Intended < late {
			continue
		}
		if n := len(stalls); n > 0 && a.Intended <= stalls[n-1].To {
			stalls[n-1].To = max(stalls[n-1].To, a.Started)
			continue
		}
		stalls = append(stalls, Stall{From: a.Intended, To: a.Started})
	}
	return stalls
}
