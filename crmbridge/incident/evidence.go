package incident

import (
	"slices"
	"strings"
)

func evidence(e Event) Evidence {
	return Evidence{At: e.At.Wall, Source: e.Source, Observer: e.Observer, Basis: e.Basis, What: Tell(e), CIB: e.CIB}
}

// support moves what only supports another cause there as evidence: that a process died
// explains a failed monitor, and a lost token a lost node.
func (s *segment) support(all []Cause) []Cause {
	for i := range all {
		c := &all[i]
		for _, e := range s.events {
			if supports(e, *c) {
				c.Evidence = append(c.Evidence, evidence(e))
			}
		}
		c.Evidence = unlike(c.Evidence)
	}
	return withoutDoubts(all)
}

// withoutDoubts leaves out what another cause says better; an agent's doubts of a database that failed are evidence
// of it.
func withoutDoubts(all []Cause) []Cause {
	var kept []Cause
	for _, c := range all {
		if slices.ContainsFunc(all, func(o Cause) bool { return o.outweighs(c) }) {
			continue
		}
		for _, o := range all {
			if o.Kind == DatabaseUnfit && c.outweighs(o) {
				c.Evidence = unlike(append(c.Evidence, o.Evidence...))
			}
		}
		kept = append(kept, c)
	}
	return kept
}

// outweighs says whether a cause says better what another one does: a failed monitor of a database whose process died
// is no second cause, nor are an agent's doubts of one that failed.
func (c Cause) outweighs(o Cause) bool {
	var by []CauseKind
	switch o.Kind {
	case DatabaseUnfit:
		by = []CauseKind{DatabaseFailed, DatabaseHung, DatabaseDied}
	case DatabaseFailed, DatabaseHung:
		by = []CauseKind{DatabaseDied}
	default:
	}
	return slices.Contains(by, c.Kind) && c.Node == o.Node && c.Resource == o.Resource
}

// unlike are pieces of evidence in the order of time, each once.
func unlike(all []Evidence) []Evidence {
	slices.SortStableFunc(all, func(a, b Evidence) int { return a.At.Compare(b.At) })
	return slices.CompactFunc(all, func(a, b Evidence) bool { return a == b })
}

func supports(e Event, c Cause) bool {
	switch e.Kind {
	case TokenLost:
		return c.Kind == NodeLost || c.Kind == QuorumGone
	case LinkDown:
		return c.Kind == QuorumGone || c.Kind == NodeLost && c.Node == e.Node
	case NodeLeft:
		return c.Kind == QuorumGone || (c.Kind == NodeLost || c.Kind == NodeFenced || c.Kind == NodeStopped) && c.Node == e.Node
	case FencingRequested:
		return c.Kind == NodeFenced && c.Node == e.Node
	case ProbeBad:
		return c.Kind.Failure()
	case AttributeChanged: // the agent's own words
		near := e.At.Wall.Sub(c.Evidence[0].At).Abs() <= inPassing
		return near && e.Change.Value != "" && c.Node == e.Node && c.Resource != "" && strings.HasPrefix(e.Change.Name, c.Resource+"-") && c.Kind.Failure()
	default:
		return false
	}
}
