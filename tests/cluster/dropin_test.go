//go:build lab

package cluster

import (
	"testing"
)

// TestDropIn is a cluster that changes over from the heartbeat agents, and then loses
// every grastate.dat, which the heartbeat agent survives (ra-tester's
// ClusterBootWithoutGrastateOnDisk).
func TestDropIn(t *testing.T) {
	f := startFixture(t)
	for _, part := range []struct {
		name string
		do   func(*testing.T, *fixture)
	}{
		{"first boot of an empty cluster", firstBoot},
		{"change over from the heartbeat agents", changeOver},
		{"no node has a grastate.dat", noGrastateAnywhere},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.do(t, f) }) {
			t.Fatalf("the cluster's life ends with %q", part.name)
		}
	}
}

const grastate = "/var/lib/mysql/grastate.dat"

// stopDatabases disables the clone and waits until it runs nowhere.
func (f *fixture) stopDatabases(t *testing.T) {
	t.Helper()
	f.run(t, "db1", "pcs", "resource", "disable", "galera-clone", "--wait=240")
}

// startDatabases enables the clone and waits until everything is as it should be, the
// attributes of the election included.
func (f *fixture) startDatabases(t *testing.T) {
	t.Helper()
	f.run(t, "db1", "pcs", "resource", "enable", "galera-clone")
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	f.wantNoElection(t)
	f.wantDays(t, 1)
}

// wantNoElection fails if an attribute of the election outlives it.
func (f *fixture) wantNoElection(t *testing.T) {
	t.Helper()
	for _, node := range names() {
		for _, name := range []string{"last-committed", "bootstrap", "no-grastate", "safe-to-bootstrap"} {
			if value := f.attribute(t.Context(), node, "galera-"+name); value != "" {
				t.Errorf("%s still has galera-%s=%s although it is promoted", node, name, value)
			}
		}
	}
}

func noGrastateAnywhere(t *testing.T, f *fixture) {
	f.stopDatabases(t)
	for _, node := range names() {
		f.run(t, node, "rm", grastate)
	}
	f.startDatabases(t)
}
