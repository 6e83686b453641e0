package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/glue"
	"holdfast/tests/chaos/target"
)

// undoWithin is how long the undoing may take: a machine may have to start first.
const undoWithin = 3 * time.Minute

// undo is chaos undo: remove the way of the glued client and end what an earlier run left injected.
func undo(args []string, stdout io.Writer, stop stops) error {
	set := flag.NewFlagSet("chaos undo", flag.ContinueOnError)
	file := set.String("undo-file", defaultUndoFile(), "")
	watch := set.Bool("when-input-ends", false, "")
	if err := parseFlags(set, args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return usageError("unexpected argument %q: chaos undo takes --undo-file only", set.Arg(0))
	}
	if *watch {
		_, _ = io.Copy(io.Discard, os.Stdin) // any end of it is the monitor's end
	}
	if err := glue.Clear(); err != nil {
		fmt.Fprintf(stdout, "%v\n", err)
	}
	injected, err := target.UndoFile(*file).Read()
	if errors.Is(err, target.ErrNothing) {
		fmt.Fprintln(stdout, "nothing is injected")
		return nil
	}
	if err != nil {
		return startError("%w", err)
	}
	reached, err := reachAgain(injected)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(stop.soft, undoWithin)
	defer cancel()
	if err := reached.Undo(ctx, injected.Undo); err != nil {
		return fmt.Errorf("%s is still injected: %w", injected.Fault, err)
	}
	if err := target.UndoFile(*file).Remove(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s is undone\n", injected.Fault)
	return nil
}

// guard undoes what is injected when this process is killed: a second process
// waits for the end of a pipe that only this one holds open.
type guard struct {
	input io.Closer
	cmd   *exec.Cmd
}

func startGuard(file target.UndoFile) (*guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program for the guard: %w", err)
	}
	cmd := exec.Command(self, "undo", "--undo-file", string(file), "--when-input-ends")
	// Neither a Ctrl-C nor the end of the terminal may reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the guard that undoes faults: %w", err)
	}
	return &guard{input: input, cmd: cmd}, nil
}

// release lets the guard end; it still undoes what stands in the file.
func (g *guard) release() error {
	return errors.Join(g.input.Close(), g.cmd.Wait())
}

// undoBook writes the undo file around each fault.
type undoBook struct {
	file target.UndoFile
	base target.Injected
}

// Injecting notes a fault that is about to be injected.
func (b undoBook) Injecting(f fault.Bound) error {
	injected := b.base
	injected.Fault = f.Fault.Name + " on " + strings.Join(f.Targets, ", ")
	injected.Undo = f.Undo
	return b.file.Write(injected)
}

// Undone notes that it is undone.
func (b undoBook) Undone() error { return b.file.Remove() }

// openUndo prepares the place of the undo file, and refuses while something is
// still injected.
func openUndo(path string) (target.UndoFile, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", usageError("--undo-file: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", startError("could not start: %w: give --undo-file a place that can be written", err)
	}
	injected, err := target.UndoFile(path).Read()
	switch {
	case err == nil:
		return "", startError("could not start: %s is still injected: run chaos undo --undo-file %s", injected.Fault, path)
	case !errors.Is(err, target.ErrNothing):
		return "", startError("could not start: %w", err)
	}
	return target.UndoFile(path), nil
}
