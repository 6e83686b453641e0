package sla

import (
	"fmt"

	"holdfast/tests/chaos/result"
)

// Breach is one promise that a fault's repetition broke.
type Breach struct {
	Kind string // a violation's kind, "lost", "open" or "max-interruption"
	Text string
}

// WriterKind is the kind of client whose interruption is the figure of a fault:
// it connects anew for each attempt, as a client does that has just failed.
const WriterKind = "new-connection"

// Writer is the client whose interruption counts; false when there was none.
func Writer(f result.Fault) (result.Client, bool) {
	for _, c := range f.Clients {
		if c.Kind == WriterKind {
			return c, true
		}
	}
	return result.Client{}, false
}

// Breaches lists what a repetition broke: violations first, because data come
// before service. With a longest above zero, a longer interruption is a breach.
func Breaches(f result.Fault, longest result.Milliseconds) []Breach {
	var all []Breach
	lost := false
	for _, v := range f.Violations {
		lost = lost || v.Kind == "lost"
		all = append(all, Breach{Kind: v.Kind, Text: v.Detail})
	}
	if f.Lost > 0 && !lost {
		all = append(all, Breach{Kind: "lost", Text: fmt.Sprintf("%d acknowledged writes are lost", f.Lost)})
	}
	writer, measured := Writer(f)
	if !measured {
		return all
	}
	took := round(writer.Interruption.Duration())
	if writer.Open && !f.Stopped {
		all = append(all, Breach{Kind: "open", Text: fmt.Sprintf("the service was not back: away for %s when the observation ended", took)})
	}
	if longest > 0 && writer.Interruption > longest {
		all = append(all, Breach{Kind: "max-interruption",
			Text: fmt.Sprintf("the interruption took %s, more than %s", took, round(longest.Duration()))})
	}
	return all
}
