package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// nodePath is the PATH of root on a Debian machine.
const nodePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ExecError is a command that ran in a node and failed.
type ExecError struct {
	Node   string
	Args   []string
	Status int    // exit status; -1 if a signal ended it
	Stderr string // as much as helps a reader
	Err    error
}

func (e *ExecError) Error() string {
	text := fmt.Sprintf("%s: %s: %v", e.Node, strings.Join(e.Args, " "), e.Err)
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

func (e *ExecError) Unwrap() error { return e.Err }

// Exec runs a command in a node, as root, and returns its standard output. A command that fails gives an *ExecError. The command ends
// when ctx does.
func (l *Lab) Exec(ctx context.Context, node string, args ...string) (string, error) {
	return l.ExecInput(ctx, node, nil, args...)
}

// ExecInput is Exec with something on the command's standard input.
func (l *Lab) ExecInput(ctx context.Context, node string, input io.Reader, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	err := l.run(ctx, node, input, &stdout, &stderr, args...)
	if exit := (*ExecError)(nil); errors.As(err, &exit) {
		exit.Stderr = lastLines(stderr.String(), 20)
	}
	return stdout.String(), err
}

// run runs a command in a node with the given standard streams.
func (l *Lab) run(ctx context.Context, node string, stdin io.Reader, stdout, stderr io.Writer, args ...string) error {
	entry, err := l.enter(ctx, node)
	if err != nil {
		return err
	}
	cgroup, err := os.Open(entry.cgroup)
	if err != nil {
		return fmt.Errorf("%s lost its power: %w", node, err)
	}
	defer cgroup.Close()
	command := entry.command("", args)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	// In the node's cgroup the command is part of the machine: frozen with it, and gone with its power.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, UseCgroupFD: true, CgroupFD: int(cgroup.Fd())}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
		return &ExecError{Node: node, Args: args, Status: cmd.ProcessState.ExitCode(), Err: err}
	}
	return nil
}

// Become replaces this process by a command in a node; it returns only if that fails. An interactive command keeps the terminal.
func (l *Lab) Become(ctx context.Context, node string, args ...string) error {
	entry, err := l.enter(ctx, node)
	if err != nil {
		return err
	}
	self := []byte(fmt.Sprint(os.Getpid()))
	if err := os.WriteFile(filepath.Join(entry.cgroup, "cgroup.procs"), self, 0); err != nil {
		return fmt.Errorf("join the cgroup of %s: %w", node, err)
	}
	return replace(entry.command(os.Getenv("TERM"), args))
}

// BecomeClient replaces this process by a command on the lab's outside; it returns only if that fails.
func (l *Lab) BecomeClient(args ...string) error {
	return replace(l.clientCommand(args))
}

func replace(command []string) error {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return fmt.Errorf("find %s: %w", command[0], err)
	}
	return fmt.Errorf("run %s: %w", path, syscall.Exec(path, command, os.Environ()))
}

// Client prepares a command that runs on the lab's outside: an ordinary process of this machine, in the lab's network.
func (l *Lab) Client(ctx context.Context, args ...string) *exec.Cmd {
	command := l.clientCommand(args)
	return exec.CommandContext(ctx, command[0], command[1:]...)
}

func (l *Lab) clientCommand(args []string) []string {
	return append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", l.pid), "--"}, args...)
}

// entry is the way into a running node.
type entry struct {
	namespaces string // directory with the namespaces of the node's init
	cgroup     string // directory of the cgroup that the node sees as its root
}

// enter finds a node's init as the chassis sees it: the numbers in the chassis's PID namespace mean something in its own /proc only.
func (l *Lab) enter(ctx context.Context, node string) (entry, error) {
	status, err := l.nodeStatus(ctx, node)
	if err != nil {
		return entry{}, err
	}
	if status.Crashed {
		return entry{}, fmt.Errorf("%s has crashed (labctl power off %s, then power on)", node, node)
	}
	if status.Init == 0 {
		return entry{}, fmt.Errorf("%s has no power (labctl power on %s)", node, node)
	}
	if status.Frozen { // the command would freeze as well, and not even hear that it shall end
		return entry{}, fmt.Errorf("%s is frozen (labctl thaw %s)", node, node)
	}
	root := fmt.Sprintf("/proc/%d/root", l.pid)
	return entry{
		namespaces: fmt.Sprintf("%s/proc/%d/ns", root, status.Init),
		cgroup:     filepath.Join(root, "sys/fs/cgroup", status.Cgroup, "payload"), // made by nspawn for the node's processes
	}, nil
}

// command enters the namespaces and starts args with the environment of a fresh login. nsenter must fork to enter a PID namespace:
// setpriv ties the life of what it forks to its own.
func (e entry) command(term string, args []string) []string {
	if term == "" {
		term = "dumb"
	}
	command := []string{"nsenter"}
	for _, ns := range []struct{ option, file string }{
		{"mount", "mnt"}, {"uts", "uts"}, {"ipc", "ipc"}, {"net", "net"}, {"pid", "pid"}, {"cgroup", "cgroup"},
	} {
		command = append(command, "--"+ns.option+"="+filepath.Join(e.namespaces, ns.file))
	}
	command = append(command, "--", "/usr/bin/setpriv", "--pdeathsig=KILL", "/usr/bin/env", "--ignore-environment", "--chdir=/root",
		"PATH="+nodePath, "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash", "LANG=C.UTF-8", "TERM="+term)
	return append(command, args...)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
