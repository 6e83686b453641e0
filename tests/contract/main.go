package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"holdfast/tests/contract/testbed"
	"holdfast/tests/lab"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const (
	stateDir    = "build/conformance-lab"
	downTimeout = time.Minute
)

type options struct {
	provider string
	logs     string
}

func main() {
	lab.Main(func(ctx context.Context, args []string) int { return run(ctx, args, os.Stdout, os.Stderr) })
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args, stderr)
	if err != nil {
		return exitUsage
	}
	ok, err := conform(ctx, opts, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "contract: %v\n", err)
	}
	if err != nil || !ok {
		return exitFailed
	}
	return exitOK
}

func parse(args []string, stderr io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("contract", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&opts.provider, "provider", ours, "whose agents: holdfast or heartbeat")
	flags.StringVar(&opts.logs, "logs", "build/conformance", "directory for everything that the tools say")
	err := flags.Parse(args)
	if err == nil && (flags.NArg() > 0 || opts.provider != ours && opts.provider != original) {
		err = fmt.Errorf("--provider=%s is neither holdfast nor heartbeat, or there are arguments too many: %q", opts.provider, flags.Args())
		fmt.Fprintf(stderr, "contract: %v\n", err)
	}
	return opts, err
}

// conform runs everything and tells whether all is as it should be.
func conform(ctx context.Context, opts options, stdout, stderr io.Writer) (ok bool, err error) {
	debs, err := testbed.Packages()
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(opts.logs, 0o755); err != nil {
		return false, fmt.Errorf("make the directory for the logs: %w", err)
	}
	l, err := lab.Start(ctx, lab.Options{State: stateDir, Debs: debs, Progress: stderr, Replace: true, DieWithParent: true})
	if err != nil {
		return false, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
		defer cancel()
		err = errors.Join(err, l.Down(ctx))
	}()
	checks, err := runAll(ctx, bench{lab: l, provider: opts.provider, logs: opts.logs, progress: stderr})
	if err != nil {
		return false, err
	}
	lines, ok := verdict(checks, differences(opts.provider))
	for _, line := range lines {
		fmt.Fprintln(stdout, line)
	}
	if !ok {
		fmt.Fprintf(stderr, "contract: not as it should be; everything that the tools said is in %s\n", opts.logs)
	}
	return ok, nil
}
