package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// The statuses of the program.
const (
	agreed = iota
	differs
	unknown
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("crosscheck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var l limits
	flags.DurationVar(&l.difference, "limit", 50*time.Millisecond, "what the two may differ by")
	flags.DurationVar(&l.lag, "lag", 2*time.Second, "how late a record may be")
	output := flags.String("output", "text", "text or json")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return agreed
	case err != nil:
		return unknown
	case flags.NArg() != 1, *output != "text" && *output != "json":
		fmt.Fprintln(stderr, "usage: crosscheck [--limit 50ms] [--lag 2s] [--output text|json] DIR")
		return unknown
	}
	findings, err := check(flags.Arg(0))
	if err == nil && *output == "json" {
		err = json.NewEncoder(stdout).Encode(findings)
	} else if err == nil {
		err = print(stdout, findings, l)
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "crosscheck:", err)
		return unknown
	case slices.ContainsFunc(findings, func(f finding) bool { return !f.agrees(l) }):
		return differs
	}
	return agreed
}

func check(dir string) ([]finding, error) {
	repetitions, err := readRepetitions(dir)
	if err != nil {
		return nil, err
	}
	records, err := readRecords(dir)
	if err != nil {
		return nil, err
	}
	return compare(repetitions, records), nil
}
