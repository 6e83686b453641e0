package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"holdfast/crmbridge/journal"
)

// The exit statuses of crmbridge verify and doctor.
const (
	exitFindings = 1
	exitUnable   = 2
)

// verification is what crmbridge verify found.
type verification struct {
	Intact   bool              `json:"intact"`
	Chains   []journal.Chain   `json:"chains"`
	Findings []journal.Finding `json:"findings"`
	// Foreign counts entries that pass themselves off as crmbridge's.
	Foreign int `json:"foreign"`
}

// runVerify is "crmbridge verify".
func runVerify(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	r := newReading("verify", time.Now(), stderr)
	state := r.flags.String("state", stateDirectory, "`DIRECTORY` in which the daemon keeps the end of its chain, for this node's journal")
	v, err := verify(ctx, r, state, args)
	if err != nil {
		return finish(stderr, err, exitUnable)
	}
	if r.json {
		err = asJSON(stdout, v)
	} else {
		r.tellVerification(stdout, v)
	}
	switch {
	case err != nil:
		return finish(stderr, err, exitUnable)
	case len(v.Chains) == 0:
		return exitUnable
	case !v.Intact:
		return exitFindings
	}
	return exitOK
}

func verify(ctx context.Context, r *reading, state *string, args []string) (verification, error) {
	if _, err := r.parse(args, 0); err != nil {
		return verification{}, err
	}
	var heads []journal.Head
	if len(r.journals) == 0 {
		// Before the journal is read: what is written in between is no problem then.
		head, err := keptHead(filepath.Join(*state, "chain"))
		if err != nil {
			return verification{}, err
		}
		heads = append(heads, head)
	}
	l, err := journal.Read(ctx, journal.Range{}, r.journals...)
	if err != nil {
		return verification{}, err
	}
	v := verification{Foreign: l.Foreign}
	v.Chains, v.Findings = l.Verify(heads...)
	v.Intact = len(v.Findings) == 0
	return v, nil
}

// keptHead is the newest entry by what the daemon keeps; none if it never ran here.
func keptHead(file string) (journal.Head, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return journal.Head{}, nil
	}
	var head journal.Head
	if err == nil {
		err = json.Unmarshal(text, &head)
	}
	if err != nil {
		return journal.Head{}, fmt.Errorf("read where the chain ends: %w", err)
	}
	return head, nil
}

func (r *reading) tellVerification(out io.Writer, v verification) {
	if len(v.Chains) == 0 {
		fmt.Fprintln(out, "There are no entries of crmbridge to verify.")
	} else {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NODE\tENTRIES\tNEWEST HASH")
		for _, c := range v.Chains {
			fmt.Fprintf(w, "%s\t%d to %d\t%s\n", c.Node, c.First, c.Last, c.Hash)
		}
		_ = w.Flush() // like every print to a terminal
		if v.Intact {
			fmt.Fprintln(out, "\nIntact: no entry between these was removed or altered.")
		}
	}
	for _, c := range v.Chains {
		for _, l := range c.Lost {
			fmt.Fprintf(out, "\n%s: %s lost when crmbridge or the node crashed, which it said when it began again (%s).\n", c.Node, l, r.place(l.Told).Format(time.DateTime))
		}
	}
	for _, f := range v.Findings {
		fmt.Fprintf(out, "\n%s: entry %d", f.Node, f.From)
		if f.To > f.From {
			fmt.Fprintf(out, " to %d", f.To)
		}
		fmt.Fprintf(out, " %s: %s\n", f.Problem, f.What)
	}
	if v.Foreign > 0 {
		fmt.Fprintf(out, "\n%d entries pass themselves off as crmbridge's and were written by another program; they were left out.\n", v.Foreign)
	}
}
