package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the build (-ldflags -X main.version=...).
var version = "unreleased" //nolint:gochecknoglobals // the linker sets variables only

// The exit statuses, as crmbridge(8) documents them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage is a command line that means nothing.
var errUsage = errors.New("see crmbridge help")

// command is what crmbridge can be told to do. run returns the exit status.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

func commands() []command {
	return []command{
		{"run", "the daemon: follow the cluster until told to stop", runDaemon},
		{"events", "print what happens, as lines of JSON", runEvents},
		{"history", "the incidents, as a table", runHistory},
		{"show", "one incident: why, and its phases", runShow},
		{"sla", "availability, failovers and the error budget", runSLA},
		{"report", "all of it as one HTML page", runReport},
		{"verify", "whether entries are missing or altered", runVerify},
		{"doctor", "whether everything is set up so that records are right", runDoctor},
	}
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	os.Exit(status)
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	verb := "help"
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "help", "-h", "--help":
		usage(stdout)
		return exitOK
	case "version", "--version":
		fmt.Fprintln(stdout, "crmbridge", version)
		return exitOK
	}
	for _, c := range commands() {
		if c.name == verb {
			return c.run(ctx, args, stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "crmbridge: unknown command %q: %v\n", verb, errUsage)
	return exitUsage
}

func usage(out io.Writer) {
	fmt.Fprint(out, "usage: crmbridge COMMAND [OPTION...]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-8s  %s\n", c.name, c.summary)
	}
	fmt.Fprint(out, "\ncrmbridge COMMAND --help tells its options; crmbridge(8) tells all.\n")
}

// parseFlags parses a command's options, and tells its exit status if it must not run.
func parseFlags(flags *flag.FlagSet, args []string, stderr io.Writer) (status int, ok bool) {
	flags.SetOutput(stderr)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	case err != nil:
		return exitUsage, false
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "crmbridge: %s takes no argument %q: %v\n", flags.Name(), flags.Arg(0), errUsage)
		return exitUsage, false
	}
	return exitOK, true
}
