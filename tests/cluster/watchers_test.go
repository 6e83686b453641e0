//go:build lab

package cluster

import "testing"

// watching is a part of the tests of those who watch a cluster.
type watching struct {
	name string
	do   func(*testing.T, *fixture)
}

// TestWatchers is one cluster for those who watch it: crmbridge on its nodes, and chaos from
// outside.
func TestWatchers(t *testing.T) {
	watch(t, watching{"crmbridge records failovers", recordsFailovers}, watching{"chaos finds what is made on purpose", findsWhatIsMade})
}

// TestBridgeDaemons is crmbridge and all that it listens to: what each says, and what can
// happen to it.
func TestBridgeDaemons(t *testing.T) {
	watch(t, watching{"each daemon is understood", speaksWithTheDaemons}, watching{"nothing is lost quietly", losesNothingQuietly})
}

// watch takes a cluster with crmbridge through parts. One that fails ends nothing, for each
// waits for a healthy cluster first.
func watch(t *testing.T, parts ...watching) {
	f := startFixture(t)
	firstBoot(t, f)
	f.installBridge(t)
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) { part.do(t, f) })
	}
}
