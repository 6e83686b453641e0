package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"holdfast/agents/internal/crm"
)

// watch accompanies a starting server: it logs what it is doing when that changes,
// and notices when there is no cluster any more to join.
type watch struct {
	*call
	newCluster bool
	patience   time.Duration // how long the action waits for a join
	yields     bool          // ends earlier when another node is in trouble
	online     []string      // the nodes that were there at the first look
	doing      string
	looked     time.Time
	alone      int // looks in a row that found no peer
	// transfer says that the server is receiving what it missed. While it does not
	// answer yet, it is: a server that finds no cluster ends by itself.
	transfer bool
	told     time.Time // when the progress was published last
	began    time.Time // the first look
	parted   time.Time // when the server said first that it has no connection; zero: it has one
}

// partedLimit is how long a server that answers may be without a connection: one whose
// wsrep_sst_method needs a running server connects only then.
const partedLimit = 3 * time.Second

// errClosed ends a join that cannot succeed any more.
var errClosed = errors.New("the server gave the cluster up while joining, and only a restart makes it try again")

// closed says whether Galera has closed its connection for good. It does when a state
// transfer fails, for instance when the donor left some of the missing write-sets out
// (ReplicatorSMM::recv_IST, "node restart required"), and leaves the server running: with the status Disconnected,
// or, if it was applying the write-sets already, non-Primary.
func (w *watch) closed(st Wsrep) bool {
	if !st.apart() {
		w.parted = time.Time{}
		return false
	}
	now := w.clock.Now()
	if w.parted.IsZero() {
		w.parted = now
	}
	return now.Sub(w.parted) >= partedLimit
}

// A short join needs no progress, and a long one not each second.
const tellPause = 15 * time.Second

// aloneLimit is how many looks must find no peer: a single one may fall between
// two states of the cluster.
const aloneLimit = 2

// look is called often and costs a process only every peerPause.
func (w *watch) look(ctx context.Context, doing string) error {
	if doing != "" && doing != w.doing {
		w.doing = doing
		w.log.Info("waiting for the server: " + doing)
	}
	if w.began.IsZero() {
		w.began = w.clock.Now()
	}
	if !w.newCluster && w.transfer && (w.timeIsUp(ctx) || w.clock.Now().Sub(w.began) >= w.patience) {
		return errJoinGoesOn
	}
	w.tell(ctx)
	if w.newCluster || w.clock.Now().Sub(w.looked) < peerPause {
		return nil
	}
	w.looked = w.clock.Now()
	s, err := w.cluster.Status(ctx)
	if err != nil {
		w.log.Warn("the peers could not be watched", "error", err)
		return nil
	}
	if _, ok := w.promotedPeer(s); ok {
		w.alone = 0
		if w.yields && w.trouble(s) {
			return errJoinGoesOn
		}
		return nil
	}
	if w.alone++; w.alone < aloneLimit {
		return nil
	}
	return errClusterGone
}

// trouble says whether Pacemaker has something to do elsewhere that a client waits for. It
// decides nothing as long as this action goes on.
func (w *watch) trouble(s *crm.Status) bool {
	if w.online == nil {
		for _, n := range s.Nodes {
			if n.Online {
				w.online = append(w.online, n.Name)
			}
		}
	}
	if slices.ContainsFunc(w.online, func(name string) bool { return !s.Node(name).Online || s.Node(name).Unclean }) {
		return true
	}
	return slices.ContainsFunc(s.Instances, func(i crm.Instance) bool {
		return i.Node != w.node && (i.Failed || s.Attribute(i.Node, w.attribute(attrUnfit)) != "")
	})
}

// tell publishes what a server is doing that takes long.
func (w *watch) tell(ctx context.Context) {
	now := w.clock.Now()
	if w.told.IsZero() {
		w.told = now
	}
	if now.Sub(w.told) < tellPause {
		return
	}
	w.told = now
	if w.newCluster {
		w.show(ctx, fit("starting: "+w.doing))
		return
	}
	w.show(ctx, fit("joining: "+w.doing+", "+w.received(ctx)))
}
