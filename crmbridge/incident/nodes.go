package incident

// live says whether a node is there as far as the cluster can tell.
func (s *state) live(node string) bool {
	n, seen := s.nodes[node]
	return !seen || n.Member && n.Online || s.unheard(node)
}

// unheard says whether a node is the observer's own and only its Pacemaker has ended: its CIB begins anew and does not
// know of the node yet, on which everything runs as it did.
func (s *state) unheard(node string) bool {
	n, seen := s.nodes[node]
	return seen && node == s.observer && n.untold() && !s.joined.IsZero() && s.connected()
}

// untold says whether a state is what a CIB has of a node that it does not know yet.
func (n NodeState) untold() bool { return !n.Member && n.Join == "" && n.Expected == "" }

// connected says whether the observer has not lost Corosync since it was last found to be a member.
func (s *state) connected() bool { return !s.cut.After(s.joined) }

// nodeTrigger says what the news of a node can begin, in the state before it.
func (s *state) nodeTrigger(e Event) trigger {
	was, seen := s.nodes[e.Node]
	switch now := e.State; {
	case !seen && !now.Member: // that it is not there yet is no news
		return nothing
	case !seen && now.Online && e.Node == e.Observer && s.formed():
		return returns // and has met no cluster so far: whether there was one, begun says
	case !seen:
		return continues
	case was.Member && !now.Member, was.Online && !now.Online && was.Member:
		if !s.leaving[e.Node] && was.Expected != "down" {
			return fails
		}
		return continues
	case now.Member && !was.Member, now.Member && now.Online && !was.Online:
		return returns
	}
	return continues
}

// knows says whether what is found is only what became of what was known: of the observer's own node, which was a member
// before it lost its Pacemaker, whatever it finds when it joins again, or of an address that was somewhere.
func (s *state) knows(e Event) bool {
	switch e.Kind {
	case NodeChanged:
		_, seen := s.nodes[e.Node]
		return seen && e.Node == e.Observer
	case ResourceRunning:
		return s.isAddress(e.Known.Resource) && s.where(e.Known.Resource) != ""
	default:
		return false
	}
}

// leaves says whether a node is to leave the cluster, as somebody asked for.
func (s *state) leaves(node string) bool {
	n := s.nodes[node]
	return s.leaving[node] || n.Expected == "down" && n.Join == "member"
}

// ending says whether all nodes that are there are to leave: the whole cluster is being stopped.
func (s *state) ending() bool {
	for node := range s.nodes {
		if s.live(node) && !s.leaves(node) {
			return false
		}
	}
	return len(s.nodes) > 0
}

// deserted says whether nodes are gone, and each of them left as somebody asked for: a partition that is too
// small then has lost nobody.
func (s *state) deserted() bool {
	gone := false
	for node := range s.nodes {
		if s.live(node) {
			continue
		}
		if gone = s.leaves(node); !gone {
			return false
		}
	}
	return gone
}

// formed says whether a cluster is only being formed: it has no DC yet, nor a node that takes part in
// one.
func (s *state) formed() bool {
	for _, n := range s.nodes {
		if n.Online && n.Expected == "member" {
			return false
		}
	}
	return s.dc == ""
}

// unclean says whether the cluster has to make sure of a node first, by fencing.
func (s *state) unclean(node string) bool {
	n := s.nodes[node]
	return !s.noFence && !n.Member && n.Expected == "member"
}

// outside says whether what is found of another node is only that a CIB which its manager begins anew does not know of
// it: that is no news of that node, and it is where it was, unless the observer has lost Corosync, too.
func (s *state) outside(e Event) bool {
	return e.Initial && e.Node != e.Observer && s.nodes[e.Node].Member && e.State.untold() && s.connected()
}
