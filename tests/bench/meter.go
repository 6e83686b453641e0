package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	nodeCgroup  = "/sys/fs/cgroup" // in the node, the one of all its processes
	callTimeout = 2 * time.Minute
	// background is how long what a call leaves running is waited for: both agents announce an address for some seconds.
	background = 20 * time.Second
	// afterglow is how long the node's CPU time is counted after an action on the server: attributes are written behind it.
	afterglow = 200 * time.Millisecond
	poll      = 10 * time.Millisecond
)

// meter measures calls, each in a cgroup of its own (cgroups(7), version 2).
type meter struct {
	root  string   // cgroup of the calls' cgroups
	full  []string // cgroups in which a server that an agent started may still run
	calls int
}

func newMeter() (*meter, error) {
	root := filepath.Join(nodeCgroup, "bench")
	if err := os.Mkdir(root, 0o755); err != nil {
		return nil, fmt.Errorf("make a cgroup to measure in: %w", err)
	}
	return &meter{root: root}, nil
}

func (m *meter) close() error {
	m.sweep()
	if err := os.Remove(m.root); err != nil {
		return fmt.Errorf("remove the cgroup of the measurements: %w", err)
	}
	return nil
}

// sweep removes the cgroups whose processes have ended meanwhile.
func (m *meter) sweep() {
	var full []string
	for _, dir := range m.full {
		if os.Remove(dir) != nil {
			full = append(full, dir)
		}
	}
	m.full = full
}

// measure makes one call and says what it cost, in CPU time and, until the agent itself ended, wall time.
func (m *meter) measure(ctx context.Context, c call) (sample, error) {
	m.sweep()
	m.calls++
	dir := filepath.Join(m.root, strconv.Itoa(m.calls))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return sample{}, fmt.Errorf("make a cgroup for a call: %w", err)
	}
	m.full = append(m.full, dir)
	before, err := cpu(nodeCgroup)
	if err != nil {
		return sample{}, err
	}
	wall, err := runIn(ctx, dir, c)
	if err != nil {
		return sample{}, err
	}
	s := sample{Wall: milliseconds(wall)}
	if c.scope == scopeNode {
		time.Sleep(afterglow)
		after, err := cpu(nodeCgroup)
		s.CPU = milliseconds(after - before)
		return s, err
	}
	if err := waitEmpty(ctx, dir); err != nil {
		return s, err
	}
	own, err := cpu(dir)
	s.CPU = milliseconds(own)
	return s, err
}

// runIn makes a call in a cgroup and returns how long it took.
func runIn(ctx context.Context, dir string, c call) (time.Duration, error) {
	cgroup, err := os.Open(dir)
	if err != nil {
		return 0, fmt.Errorf("open a call's cgroup: %w", err)
	}
	defer cgroup.Close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	said, err := os.CreateTemp("", "bench-*")
	if err != nil {
		return 0, fmt.Errorf("make a file for what the agent says: %w", err)
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd := c.command(ctx, said)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, UseCgroupFD: true, CgroupFD: int(cgroup.Fd())}
	begun := time.Now()
	err = cmd.Run()
	took := time.Since(begun)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("run the agent: %w", err)
	}
	return took, c.judge(cmd.ProcessState.ExitCode(), said.Name())
}

// command is the call as Pacemaker makes it. Standard output and error go to a file, so that nothing has to be read meanwhile.
func (c call) command(ctx context.Context, said *os.File) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join("/usr/lib/ocf/resource.d", c.provider, c.agent), c.action)
	cmd.Env = []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "OCF_ROOT=/usr/lib/ocf", "OCF_RA_VERSION_MAJOR=1", "OCF_RA_VERSION_MINOR=1",
		"OCF_RESOURCE_INSTANCE=bench", "OCF_RESOURCE_TYPE=" + c.agent, "OCF_RESOURCE_PROVIDER=" + c.provider,
	}
	for name, value := range c.env {
		cmd.Env = append(cmd.Env, "OCF_RESKEY_"+name+"="+value)
	}
	cmd.Stdout, cmd.Stderr = said, said
	return cmd
}

// judge compares the exit status: a call that did something else cannot be compared.
func (c call) judge(status int, said string) error {
	if status == c.want {
		return nil
	}
	text, err := os.ReadFile(said)
	return errors.Join(fmt.Errorf("exit status %d, not %d; it said:\n%s", status, c.want, text), err)
}

// waitEmpty returns when no process is left in a cgroup.
func waitEmpty(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, background)
	defer cancel()
	for {
		events, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
		if err != nil {
			return fmt.Errorf("look for processes left behind: %w", err)
		}
		if strings.Contains(string(events), "populated 0") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("processes are left after %v: %w", background, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// cpu is the CPU time that the processes of a cgroup have used, user and system together.
func cpu(dir string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join(dir, "cpu.stat"))
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of a cgroup: %w", err)
	}
	return parseCPU(string(text))
}

func parseCPU(text string) (time.Duration, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "usage_usec "); ok {
			us, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read the CPU time of a cgroup: %w", err)
			}
			return time.Duration(us) * time.Microsecond, nil
		}
	}
	return 0, fmt.Errorf("cpu.stat has no usage_usec: %q", text)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
