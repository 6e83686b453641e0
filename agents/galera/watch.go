package main

import (
	"context"
	"time"
)

// watch accompanies a starting server: it logs what it is doing when that changes,
// and notices when there is no cluster any more to join.
type watch struct {
	*call
	newCluster bool
	doing      string
	looked     time.Time
	alone      int // looks in a row that found no peer
	// transfer says that the server is receiving what it missed. While it does not
	// answer yet, it is: a server that finds no cluster ends by itself.
	transfer bool
	told     time.Time // when the progress was published last
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
	if !w.newCluster && w.transfer && w.timeIsUp(ctx) {
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
		return nil
	}
	if w.alone++; w.alone < aloneLimit {
		return nil
	}
	return errClusterGone
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
		w.show(ctx, "starting: "+w.doing)
		return
	}
	w.show(ctx, "joining: "+w.doing+", "+megabytes(w.files.Size())+" received")
}
