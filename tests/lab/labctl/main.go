// Command labctl runs the lab: three real cluster nodes on this machine. See "labctl help".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"holdfast/tests/lab"
)

// Exit statuses of labctl. The commands exec, shell and client end with the status of what they run.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitDown   = 3 // no lab is up
)

func main() { lab.Main(run) }

func run(ctx context.Context, args []string) int {
	inv, err := parse(args)
	if err == nil {
		err = inv.command.run(ctx, inv)
	}
	return status(err)
}

// status translates an error to labctl's exit status and says it.
func status(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errHelp):
		fmt.Print(usageText())
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "labctl: %v (see labctl help)\n", err)
		return exitUsage
	case errors.Is(err, lab.ErrDown):
		fmt.Fprintf(os.Stderr, "labctl: %v: start it with labctl up\n", err)
		return exitDown
	default:
		fmt.Fprintf(os.Stderr, "labctl: %v\n", err)
		return exitFailed
	}
}
