package crm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// killDelay is how long a tool's output is read after the tool was killed.
const killDelay = time.Second

// command runs one of Pacemaker's tools and returns what it printed. The tool gets
// a process group of its own, so that ending it ends what it started.
func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killDelay
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s did not answer in time: %w", name, ctx.Err())
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%s is not installed; install pacemaker and pacemaker-cli-utils: %w", name, err)
	}
	said := strings.Join(strings.Fields(stderr.String()), " ")
	return nil, fmt.Errorf("%s: %w: %s", name, err, said)
}

// leave starts a tool and does not wait for it. It is in a session of its own and holds none of
// the agent's descriptors, so that Pacemaker sees the agent end (lib/services/services_linux.c
// waits for the process, and reads its pipes until then).
func leave(name string, args ...string) error {
	cmd := exec.Command(name, args...) //nolint:noctx // it shall outlive everything here
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}
