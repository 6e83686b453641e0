package chassis

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	diskPoint = "/run/disks" // where the nodes' data disks are mounted, in the tmpfs that covers the host's /run
	diskFile  = "data.img"   // in the node's directory
	diskSize  = 3 << 30      // the file is sparse: it takes what is written
	diskType  = "ext4"
	datadir   = "var/lib/mysql"
)

// disk is a node's second disk: the file system of its database, which can fill up or stand still without the machine's doing so.
type disk struct{ mount string }

// mountDisk gives the node whose root is given a disk of its own for the database. What the image has there is copied to it. The database
// gets a directory of the file system, not its top: there is lost+found, which a database would take for one of its own.
func mountDisk(ctx context.Context, config Config, node, root string) (disk, error) {
	file := filepath.Join(config.State, NodesDir, node, diskFile)
	d := disk{filepath.Join(diskPoint, node)}
	if err := makeDisk(ctx, file); err != nil {
		return d, err
	}
	if err := os.MkdirAll(d.mount, 0o755); err != nil {
		return d, fmt.Errorf("make the disk's mount point: %w", err)
	}
	device, err := attachLoop(file, loopName(config.ID, node))
	if err != nil {
		return d, err
	}
	defer device.Close()
	if err := unix.Mount(device.Name(), d.mount, diskType, 0, ""); err != nil {
		return d, fmt.Errorf("mount the disk on %s: %w", device.Name(), err)
	}
	inRoot, onDisk := filepath.Join(root, datadir), filepath.Join(d.mount, "mysql")
	if err := runTool(ctx, "cp", "--archive", "--", inRoot, onDisk); err != nil {
		return d, err
	}
	if err := unix.Mount(onDisk, inRoot, "", unix.MS_BIND, ""); err != nil {
		return d, fmt.Errorf("mount the disk at /%s: %w", datadir, err)
	}
	return d, nil
}

// makeDisk makes a file with an empty file system, and does not write what the kernel can write when it is needed.
func makeDisk(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make the disk's file: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(diskSize); err != nil {
		return fmt.Errorf("make the disk's file: %w", err)
	}
	return runTool(ctx, "mkfs."+diskType, "-q", "-F", "-m", "1", "-i", "65536", "-E", "lazy_itable_init=1,lazy_journal_init=1", path)
}

func runTool(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// thaw lets writes to the disk go on, if they were held.
func (d disk) thaw() error {
	dir, err := os.Open(d.mount)
	if err != nil {
		return fmt.Errorf("open the node's disk: %w", err)
	}
	defer dir.Close()
	return thaw(int(dir.Fd()))
}
