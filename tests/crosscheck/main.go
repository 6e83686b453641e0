package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"holdfast/tests/crosscheck/agree"
)

// The exit statuses.
const (
	exitAgree    = 0
	exitDisagree = 1
	exitUnread   = 2
)

const usage = `usage: crosscheck [--limit 50ms] [--lag 2s] [--worst N] [--output text|json] DIRECTORY

Lays what chaos measured in a campaign beside what crmbridge recorded of it. DIRECTORY is what
make campaign fills: repetitions/*.json.gz, and bridge/1/failovers.json beside bridge/1/db1.json ...

  --limit   what a moment, or the length of an interruption, may differ by
  --lag     how long after its last phase a record has to be written
  --worst   how many of the worst disagreements to print
  --output  text, or json with everything

Exit status: 0 if they agree, 1 if not, 2 if something could not be read.
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitAgree
	}
	var report agree.Report
	if err == nil {
		report, err = compare(o)
	}
	if err == nil {
		err = write(stdout, report, o)
	}
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "crosscheck: %v\n", err)
		return exitUnread
	case !report.Agree:
		return exitDisagree
	}
	return exitAgree
}

type options struct {
	limits agree.Limits
	worst  int
	json   bool
	dir    string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("crosscheck", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.DurationVar(&o.limits.Difference, "limit", 50*time.Millisecond, "")
	flags.DurationVar(&o.limits.Lag, "lag", 2*time.Second, "")
	flags.IntVar(&o.worst, "worst", 40, "")
	output := flags.String("output", "text", "")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("%w: see crosscheck --help", err)
	}
	switch {
	case flags.NArg() != 1:
		return o, errors.New("give one directory, as build/chaos: see crosscheck --help")
	case *output != "text" && *output != "json":
		return o, fmt.Errorf("--output %q: give text or json", *output)
	case o.limits.Difference < 0 || o.limits.Lag < 0 || o.worst < 0:
		return o, errors.New("--limit, --lag and --worst: give 0 or more")
	}
	o.json, o.dir = *output == "json", flags.Arg(0)
	return o, nil
}

func compare(o options) (agree.Report, error) {
	campaign, err := agree.Read(o.dir)
	if err != nil {
		return agree.Report{}, err
	}
	return agree.Compare(campaign, o.limits)
}

func write(out io.Writer, report agree.Report, o options) error {
	if !o.json {
		return report.Write(out, o.worst)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return nil
}
