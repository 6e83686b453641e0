package chassis

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroup is a directory in the unified hierarchy (cgroups(7), version 2).
type cgroup string

// CgroupName is the last element of the path of a lab's cgroup.
func CgroupName(id string) string { return "holdfast-lab-" + id }

// newCgroup makes the lab's cgroup below the chassis's own, sweeping what a killed chassis left of it.
func newCgroup(ctx context.Context, id string) (cgroup, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", fmt.Errorf("find the chassis's cgroup: %w", err)
	}
	for line := range strings.Lines(string(own)) {
		path, unified := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !unified {
			continue
		}
		cg := cgroup(filepath.Join(cgroupRoot, path, CgroupName(id)))
		return cg, cg.renew(ctx)
	}
	return "", errors.New("the chassis is in no cgroup of the unified hierarchy; the kernel needs cgroup version 2")
}

func (c cgroup) child(name string) cgroup { return cgroup(filepath.Join(string(c), name)) }

// renew makes the cgroup, empty.
func (c cgroup) renew(ctx context.Context) error {
	if err := c.remove(ctx); err != nil {
		return err
	}
	if err := os.Mkdir(string(c), 0o755); err != nil {
		return fmt.Errorf("make a cgroup: %w", err)
	}
	return nil
}

// kill sends SIGKILL to every process in the cgroup and below.
func (c cgroup) kill() error {
	err := os.WriteFile(filepath.Join(string(c), "cgroup.kill"), []byte("1"), 0)
	if err != nil {
		return fmt.Errorf("kill the processes of a cgroup: %w", err)
	}
	return nil
}

// freeze stops or continues every process in the cgroup and below.
func (c cgroup) freeze(frozen bool) error {
	value := "0"
	if frozen {
		value = "1"
	}
	if err := os.WriteFile(filepath.Join(string(c), "cgroup.freeze"), []byte(value), 0); err != nil {
		return fmt.Errorf("freeze or thaw a cgroup: %w", err)
	}
	return nil
}

// remove removes the cgroup and those below it, as RemoveCgroup does.
func (c cgroup) remove(ctx context.Context) error { return RemoveCgroup(ctx, string(c)) }

// RemoveCgroup removes a cgroup directory and those below it; one that does not exist is no error. While processes are still on their
// way out of them it waits, until ctx ends: a killed chassis lets go of its lock before the kernel is through with its nodes.
func RemoveCgroup(ctx context.Context, path string) error {
	for {
		err := removeTree(path)
		if !errors.Is(err, syscall.EBUSY) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: processes are still in it", err)
		case <-time.After(pollInterval):
		}
	}
}

func removeTree(path string) error {
	var dirs []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, p)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look through the cgroup %s: %w", path, err)
	}
	for i := len(dirs) - 1; i >= 0; i-- { // children come after their parents in the walk
		if err := os.Remove(dirs[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a cgroup: %w", err)
		}
	}
	return nil
}
