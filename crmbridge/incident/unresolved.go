package incident

// stopped says whether the resource shall not run anywhere.
func (s *state) stopped(resource string) bool {
	return s.off[""] || s.off[resource] || s.off[s.known[resource].Parent] && s.known[resource].Parent != ""
}

// located says whether an address is known to be somewhere.
func (s *state) located() bool {
	for name := range s.known {
		if s.isAddress(name) && s.where(name) != "" {
			return true
		}
	}
	return false
}

// serving says whether every address that shall be somewhere is.
func (s *state) serving() bool {
	for name := range s.known {
		if s.isAddress(name) && !s.stopped(name) && s.where(name) == "" {
			return false
		}
	}
	return true
}

// unsure says whether nobody has looked for an address since the history of the node that had it was erased: it may have
// been stopped there before.
func (s *state) unsure() bool {
	for name := range s.known {
		if s.isAddress(name) && s.erased[instance{name, s.where(name)}] {
			return true
		}
	}
	return false
}

// ailing says whether on a node with an address the database, or the address itself, has failed and nothing was
// done about it yet.
func (s *state) ailing() bool {
	for at := range s.failed {
		for name := range s.known {
			if s.isAddress(name) && s.where(name) == at.node && s.interesting(at.resource) {
				return true
			}
		}
	}
	return false
}

// unresolved says whether the cluster has something to do yet, after an incident that
// began in another state: it is busy, or something that ran should run again.
func (s *state) unresolved(before *state) bool {
	if s.busy(before) {
		return true
	}
	if s.left {
		return false
	}
	for i, unfit := range s.unfit {
		if unfit && !before.unfit[i] {
			return true
		}
	}
	for i, role := range before.roles {
		if s.missing(i, role) {
			return true
		}
	}
	return false
}

// busy says whether something is under way or has failed since an incident began, or a node is to be fenced or is
// joining.
func (s *state) busy(before *state) bool {
	for at, e := range s.failed {
		if before.failed[at].Op.Magic != e.Op.Magic {
			return true
		}
	}
	return s.working()
}

// resting says whether the cluster is doing nothing and the service is there: what is left, as a
// database that cannot run, may stay so for as long as its reason does.
func (s *state) resting() bool { return !s.working() && s.serving() }

func (s *state) working() bool {
	for a := range s.pending {
		if s.interesting(a.resource) {
			return true
		}
	}
	for i := range s.roles { // what a node that is to leave has is to stop first
		if s.leaving[i.node] && s.live(i.node) && s.interesting(i.resource) {
			return true
		}
	}
	for node, n := range s.nodes {
		silent := n.Member && !n.Online && n.Expected == "member" && !s.leaving[node]
		joining := n.Member && n.Join != "member"
		if silent || joining || s.unclean(node) {
			return true
		}
	}
	return false
}

// missing says whether something that ran should run again. An address may run
// anywhere, a database where it was, as long as its node may have it.
func (s *state) missing(i instance, role Role) bool {
	if s.stopped(i.resource) || !s.interesting(i.resource) {
		return false
	}
	if s.isAddress(i.resource) {
		return s.where(i.resource) == ""
	}
	if !s.live(i.node) || s.standby[i.node] || s.leaving[i.node] {
		return false
	}
	now := s.roles[i]
	return now == "" || role == RolePromoted && now != RolePromoted
}
