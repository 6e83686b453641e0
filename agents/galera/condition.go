package main

import "context"

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
		return st.called("Donor/Desynced") + ": may lag behind the cluster"
	case st.State == joining || st.State == joined:
		return st.called("Joining") + ": lags behind the cluster"
	case st.State != synced:
		return st.called("unknown state") + ": not Synced"
	case st.NotReady:
		return "not ready: refuses queries (wsrep_ready=OFF)"
	case st.ReadOnly:
		return "read-only: refuses writes; run SET GLOBAL read_only=0"
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

// remark is what is special about a node; the zero remark is nothing.
type remark struct {
	words string
	unfit bool // clients are better off elsewhere
}

func fit(words string) remark   { return remark{words: words} }
func unfit(words string) remark { return remark{words: words, unfit: true} }

// diskReserve is the free space with less of which a disk counts as full: InnoDB extends a
// table space by up to 4 MiB at a time (FSP_FREE_ADD extents), and there are several.
const diskReserve = 16 << 20 // bytes

// condition is the remark on a member of the primary component.
func (c *call) condition(st Wsrep) remark {
	if free, err := c.files.Free(); err == nil && free < diskReserve {
		return unfit("its disk is full: make room in the directory of the database")
	}
	return fit(st.condition())
}

// unsure begins the note of a remark of which it is not known whether the cluster shows it.
const unsure = "? "

// show publishes what is special about this node, and takes it back when nothing is any
// more. A note of what was published spares the monitor a process as long as nothing
// changes. Pacemaker's own words for it, the exit statuses 190 and 191, would stay in
// pcs status as failed actions until somebody cleans them up.
func (c *call) show(ctx context.Context, r remark) {
	shown, err := c.files.Note(noteState)
	if err == nil && shown == r.words {
		return
	}
	if r.words == "" {
		c.log.Info("this node is a full member of the cluster")
	} else {
		c.log.Warn("this node is no full member of the cluster: " + r.words)
	}
	err = c.identify(ctx)
	if err == nil { // an agent that is killed now leaves a note that is no remark: the next one looks again
		err = c.files.SaveNote(noteState, unsure+r.words)
	}
	if err == nil {
		err = c.update(ctx, c.set(c.node, attrUnfit, mark(r.unfit)), c.set(c.node, attrState, r.words))
	}
	if err == nil {
		err = c.files.SaveNote(noteState, r.words)
	}
	if err != nil {
		c.log.Warn("the node's state could not be shown; the next monitor tries again", "error", err)
	}
}
