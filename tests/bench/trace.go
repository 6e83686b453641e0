package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const traceOptions = unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK |
	unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXIT

// trace makes one call under ptrace(2) and counts. It follows everything that the agent starts: to its end, or, where a server stays, to
// the agent's end.
func trace(ctx context.Context, c call) (sample, error) {
	type result struct {
		sample sample
		err    error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends, and the kernel lets go of what it traced
		t := tracer{seen: map[int]bool{}}
		err := t.run(ctx, c)
		done <- result{sample{Traced: true, Execs: t.execs, Forks: t.forks, Peak: t.peak}, err}
	}()
	r := <-done
	return r.sample, r.err
}

type tracer struct {
	execs, forks, peak int
	seen               map[int]bool // threads that are traced
}

func (t *tracer) run(ctx context.Context, c call) error {
	said, err := os.CreateTemp("", "bench-*")
	if err != nil {
		return fmt.Errorf("make a file for what the agent says: %w", err)
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd := c.command(ctx, said)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Ptrace: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run the agent under ptrace: %w", err)
	}
	main := cmd.Process.Pid
	defer func() { _ = cmd.Process.Release() }()                                             // reaped by wait4 below
	stop := time.AfterFunc(callTimeout, func() { _ = syscall.Kill(-main, syscall.SIGKILL) }) // ends the waiting below
	defer stop.Stop()
	var ws unix.WaitStatus
	if _, err := wait4(main, &ws); err != nil || !ws.Stopped() {
		return fmt.Errorf("wait for the agent's exec: status %x: %w", ws, err)
	}
	t.seen[main] = true
	if err := errors.Join(unix.PtraceSetOptions(main, traceOptions), unix.PtraceCont(main, 0)); err != nil {
		return fmt.Errorf("trace the agent: %w", err)
	}
	status, err := t.follow(main, c.scope == scopeNode)
	if err != nil {
		return err
	}
	return c.judge(status, said.Name())
}

// follow handles what the traced processes do and returns the exit status of the first one.
func (t *tracer) follow(main int, onlyMain bool) (status int, err error) {
	for {
		var ws unix.WaitStatus
		pid, err := wait4(-1, &ws)
		if errors.Is(err, unix.ECHILD) {
			return status, nil
		}
		if err != nil {
			return 0, fmt.Errorf("wait for traced processes: %w", err)
		}
		if ws.Stopped() {
			t.stopped(pid, ws)
			continue
		}
		if pid == main {
			status = ws.ExitStatus()
			if onlyMain {
				return status, nil
			}
		}
	}
}

// stopped handles one stop of a traced thread and lets it go on. A thread that is gone meanwhile needs nothing.
func (t *tracer) stopped(pid int, ws unix.WaitStatus) {
	signal := 0
	switch event := ws.TrapCause(); {
	case event == unix.PTRACE_EVENT_EXEC:
		t.execs++
	case event == unix.PTRACE_EVENT_EXIT:
		if s := readStatus(pid); s.leader(pid) {
			t.peak = max(t.peak, s.number("VmHWM"))
		}
	case event > 0: // fork, vfork or clone; the new one's first stop counts it
	case ws.StopSignal() == unix.SIGTRAP:
	case !t.seen[pid] && ws.StopSignal() == unix.SIGSTOP: // how a new thread begins
		t.seen[pid] = true
		if readStatus(pid).leader(pid) {
			t.forks++
		}
	default:
		signal = int(ws.StopSignal())
	}
	_ = unix.PtraceCont(pid, signal)
}

func wait4(pid int, ws *unix.WaitStatus) (int, error) {
	for {
		got, err := unix.Wait4(pid, ws, unix.WALL, nil)
		if !errors.Is(err, unix.EINTR) {
			return got, err
		}
	}
}

// processStatus is the text of /proc/PID/status (proc_pid_status(5)).
type processStatus string

func readStatus(pid int) processStatus {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // of a process that is gone there is nothing to say
	return processStatus(text)
}

// leader tells a process from a thread of one.
func (s processStatus) leader(pid int) bool { return s.number("Tgid") == pid }

// number is a field's number, or 0.
func (s processStatus) number(field string) int {
	for line := range strings.Lines(string(s)) {
		name, value, _ := strings.Cut(line, ":")
		if fields := strings.Fields(value); name == field && len(fields) > 0 {
			n, _ := strconv.Atoi(fields[0])
			return n
		}
	}
	return 0
}
