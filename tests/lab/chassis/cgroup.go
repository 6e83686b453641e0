package chassis

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroup is a directory in the unified hierarchy (cgroups(7), version 2).
type cgroup string

// CgroupName is the last element of the path of a lab's cgroup.
func CgroupName(id string) string { return "holdfast-lab-" + id }

// newCgroup makes the lab's cgroup below the chassis's own, sweeping what a killed chassis left of it.
func newCgroup(id string) (cgroup, error) {
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
		return cg, cg.renew()
	}
	return "", errors.New("the chassis is in no cgroup of the unified hierarchy; the kernel needs cgroup version 2")
}

func (c cgroup) child(name string) cgroup { return cgroup(filepath.Join(string(c), name)) }

// renew makes the cgroup, empty.
func (c cgroup) renew() error {
	if err := c.remove(); err != nil {
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

// remove removes the cgroup and those below it. They must be empty of processes.
func (c cgroup) remove() error { return RemoveCgroup(string(c)) }

// RemoveCgroup removes a cgroup directory and those below it; one that does not exist is no error.
func RemoveCgroup(path string) error {
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
