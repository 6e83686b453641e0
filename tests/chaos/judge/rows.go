package judge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/result"
)

// Rows is what a node has when everything is over.
type Rows struct {
	Node     string
	Findings ledger.Findings
	Checksum string // over all columns; empty when it was not asked for
}

// Settled applies the rules about the rows, at the given time after the fault.
func Settled(all []Rows, split bool, at time.Duration) []result.Violation {
	var found []result.Violation
	add := func(kind, node, format string, args ...any) {
		found = append(found, result.Violation{Kind: kind, Node: node, At: result.Of(at), Detail: fmt.Sprintf(format, args...)})
	}
	for _, r := range all {
		if n := len(r.Findings.Lost); n > 0 {
			add(Lost, r.Node, "%s lacks %d acknowledged writes: id %s.", r.Node, n, IDs(r.Findings.Lost))
		}
		if n := len(r.Findings.Unexpected); n > 0 {
			add(Resurrected, r.Node, "%s has %d writes that had been refused: id %s.", r.Node, n, IDs(r.Findings.Unexpected))
		}
		if n := len(r.Findings.Duplicate); n > 0 {
			add(Divergent, r.Node, "%s has %d writes more than once: id %s.", r.Node, n, IDs(r.Findings.Duplicate))
		}
	}
	if n := len(all); n > 0 {
		if unknown := all[0].Findings.Unknown; len(unknown) > 0 && len(notEverywhere(all[0], all)) == 0 {
			add(Resurrected, "", "Every node has %d rows that nobody wrote: id %s.", len(unknown), IDs(unknown))
		}
	}
	for _, r := range all {
		if only := notEverywhere(r, all); len(only) > 0 {
			add(OneNodeOnly, r.Node, "%s has %d rows that another node lacks: id %s.", r.Node, len(only), IDs(only))
		}
	}
	if split {
		add(Divergent, "", "The nodes belong to different clusters (wsrep_cluster_state_uuid).")
	}
	if len(found) == 0 && len(all) > 1 {
		if r := slices.IndexFunc(all, func(r Rows) bool { return r.Checksum != all[0].Checksum }); r >= 0 {
			add(Divergent, all[r].Node, "%s and %s have the same rows with different contents.", all[0].Node, all[r].Node)
		}
	}
	return found
}

// notEverywhere are the rows of a node, beyond the acknowledged, that another
// node lacks. An acknowledged one is lost there, which is said already.
func notEverywhere(r Rows, all []Rows) []uint64 {
	extra := func(f ledger.Findings) []uint64 { return slices.Concat(f.Doubtful, f.Unknown, f.Unexpected) }
	var only []uint64
	for _, id := range extra(r.Findings) {
		for _, o := range all {
			if !slices.Contains(extra(o.Findings), id) {
				only = append(only, id)
				break
			}
		}
	}
	slices.Sort(only)
	return only
}

// IDs lists the first few ids for people.
func IDs(all []uint64) string {
	const most = 8
	words := make([]string, 0, most+1)
	for i, id := range all {
		if i == most {
			words = append(words, "...")
			break
		}
		words = append(words, strconv.FormatUint(id, 10))
	}
	return strings.Join(words, " ")
}
