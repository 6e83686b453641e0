package chassis

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	cpuMount = "/run/cpu" // the hierarchy of the cpu controller, in the tmpfs that covers the host's /run

	// nodeShares is what a node that runs weighs against another, and bootShares while it boots (cpu.shares).
	nodeShares = 1024
	bootShares = 102

	// nodeRealTime is the real-time runtime of a node, of rtPeriod on each processor (sched-rt-group in the kernel's documentation):
	// Corosync runs at a real-time priority and uses a few hundredths. Two labs of three nodes fit into a kernel's 95 %.
	nodeRealTime = 150 * time.Millisecond
	rtPeriod     = time.Second
)

// cpuGroup is a directory of the cpu controller (cgroups(7), version 1), or "" where there is none.
//
// The machines that the nodes stand for have processors of their own. Here they share a few, and every session weighs the same to the
// kernel (sched(7), autogroup): a node that boots after it was fenced, with dozens of services, would take from the others what serves
// the clients meanwhile, and every failover would look longer than it is. So each node has a share of its own, a small one while it boots.
// Whatever is idle is still everybody's.
type cpuGroup string

// errNoCPU says that the host has no cpu controller of version 1. In version 2 a cgroup with processes in it, such as the chassis's, gives
// those below it no controller.
var errNoCPU = errors.New("the host has no cpu controller of cgroup version 1")

// newCPUGroup makes the lab's group, for that many nodes, sweeping what a killed chassis left of it.
func newCPUGroup(ctx context.Context, id string, nodes int) (cpuGroup, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", fmt.Errorf("find the chassis's cgroup: %w", err)
	}
	controllers, path, ok := CPUHierarchy(string(own))
	if !ok {
		return "", errNoCPU
	}
	if err := os.MkdirAll(cpuMount, 0o755); err != nil {
		return "", fmt.Errorf("make %s: %w", cpuMount, err)
	}
	if err := unix.Mount("cgroup", cpuMount, "cgroup", 0, controllers); err != nil {
		return "", fmt.Errorf("mount the cpu controller: %w", err)
	}
	g := cpuGroup(filepath.Join(cpuMount, path, CgroupName(id)))
	if err := g.renew(ctx, nodes*nodeShares, time.Duration(nodes)*nodeRealTime); err != nil {
		return "", errors.Join(err, g.remove(ctx))
	}
	return g, nil
}

// CPUHierarchy finds the cpu controller of version 1 in the text of /proc/PID/cgroup: the controllers that are mounted together with it,
// and the process's path there.
func CPUHierarchy(text string) (controllers, path string, ok bool) {
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && slices.Contains(strings.Split(f[1], ","), "cpu") {
			return f[1], f[2], true
		}
	}
	return "", "", false
}

func (g cpuGroup) child(name string) cpuGroup {
	if g == "" {
		return ""
	}
	return cpuGroup(filepath.Join(string(g), name))
}

// renew makes the group, empty.
func (g cpuGroup) renew(ctx context.Context, shares int, realTime time.Duration) error {
	if g == "" {
		return nil
	}
	if err := cgroup(g).renew(ctx); err != nil {
		return err
	}
	// Kernels without CONFIG_RT_GROUP_SCHED need no runtime for a group. With it a group without one refuses real-time priorities.
	if _, err := os.Stat(filepath.Join(string(g), "cpu.rt_runtime_us")); err == nil {
		err := errors.Join(g.set("cpu.rt_period_us", int(rtPeriod.Microseconds())), g.set("cpu.rt_runtime_us", int(realTime.Microseconds())))
		if err != nil {
			return err
		}
	}
	return g.weigh(shares)
}

// weigh sets what the group weighs against its siblings.
func (g cpuGroup) weigh(shares int) error {
	if g == "" {
		return nil
	}
	return g.set("cpu.shares", shares)
}

func (g cpuGroup) set(file string, value int) error {
	if err := os.WriteFile(filepath.Join(string(g), file), []byte(strconv.Itoa(value)), 0); err != nil {
		return fmt.Errorf("set %s of a group of the cpu controller: %w", file, err)
	}
	return nil
}

func (g cpuGroup) remove(ctx context.Context) error {
	if g == "" {
		return nil
	}
	return RemoveCgroup(ctx, string(g))
}

// start starts cmd in the group.
func (g cpuGroup) start(cmd *exec.Cmd) error {
	if g == "" {
		return cmd.Start()
	}
	done := make(chan error)
	go func() {
		// A child begins in the group of the thread that makes it, and this thread ends with its goroutine, still locked.
		runtime.LockOSThread()
		err := g.set("tasks", unix.Gettid())
		if err == nil {
			err = cmd.Start()
		}
		done <- err
	}()
	return <-done
}

// orNone is g, or no group if there was an error: the lab works without.
func (g cpuGroup) orNone(err error) cpuGroup {
	if err != nil {
		log.Printf("the nodes have no share of the processors of their own, so one that boots takes time from the others: %v", err)
		return ""
	}
	return g
}
