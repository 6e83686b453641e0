package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"holdfast/tests/lab"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// inside is the first argument of the half that runs in the node.
const inside = "inside"

type options struct {
	count  int
	file   string
	series string // only this one
	// For the half inside:
	round int
	trace bool
}

func main() {
	lab.Main(func(ctx context.Context, args []string) int { return run(ctx, args, os.Stdout, os.Stderr) })
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	half := measureInLab
	if len(args) > 0 && args[0] == inside {
		half, args = measureInside, args[1:]
	}
	opts, err := parse(args, stderr)
	if err != nil {
		return exitUsage
	}
	if err := half(ctx, opts, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// toMeasure are the series to measure.
func (o options) toMeasure() []string {
	if o.series != "" {
		return []string{o.series}
	}
	return []string{"address", "database"}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&opts.count, "count", 30, "how often each action is measured")
	flags.StringVar(&opts.file, "json", "build/bench/agents.json", "where to write the figures")
	flags.StringVar(&opts.series, "series", "", "only this one: address or database")
	flags.IntVar(&opts.round, "round", 0, "inside the node: the round's number")
	flags.BoolVar(&opts.trace, "trace", false, "inside the node: count under ptrace instead of measuring times")
	err := flags.Parse(args)
	if err == nil && (opts.count < 1 || flags.NArg() > 0) {
		err = fmt.Errorf("--count=%d must be 1 or more, and nothing may follow the options: %q", opts.count, flags.Args())
		fmt.Fprintf(stderr, "bench: %v\n", err)
	}
	return opts, err
}
