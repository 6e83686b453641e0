package main

import "holdfast/ocf"

// The values of wsrep_local_state (Galera's documentation, "Node State Changes").
const (
	joining = 1
	donor   = 2
	joined  = 3
	synced  = 4
)

// condition says in what a member of the primary component differs from a full one;
// "" if in nothing.
func (st Wsrep) condition() string {
	switch {
	case st.State == donor:
		// Galera has one state for a node that feeds another one and for one that its
		// operator took out of flow control (wsrep_desync): both lag behind.
		return "is " + st.called("Donor/Desynced") + ", so it may lag behind the cluster"
	case st.State == joining || st.State == joined:
		return "is " + st.called("Joining") + ", so it lags behind the cluster"
	case st.State != synced:
		return "is " + st.called("in an unknown state") + ", not Synced"
	case st.NotReady:
		return "refuses queries (wsrep_ready=OFF)"
	case st.ReadOnly:
		return "refuses writes; run: SET GLOBAL read_only=0"
	}
	return ""
}

// called is the server's own word for its state.
func (st Wsrep) called(otherwise string) string {
	if st.Comment != "" {
		return st.Comment
	}
	return otherwise
}

// promoted is the exit status of a member: Pacemaker takes a degraded one as
// promoted all the same, and shows the reason in pcs status.
func (c *call) promoted(st Wsrep) (ocf.Code, error) {
	words := st.condition()
	if words == "" {
		return ocf.RunningPromoted, nil
	}
	return 0, ocf.Errorf(ocf.DegradedPromoted, "%s %s", c.node, words)
}
