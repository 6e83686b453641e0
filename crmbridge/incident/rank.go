package incident

import (
	"cmp"
	"slices"
)

// foremost brings the cause of the others to the front, of causes in the order in which they were seen.
func (s *segment) foremost(all []Cause) []Cause {
	ranks := map[string]int{}
	for i, c := range all {
		ranks[c.name()] = s.rank(c, all[:i], all)
	}
	slices.SortStableFunc(all, func(a, b Cause) int { return cmp.Compare(ranks[a.name()], ranks[b.name()]) })
	return all
}

// name is unlike that of any other cause of the incident.
func (c Cause) name() string { return string(c.Kind) + " " + c.Node + " " + c.Resource }

// rank is the place of a cause among all, of which some were seen earlier. What it began with is first, except
// that a node that is cut off first loses its resources, that what was seen on a node that was then lost without
// being fenced was the beginning of its end, or on others in passing, and that what nobody is served by is hardly why
// something else failed on another node.
func (s *segment) rank(c Cause, earlier, all []Cause) int {
	elsewhere := func(o Cause) bool { return o.Kind.breaks() && o.Node != c.Node }
	before := func(o Cause) bool { return elsewhere(o) && c.Evidence[0].At.Sub(o.Evidence[0].At) > inPassing }
	switch {
	case s.how == asked || s.how == returns:
		if c.Kind.Planned() || c.Kind == NodeReturned {
			return 0
		}
		return 1
	case c.Kind == QuorumGone:
		return 0
	case c.Kind == NodeLost && s.gone(c.Node) && !slices.ContainsFunc(earlier, before):
		return 1
	case c.Kind == ResourceFailed && slices.ContainsFunc(all, elsewhere):
		return 3
	case c.Kind.Failure():
		return 2
	}
	return 4
}

// gone says whether a node left Corosync's membership, as the others saw it. One that did not has only lost its
// Pacemaker, as when pacemakerd ends a CIB manager that no longer answers.
func (s *segment) gone(node string) bool {
	_, left := s.first(func(e Event) bool {
		return e.Node == node && (e.Kind == NodeLeft || e.Kind == NodeChanged && !e.State.Member && e.Node != e.Observer)
	})
	return left
}

// breaks says whether a cause is the failure of what clients are served by.
func (k CauseKind) breaks() bool {
	switch k {
	case DatabaseDied, DatabaseHung, DatabaseFailed, AddressLost, NodeLost, NodeFenced:
		return true
	default:
		return false
	}
}
