package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"holdfast/tests/lab/chassis"
)

const downTimeout = 30 * time.Second

// Down ends the lab: power off, everything it made on the host removed. The logs stay in the state directory.
func (l *Lab) Down(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	if err := l.control.post(ctx, chassis.DownPath); err != nil {
		fmt.Fprintf(l.progress, "the chassis does not answer (%v): killing it\n", err)
		if err := syscall.Kill(l.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill the chassis: %w", err)
		}
	}
	err := Wait(ctx, "the lab to be down", func(context.Context) (string, bool) {
		return fmt.Sprintf("chassis %d runs", l.pid), !l.alive()
	})
	if err != nil {
		return err
	}
	return Sweep(ctx, l.state)
}

// alive tells whether somebody holds the state directory's lock, which is the chassis.
func (l *Lab) alive() bool {
	dir, err := os.Open(l.state)
	if err != nil {
		return false
	}
	defer dir.Close()
	return syscall.Flock(int(dir.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}

// Sweep removes what a chassis that was killed could not: its empty cgroups, the files of the nodes' disks, its records. The logs stay.
// There must be no lab up in state.
func Sweep(ctx context.Context, state string) error {
	state, err := filepath.Abs(state)
	if err != nil {
		return fmt.Errorf("find the state directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	if err := chassis.ThawDisks(identity(state)); err != nil { // while one is frozen its node does not die
		return fmt.Errorf("sweep %s: %w", state, err)
	}
	own, mount := ownCgroup(), cgroup2Mount()
	if own != "" && mount != "" { // without a mount the empty directories are out of reach and cost nothing; the next lab takes them
		cgroup := filepath.Join(mount, own, chassis.CgroupName(identity(state)))
		if err := chassis.RemoveCgroup(ctx, cgroup); err != nil { // nodes on their way out may still write to their disks
			return fmt.Errorf("sweep %s: %w", state, err)
		}
	}
	var errs []error
	for _, name := range []string{chassis.NodesDir, chassis.SocketFile, chassisFile} {
		errs = append(errs, os.RemoveAll(filepath.Join(state, name)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweep %s: %w", state, err)
	}
	return nil
}

// claim makes the state directory, takes its lock and sweeps it. The returned directory holds the lock.
func claim(ctx context.Context, opts Options) (*os.File, error) {
	path, err := filepath.Abs(opts.State)
	if err != nil {
		return nil, fmt.Errorf("find the state directory: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(path, chassis.LogsDir), 0o755); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	if opts.Replace {
		if err := takeDown(ctx, path); err != nil {
			return nil, err
		}
	}
	dir, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the state directory: %w", err)
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w in %s: take it down first (labctl down, or labctl up --replace)", ErrUp, path), dir.Close())
	}
	err = Sweep(ctx, path)
	if err == nil {
		err = clearLogs(path)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

func takeDown(ctx context.Context, state string) error {
	l, err := Open(state)
	if errors.Is(err, ErrDown) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.Down(ctx)
}

// clearLogs makes the logs those of one lab.
func clearLogs(state string) error {
	logs := filepath.Join(state, chassis.LogsDir)
	if err := os.RemoveAll(logs); err != nil {
		return fmt.Errorf("remove the logs of an earlier lab: %w", err)
	}
	if err := os.Mkdir(logs, 0o755); err != nil {
		return fmt.Errorf("make the log directory: %w", err)
	}
	return nil
}

// ownCgroup is this process's path in the unified hierarchy, or "".
func ownCgroup() string {
	content, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(content)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return path
		}
	}
	return ""
}

// cgroup2Mount is where the host has the unified hierarchy mounted, or "".
func cgroup2Mount() string {
	mounts, err := os.Open("/proc/self/mounts")
	if err != nil {
		return ""
	}
	defer mounts.Close()
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	return ""
}
