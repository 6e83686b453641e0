package sample

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/timeline"
)

// Node is a node whose view is sampled.
type Node struct {
	Name   string
	Server *mariadb.Server
}

// Seen is one sample of a node.
type Seen struct {
	Node string
	At   time.Duration // when the answer was there, or the deadline over
	View timeline.NodeView
}

// Views samples every node until ctx is done and then closes out.
func Views(ctx context.Context, origin time.Time, interval, deadline time.Duration, nodes []Node, out chan<- Seen) {
	defer close(out)
	names := map[string]string{}
	for _, n := range nodes {
		names[host(n.Server.Address())] = n.Name
	}
	var all sync.WaitGroup
	defer all.Wait()
	for _, n := range nodes {
		all.Go(func() { watch(ctx, origin, interval, deadline, n, names, out) })
	}
}

func watch(ctx context.Context, origin time.Time, interval, deadline time.Duration, n Node, names map[string]string, out chan<- Seen) {
	observer := n.Server.Observer()
	defer observer.Close()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked, cancel := context.WithTimeout(ctx, deadline)
		view, class, err := observer.View(asked)
		cancel()
		if ctx.Err() != nil {
			return
		}
		seen := Seen{Node: n.Name, At: time.Since(origin)}
		if err != nil {
			seen.View.State = absence(class)
		} else {
			seen.View = newView(view, names)
		}
		out <- seen
	}
}

func absence(class mariadb.Class) string {
	if class == mariadb.ConnectionRefused {
		return timeline.Off
	}
	return timeline.Unreachable
}

// newView translates what the database said; names are the nodes' names by their
// addresses.
func newView(v mariadb.View, names map[string]string) timeline.NodeView {
	seen := timeline.NodeView{State: v.State, Primary: v.Primary(), Cluster: v.ClusterUUID, ConfID: v.ConfID, Size: v.Size}
	switch {
	case !v.Primary():
		seen.State = timeline.NonPrimary
	case v.State == "Synced" && !v.Ready:
		seen.State = timeline.NotReady
	}
	for _, m := range v.Members {
		if name := names[host(m)]; name != "" {
			seen.Members = append(seen.Members, name)
		}
	}
	slices.Sort(seen.Members)
	return seen
}

// host is the address without its port.
func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return strings.Trim(address, "[]")
}
