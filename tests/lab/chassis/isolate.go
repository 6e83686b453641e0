package chassis

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mountPoint is where the nodes' roots are mounted, in the tmpfs that covers the host's /run.
const mountPoint = "/run/nodes"

// isolate makes the chassis's mount namespace fit for systemd-nspawn, the same on every host:
//
//   - nothing propagates to the host;
//   - /proc shows the chassis's own PID namespace;
//   - /sys/fs/cgroup is the unified hierarchy, also on hosts with cgroup v1: it needs no controllers, and as the nodes do not see the
//     cpu controller their processes stay in the host's group there, which alone may have real-time runtime (Corosync wants it). A group
//     for each node was tried, with and without a smaller share while it boots, and made interruptions two to four times longer;
//   - /run is empty, so nspawn's locks and propagation directories vanish with the chassis and never meet the host's own machines.
func isolate() error {
	steps := []struct {
		what string
		do   func() error
	}{
		{"make mounts private", func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") }},
		{"mount /proc", func() error {
			return unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
		}},
		{"detach the host's cgroups", func() error { return unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH) }},
		{"mount the unified cgroup hierarchy", func() error { return unix.Mount("cgroup2", cgroupRoot, "cgroup2", 0, "") }},
		{"cover /run", func() error { return unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755") }},
		{"make " + mountPoint, func() error { return os.Mkdir(mountPoint, 0o755) }},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("prepare the chassis's mount namespace: %s: %w", step.what, err)
		}
	}
	return nil
}

// coverTmp gives the chassis a /tmp of its own, where a killed nspawn may leave its directories. It comes after everything that a state
// directory below /tmp is needed for by name.
func coverTmp() error {
	if err := os.Chdir("/"); err != nil {
		return fmt.Errorf("leave the state directory: %w", err)
	}
	if err := unix.Mount("tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return fmt.Errorf("cover /tmp: %w", err)
	}
	return nil
}

// mountRoot mounts a node's root: an overlay over the image, whose upper layer is all of the node's storage but its database's.
func mountRoot(config Config, name string) (string, error) {
	dir := filepath.Join(config.State, NodesDir, name)
	upper, work, root := filepath.Join(dir, "upper"), filepath.Join(dir, "work"), filepath.Join(mountPoint, name)
	if strings.ContainsAny(config.State+config.Image, `:,\`) {
		return "", fmt.Errorf("overlayfs cannot take %q or %q, for ':', ',' and '\\' mean something to it: choose another directory",
			config.State, config.Image)
	}
	for _, d := range []string{upper, work, root} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", fmt.Errorf("make the node's directories: %w", err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", config.Image, upper, work)
	if err := unix.Mount("overlay", root, "overlay", 0, options); err != nil {
		return "", fmt.Errorf("mount an overlay with its upper layer in %s: %w "+
			"(the state directory must be on a local file system such as ext4, xfs or tmpfs)", dir, err)
	}
	return root, nil
}

// unmount lets go of the nodes' roots and disks, so that they can be removed.
func unmount(nodes []*node) error {
	for _, n := range nodes {
		for _, point := range []string{n.root, n.disk.mount} { // the first takes what is mounted in it along
			if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
				return fmt.Errorf("unmount %s of %s: %w", point, n.config.Name, err)
			}
		}
	}
	return nil
}
