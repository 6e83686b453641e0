package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// killAfter is how long a fault command that was told to end may take.
const killAfter = 5 * time.Second

// findFault checks before the run that the command exists.
func findFault(args []string) error {
	if len(args) == 0 {
		return nil
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		return startError("could not start: the fault command: %w: correct the name or the path", err)
	}
	return nil
}

// faultCommand replaces {node} by the node that answered last.
func faultCommand(args []string, node string) ([]string, error) {
	command := make([]string, len(args))
	for i, arg := range args {
		// The name comes from the server and may end in a shell's command line.
		if strings.Contains(arg, "{node}") && !isHostname(node) {
			return nil, fmt.Errorf("the server calls itself %q, which cannot replace {node}: give the node's name in the command", node)
		}
		command[i] = strings.ReplaceAll(arg, "{node}", node)
	}
	return command, nil
}

// runFault runs the command to its end, at most until ctx is done; its output
// goes to tell line by line. The command has a process group of its own: a
// Ctrl-C at the terminal does not reach it in the middle of its work, and when
// ctx ends all of the group is ended.
func runFault(ctx context.Context, command []string, tell func(line string)) error {
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	// The pipe is ours and not the library's, because Wait would then also wait
	// for background processes that the command left behind.
	go func() {
		defer read.Close()
		for lines := bufio.NewScanner(read); lines.Scan(); {
			tell(lines.Text())
		}
	}()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = write, write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killAfter
	err = errors.Join(cmd.Start(), write.Close())
	if err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		// What is left of the group; it does not matter when nothing is.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		return fmt.Errorf("%s was ended before it returned: %w", command[0], ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command[0], err)
	}
	return nil
}
