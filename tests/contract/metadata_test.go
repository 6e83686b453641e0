package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"holdfast/tests/lab"
	"holdfast/tests/lab/image"
)

// imageTimeout allows for building the node image, which happens once on a machine.
const imageTimeout = 20 * time.Minute

// TestMetadata holds the agents' meta-data against every validator that a Debian 12 machine has: the DTD that ocf-tester takes, the
// schema of resource-agents' own test suite, and the two of pcs, which refuses an agent that does not fit the one of its version. The
// files are those of the node image, as the packages install them.
func TestMetadata(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Fatalf("xmllint is missing: apt-get install libxml2-utils (%v)", err)
	}
	root := nodeImage(t)
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/", "../../agents/galera", "../../agents/ipaddr2")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the agents: %v\n%s", err, out)
	}
	dtd := filepath.Join(root, "usr/share/resource-agents")
	for _, agent := range []string{"galera", "ipaddr2"} {
		meta, err := exec.CommandContext(t.Context(), filepath.Join(bin, agent), "meta-data").Output()
		if err != nil {
			t.Fatalf("%s meta-data: %v", agent, err)
		}
		for _, v := range []struct {
			name string
			args []string
		}{
			{"ra-api-1.dtd", []string{"--valid"}}, // named by the document itself, and looked for where xmllint runs
			{"metadata.rng", []string{"--relaxng", filepath.Join(dtd, "metadata.rng")}},
			{"ocf-1.0.rng of pcs", []string{"--relaxng", filepath.Join(root, "usr/share/pcs/data/ocf-1.0.rng")}},
			{"ocf-1.1.rng of pcs", []string{"--relaxng", filepath.Join(root, "usr/share/pcs/data/ocf-1.1.rng")}},
		} {
			t.Run(agent+" against "+v.name, func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), xmllint, append([]string{"--noout", "--nonet"}, append(v.args, "-")...)...)
				cmd.Dir, cmd.Stdin = dtd, bytes.NewReader(meta)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// nodeImage is the tree of the node image, which stays while the test runs.
func nodeImage(t *testing.T) string {
	t.Helper()
	if err := lab.CheckHost(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), imageTimeout)
	defer cancel()
	root, err := image.Ensure(ctx, image.CacheDir, image.Node(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	used, err := image.Use(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { used.Close() })
	return root
}
