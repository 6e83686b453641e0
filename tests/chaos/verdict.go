package main

import (
	"fmt"
	"strconv"
	"strings"

	"holdfast/tests/chaos/judge"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/verify"
)

// judge says whether a run passed, and with which exit status it did not. Data
// come first, then the service, then the measurement itself, then its length.
func (r report) judge() error {
	if r.verification != nil {
		if err := judgeVerification(*r.verification); err != nil {
			return err
		}
	}
	interruption, limit := r.figures.Interruption, r.session.opt.maxInterruption
	switch {
	case r.session.broken != nil:
		return r.session.broken
	case !r.figures.Back():
		return fmt.Errorf("service not back: no answer from %s for %s", r.session.opt.address, seconds(r.figures.Silence()))
	case r.session.faultErr != nil:
		return startError("the fault command failed, so the figures mean little: %w", r.session.faultErr)
	case limit > 0 && interruption.Length() > limit:
		return &failure{status: exitTooLong, err: fmt.Errorf("the interruption of %s is longer than --max-interruption %v", seconds(interruption.Length()), limit)}
	}
	return nil
}

// judgeVerification says in one sentence what is wrong on the nodes.
func judgeVerification(v verify.Result) error {
	if n := len(v.Lost); n > 0 {
		return fmt.Errorf("%d acknowledged writes are lost: id %s", n, judge.IDs(v.Lost))
	}
	if v.Split {
		return fmt.Errorf("the nodes belong to different clusters: compare wsrep_cluster_state_uuid")
	}
	for _, n := range v.Nodes {
		switch f := n.Findings; {
		case n.Err != nil:
			return fmt.Errorf("%s was not verified: %w", n.Name, n.Err)
		case len(f.Unexpected) > 0:
			return fmt.Errorf("%s has %d writes that it had refused: id %s", n.Name, len(f.Unexpected), judge.IDs(f.Unexpected))
		case len(f.Duplicate) > 0:
			return fmt.Errorf("%s has %d writes more than once: id %s", n.Name, len(f.Duplicate), judge.IDs(f.Duplicate))
		case len(f.Unknown) > 0:
			return fmt.Errorf("%s has %d rows that this run never wrote: id %s", n.Name, len(f.Unknown), judge.IDs(f.Unknown))
		}
	}
	if n := len(v.Divergent); n > 0 {
		return fmt.Errorf("the nodes differ in %d indeterminate writes: id %s", n, judge.IDs(v.Divergent))
	}
	return nil
}

// lostWords is the number of lost writes for people; a number only when every
// node was read, or when writes are certainly lost.
func lostWords(v *verify.Result) string {
	switch {
	case v == nil:
		return "unknown (not verified)"
	case v.Complete():
		return strconv.Itoa(len(v.Lost))
	}
	var missing []string
	for _, n := range v.Nodes {
		if n.Err != nil {
			missing = append(missing, n.Name)
		}
	}
	if len(v.Lost) > 0 {
		return fmt.Sprintf("at least %d (not verified: %s)", len(v.Lost), strings.Join(missing, ", "))
	}
	return fmt.Sprintf("unknown (not verified: %s)", strings.Join(missing, ", "))
}

// meaning says what a verdict means for the writes that failed with it.
func meaning(v ledger.Verdict) string {
	if v == ledger.Refused {
		return "not executed"
	}
	return v.String()
}
