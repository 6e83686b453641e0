//go:build lab

package lab_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"holdfast/tests/lab"
	"holdfast/tests/lab/chassis"
	"holdfast/tests/lab/power"
)

const datadir = "/var/lib/mysql"

// ownDisk fills a node's data disk, and looks at another node's and at what else the node has.
func ownDisk(ctx context.Context, t *testing.T, l *lab.Lab) {
	ok(ctx, t, l, "db1", "mountpoint", datadir)
	if got := ok(ctx, t, l, "db1", "stat", "--format=%U:%G %a", datadir); got != "mysql:mysql 755" {
		t.Errorf("the database's directory is %s, want that of the image", got)
	}
	if got := ok(ctx, t, l, "db1", "ls", datadir); strings.Contains(got, "lost+found") || !strings.Contains(got, "ibdata1") {
		t.Errorf("the database's directory has %q, want what the image has", got)
	}
	before := free(ctx, t, l, "db1")
	ok(ctx, t, l, "db1", "fallocate", "--length", strconv.Itoa(before), datadir+"/filler")
	if got := free(ctx, t, l, "db1"); got != 0 {
		t.Errorf("%d bytes are free on a full disk", got)
	}
	full := []string{"setpriv", "--reuid=mysql", "--clear-groups", "dd", "if=/dev/zero", "of=" + datadir + "/more", "bs=1M", "count=1"}
	if out, err := l.Exec(ctx, "db1", full...); err == nil || !strings.Contains(err.Error(), "No space left") {
		t.Errorf("writing to a full disk: %q, %v", out, err)
	}
	ok(ctx, t, l, "db1", "dd", "if=/dev/zero", "of=/root/elsewhere", "bs=1M", "count=1")
	ok(ctx, t, l, "db2", "dd", "if=/dev/zero", "of="+datadir+"/more", "bs=1M", "count=1")
	ok(ctx, t, l, "db1", "rm", "--force", datadir+"/filler", datadir+"/more", "/root/elsewhere")
	ok(ctx, t, l, "db2", "rm", datadir+"/more")
	if got := free(ctx, t, l, "db1"); got < before-1<<20 {
		t.Errorf("%d bytes are free when the filler is gone, before it were %d", got, before)
	}
}

func free(ctx context.Context, t *testing.T, l *lab.Lab, node string) int {
	t.Helper()
	out := ok(ctx, t, l, node, "df", "--output=avail", "--block-size=1", datadir)
	lines := strings.Fields(out)
	n, err := strconv.Atoi(lines[len(lines)-1])
	if err != nil {
		t.Fatalf("df said %q", out)
	}
	return n
}

// frozenDisk freezes a node's data disk under a process that writes to it. It can be thawed from within, and the power can be cut.
func frozenDisk(ctx context.Context, t *testing.T, l *lab.Lab) {
	ok(ctx, t, l, "db2", "sh", "-c", "echo kept > "+datadir+"/kept && sync "+datadir+"/kept")
	freezeDisk(ctx, t, l, "db2")
	ok(ctx, t, l, "db2", "fsfreeze", "--unfreeze", datadir)
	waitFor(ctx, t, "the writer to go on", func(ctx context.Context) (string, bool) {
		out, err := l.Exec(ctx, "db2", "test", "-e", datadir+"/held")
		return out, err == nil
	})
	ok(ctx, t, l, "db2", "rm", datadir+"/held")
	freezeDisk(ctx, t, l, "db2")
	if err := errors.Join(l.PowerOff(ctx, "db2"), l.PowerOn(ctx, "db2")); err != nil {
		t.Fatal(err)
	}
	booted(ctx, t, l, "db2")
	if got := ok(ctx, t, l, "db2", "cat", datadir+"/kept"); got != "kept" {
		t.Errorf("the data disk did not survive the power cut: %q", got)
	}
	ok(ctx, t, l, "db2", "sh", "-c", "echo thawed > "+datadir+"/kept && rm "+datadir+"/kept")
}

// freezeDisk freezes a node's data disk and returns when a process hangs in the attempt to write to it.
func freezeDisk(ctx context.Context, t *testing.T, l *lab.Lab, node string) {
	t.Helper()
	ok(ctx, t, l, node, "fsfreeze", "--freeze", datadir)
	ok(ctx, t, l, node, "systemd-run", "--quiet", "--unit=writer", "--collect", "touch", datadir+"/held")
	waitFor(ctx, t, "a writer to hang", func(ctx context.Context) (string, bool) {
		out, err := l.Exec(ctx, node, "ps", "-C", "touch", "-o", "state=")
		return out, err == nil && strings.TrimSpace(out) == "D"
	})
}

// crash lets a node die with its power on, also while its disk is frozen, until the power is cut and restored.
func crash(ctx context.Context, t *testing.T, l *lab.Lab) {
	started := ok(ctx, t, l, "db3", "cat", "/proc/1/stat")
	freezeDisk(ctx, t, l, "db3")
	if err := l.Crash(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	powerIs(ctx, t, l, "db3", power.On)
	if _, err := l.Exec(ctx, "db3", "true"); err == nil || !strings.Contains(err.Error(), "crashed") {
		t.Errorf("a command in a node that crashed: %v", err)
	}
	if _, err := l.Exec(ctx, "db1", "ping", "-c1", "-W1", "db3"); err == nil {
		t.Error("a node that crashed answers")
	}
	if err := errors.Join(l.PowerOn(ctx, "db3"), l.Crash(ctx, "db3")); err != nil { // it has power and is dead already
		t.Error(err)
	}
	powerIs(ctx, t, l, "db3", power.On)
	if err := l.PowerOff(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	powerIs(ctx, t, l, "db3", power.Off)
	if err := l.Crash(ctx, "db3"); err == nil || !strings.Contains(err.Error(), "no power") {
		t.Errorf("crash of a node without power: %v", err)
	}
	if err := l.PowerOn(ctx, "db3"); err != nil {
		t.Fatal(err)
	}
	booted(ctx, t, l, "db3")
	if again := ok(ctx, t, l, "db3", "cat", "/proc/1/stat"); again == started {
		t.Error("db3 was not started again")
	}
}

// disksOf are the loop devices of the lab with that cgroup.
func disksOf(t *testing.T, cgroup string) []string {
	t.Helper()
	disks, err := chassis.Disks(strings.TrimPrefix(filepath.Base(cgroup), chassis.CgroupName("")))
	if err != nil {
		t.Fatal(err)
	}
	return disks
}
