package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// The exit statuses, as chaos(8) documents them.
const (
	exitOK     = 0
	exitFailed = 1 // writes lost, service not back, or verification not passed
	exitUsage  = 2
	// exitUnmeasured is of chaos watch alone: whether the promise was kept is not known.
	exitUnmeasured = 2
	exitNoStart    = 3 // the run could not start, or the fault command failed
	exitTooLong    = 4 // everything is there, but the interruption exceeded --max-interruption
)

// failure is an error with its exit status.
type failure struct {
	status int
	err    error
	told   bool // people have read it already
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usageError(format string, args ...any) error {
	return &failure{status: exitUsage, err: fmt.Errorf(format, args...)}
}

func startError(format string, args ...any) error {
	return &failure{status: exitNoStart, err: fmt.Errorf(format, args...)}
}

// tell writes the sentence for people, once: where it is returned with a report,
// the report's last line comes after it.
func tell(out io.Writer, err error) error {
	var f *failure
	if err == nil || errors.As(err, &f) && f.told {
		return err
	}
	fmt.Fprintf(out, "chaos: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	return &failure{status: exitStatus(err), err: err, told: true}
}

// exitStatus translates what a subcommand returned. An error without a status
// of its own is a run that did not pass.
func exitStatus(err error) int {
	var f *failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		return f.status
	default:
		return exitFailed
	}
}
