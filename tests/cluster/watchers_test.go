//go:build lab

package cluster

import "testing"

// TestBridgeDaemons is crmbridge and all that it listens to: what each says, and what can
// happen to it. A part that fails ends nothing, for each waits for a healthy cluster first.
func TestBridgeDaemons(t *testing.T) {
	f := startFixture(t)
	firstBoot(t, f)
	f.installBridge(t)
	t.Run("each daemon is understood", func(t *testing.T) { speaksWithTheDaemons(t, f) })
	t.Run("nothing is lost quietly", func(t *testing.T) { losesNothingQuietly(t, f) })
}
