package ledger

import "slices"

// Verdict is what is known about one write.
type Verdict uint8

// The verdicts. The zero value is the one that promises nothing.
const (
	Indeterminate Verdict = iota
	Refused
	Acknowledged
)

// String is the word for the verdict in the ledger file and in reports.
func (v Verdict) String() string {
	switch v {
	case Refused:
		return "refused"
	case Acknowledged:
		return "acknowledged"
	default:
		return "indeterminate"
	}
}

// Ledger holds the verdict of every write of one run. The zero value is empty.
type Ledger struct {
	verdicts map[uint64]Verdict
	counts   Counts
}

// Counts is how many writes have which verdict.
type Counts struct {
	Attempts, Acknowledged, Refused, Indeterminate int
}

// Record notes the verdict of the write with the given id. A later verdict
// replaces an earlier one, except that what was acknowledged stays promised.
func (l *Ledger) Record(id uint64, v Verdict) {
	if l.verdicts == nil {
		l.verdicts = map[uint64]Verdict{}
	}
	old, known := l.verdicts[id]
	if known && old == Acknowledged {
		return
	}
	if known {
		l.count(old, -1)
	}
	l.verdicts[id] = v
	l.count(v, +1)
}

func (l *Ledger) count(v Verdict, n int) {
	l.counts.Attempts += n
	switch v {
	case Acknowledged:
		l.counts.Acknowledged += n
	case Refused:
		l.counts.Refused += n
	case Indeterminate:
		l.counts.Indeterminate += n
	}
}

// Counts returns how many writes have which verdict.
func (l *Ledger) Counts() Counts { return l.counts }

// Findings is what one node has against the ledger. The lists are in ascending
// order.
type Findings struct {
	Rows       int      // rows read, duplicates included
	Lost       []uint64 // acknowledged, but not there
	Duplicate  []uint64 // there more than once
	Unexpected []uint64 // there, but refused: the server did what it said it had not
	Unknown    []uint64 // there, but never written by this run
	// Doubtful are the indeterminate writes that are there. They are no fault on
	// one node, but all nodes must have the same.
	Doubtful []uint64
}

// Sound says whether the node has what it must have and nothing else.
func (f Findings) Sound() bool {
	return len(f.Lost)+len(f.Duplicate)+len(f.Unexpected)+len(f.Unknown) == 0
}

// Audit compares the ids that a node has, in any order, with the ledger.
func (l *Ledger) Audit(present []uint64) Findings {
	ids := slices.Sorted(slices.Values(present))
	f := Findings{Rows: len(ids)}
	there := make(map[uint64]bool, len(ids))
	for i, id := range ids {
		if i > 0 && ids[i-1] == id {
			if n := len(f.Duplicate); n == 0 || f.Duplicate[n-1] != id {
				f.Duplicate = append(f.Duplicate, id)
			}
			continue
		}
		there[id] = true
		verdict, known := l.verdicts[id]
		switch {
		case !known:
			f.Unknown = append(f.Unknown, id)
		case verdict == Refused:
			f.Unexpected = append(f.Unexpected, id)
		case verdict == Indeterminate:
			f.Doubtful = append(f.Doubtful, id)
		}
	}
	for id, verdict := range l.verdicts {
		if verdict == Acknowledged && !there[id] {
			f.Lost = append(f.Lost, id)
		}
	}
	slices.Sort(f.Lost)
	return f
}

// LostAnywhere is the acknowledged writes that at least one node lacks.
func LostAnywhere(all []Findings) []uint64 {
	var lost []uint64
	for _, f := range all {
		lost = append(lost, f.Lost...)
	}
	slices.Sort(lost)
	return slices.Compact(lost)
}

// Divergent is the indeterminate writes that some nodes have and others lack.
func Divergent(all []Findings) []uint64 {
	on := map[uint64]int{}
	for _, f := range all {
		for _, id := range f.Doubtful {
			on[id]++
		}
	}
	var differ []uint64
	for id, nodes := range on {
		if nodes < len(all) {
			differ = append(differ, id)
		}
	}
	slices.Sort(differ)
	return differ
}
