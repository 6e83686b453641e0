package chassis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Process is a chassis as the process that started it sees it.
type Process struct {
	cmd      *exec.Cmd
	lifeline io.Closer // standard input; its end is the lab's when DieWithParent was asked for
	exited   chan struct{}
}

// PID is the chassis's process id in the caller's PID namespace.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the chassis has ended and, with it, every process of the lab.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Kill ends the chassis with SIGKILL, and thereby the lab.
func (p *Process) Kill() error { return p.cmd.Process.Kill() }

// Start runs the calling program again as a chassis and returns when every node's init runs. The program must hand over to Main first
// thing when its argument zero is Name. state is the state directory, locked; image is the image's tree, locked: the chassis inherits
// both locks. Its log goes to logFile.
func Start(ctx context.Context, config Config, state, image, logFile *os.File) (*Process, error) {
	ready, readyWriter, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe to the chassis: %w", err)
	}
	defer ready.Close()
	defer readyWriter.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program to run as the chassis: %w", err)
	}
	cmd := &exec.Cmd{
		Path: self, Args: []string{Name}, Dir: "/", Stdout: logFile, Stderr: logFile,
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"},
		ExtraFiles: []*os.File{fdReady - 3: readyWriter, fdState - 3: state, fdImage - 3: image},
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
			Setsid:     true, // an interrupt at the terminal is for labctl, which decides what it means for the lab
		},
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe to the chassis: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the chassis in namespaces of its own: %w "+
			"(the machine must let root make namespaces and mounts; a container must be privileged)", err)
	}
	p := &Process{cmd: cmd, lifeline: stdin, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // why it ended is in its log
		close(p.exited)
	}()
	readyWriter.Close() // the chassis's copy alone keeps the pipe open, so its death ends the read below
	if err := p.launch(ctx, config, ready, stdin); err != nil {
		err = errors.Join(err, p.Kill())
		<-p.exited
		return nil, err
	}
	return p, nil
}

func (p *Process) launch(ctx context.Context, config Config, ready *os.File, stdin io.Writer) error {
	if err := delegateCgroup(ctx, p.PID(), config.ID); err != nil {
		return err
	}
	if err := json.NewEncoder(stdin).Encode(config); err != nil {
		return fmt.Errorf("send the chassis its configuration: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Kill() }) // ends the read below
	defer stop()
	answer, err := io.ReadAll(ready)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("wait for the chassis: %w", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("read the chassis's answer: %w", err)
	case len(answer) == 0:
		return errors.New("the chassis ended without an answer; see chassis.log")
	case string(answer) != "ok":
		return errors.New(string(answer))
	default:
		return nil
	}
}

// delegateCgroup puts the chassis into a scope of its own where systemd runs the host and owns the cgroups: Delegate=yes makes systemd
// keep its hands off what is below (systemd.resource-control(5)). Elsewhere there is nobody to ask.
func delegateCgroup(ctx context.Context, pid int, id string) error {
	if _, err := os.Stat("/run/systemd/system"); err != nil { // sd_booted(3)
		return nil
	}
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err != nil {
		return fmt.Errorf("connect to the host's systemd: %w", err)
	}
	defer conn.Close()
	properties := []dbus.Property{
		dbus.PropDescription("Holdfast lab"),
		dbus.PropPids(uint32(pid)),
		{Name: "Delegate", Value: godbus.MakeVariant(true)},
		{Name: "CollectMode", Value: godbus.MakeVariant("inactive-or-failed")},
	}
	done := make(chan string, 1)
	if _, err := conn.StartTransientUnitContext(ctx, CgroupName(id)+".scope", "replace", properties, done); err != nil {
		return fmt.Errorf("ask the host's systemd for a scope with a delegated cgroup: %w", err)
	}
	select {
	case result := <-done:
		if result != "done" {
			return fmt.Errorf("the host's systemd did not start the lab's scope: %s", result)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the host's systemd to start the lab's scope: %w", ctx.Err())
	}
}
