package journal

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Problem is what is wrong with a chain.
type Problem string

// The problems.
const (
	Altered  Problem = "altered"  // its fields do not give its hash
	Missing  Problem = "missing"  // numbers that are not there
	Replaced Problem = "replaced" // it does not continue the entry before it
	Doubled  Problem = "doubled"  // a number twice, with different contents
	CutOff   Problem = "cut-off"  // the newest entries are gone, by what the daemon keeps
)

// Finding is one problem of a node's chain.
type Finding struct {
	Node    string  `json:"node"`
	Chain   string  `json:"chain"`
	Problem Problem `json:"problem"`
	// From and To are the numbers of the entries.
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	What string `json:"what"`
}

// Chain is the entries of one node that belong together.
type Chain struct {
	Node  string `json:"node"`
	Chain string `json:"chain"`
	First uint64 `json:"first"` // more than 1: older ones are no longer kept by journald, or were not read
	Last  uint64 `json:"last"`
	Hash  string `json:"hash"` // of the last
	// Lost are entries that the daemon missed itself when it began anew after a crash.
	Lost []Loss `json:"lost,omitempty"`
}

// Loss is entries that were written right before the daemon or the node crashed, and did not
// get to the disk.
type Loss struct {
	From uint64    `json:"from"`
	To   uint64    `json:"to"`
	Told time.Time `json:"told"` // when the daemon began anew
}

func (l Loss) String() string { return these(l.From, l.To) }

// these is entries by their numbers, with the verb.
func these(from, to uint64) string {
	if from == to {
		return fmt.Sprintf("entry %d was", from)
	}
	return fmt.Sprintf("entries %d to %d were", from, to)
}

// Verify checks the chains of all nodes. heads are the newest entries as daemons keep
// them, if they are known: then it is also seen if the newest are gone.
func (l *Log) Verify(heads ...Head) ([]Chain, []Finding) {
	byChain := map[string][]Entry{}
	var order []string
	for _, e := range l.entries {
		key := e.Node + " " + e.Chain
		if byChain[key] == nil {
			order = append(order, key)
		}
		byChain[key] = append(byChain[key], e)
	}
	var chains []Chain
	var findings []Finding
	for _, key := range order {
		entries := byChain[key]
		slices.SortStableFunc(entries, func(a, b Entry) int {
			if a.Sequence != b.Sequence {
				return int(max(-1, min(1, int64(a.Sequence)-int64(b.Sequence))))
			}
			return a.Written.Compare(b.Written)
		})
		chain, found := check(entries)
		for _, h := range heads {
			if h.Chain == chain.Chain && h.Sequence > chain.Last {
				found = append(found, chain.finding(CutOff, chain.Last+1, h.Sequence, "the daemon wrote them, and they are not there"))
			}
		}
		chains, findings = append(chains, chain), append(findings, found...)
	}
	return chains, findings
}

// check goes through the entries of one chain, in the order of their numbers.
func check(entries []Entry) (Chain, []Finding) {
	first, last := entries[0], entries[len(entries)-1]
	c := Chain{Node: first.Node, Chain: first.Chain, First: first.Sequence, Last: last.Sequence, Hash: last.fields[fieldHash]}
	var found []Finding
	if first.Sequence == 1 && first.fields[fieldPrevious] != genesis() {
		found = append(found, c.finding(Replaced, 1, 1, "the first entry continues another chain"))
	}
	for i, e := range entries {
		if hash(e.fields) != e.fields[fieldHash] {
			found = append(found, c.finding(Altered, e.Sequence, e.Sequence, "its fields do not give the hash that it has"))
		}
		if i == 0 {
			continue
		}
		switch before := entries[i-1]; {
		case e.Sequence == before.Sequence:
			found = append(found, c.finding(Doubled, e.Sequence, e.Sequence, "two different entries have this number"))
		case e.lost(before):
			c.Lost = append(c.Lost, Loss{From: before.Sequence + 1, To: e.Sequence - 1, Told: e.Written})
		case e.Sequence > before.Sequence+1:
			found = append(found, c.finding(Missing, before.Sequence+1, e.Sequence-1, "not in the journal"))
		case e.fields[fieldPrevious] != before.fields[fieldHash]:
			found = append(found, c.finding(Replaced, before.Sequence, e.Sequence, fmt.Sprintf("entry %d does not continue entry %d", e.Sequence, before.Sequence)))
		}
	}
	return c, found
}

// lost says whether all entries between two that are there were missed by the daemon itself, which
// had not ended by itself before it began anew. An entry that says so is in the chain like every other.
func (e Entry) lost(before Entry) bool {
	return e.Type == typeBegin && before.Type != typeEnd && e.Sequence > before.Sequence+1 &&
		e.fields[fieldLost] == strconv.FormatUint(before.Sequence+1, 10)
}

func (c Chain) finding(p Problem, from, to uint64, what string) Finding {
	return Finding{Node: c.Node, Chain: c.Chain, Problem: p, From: from, To: to, What: what}
}
