package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(command(os.Args[1:], os.Getenv, os.Stdout, os.Stderr, signals))
}

// command runs one subcommand and returns the exit status.
func command(args []string, getenv func(string) string, stdout, stderr io.Writer, signals <-chan os.Signal) int {
	return exitStatus(tell(stderr, dispatch(args, getenv, stdout, stderr, signals)))
}

func dispatch(args []string, getenv func(string) string, stdout, stderr io.Writer, signals <-chan os.Signal) error {
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch verb {
	case "run":
		opt, err := parseRun(args[1:], getenv)
		if err != nil {
			return usageOr(err, stdout)
		}
		if len(opt.faults) > 0 {
			return runCampaign(opt, stdout, stderr, interrupts(signals))
		}
		return run(opt, stdout, stderr, interrupts(signals))
	case "init":
		opt, err := parseInit(args[1:], getenv)
		if err != nil {
			return usageOr(err, stdout)
		}
		return initialise(opt, stdout, interrupts(signals))
	case "watch":
		opt, err := parseWatch(args[1:], getenv)
		if err != nil {
			return usageOr(err, stdout)
		}
		return watch(opt, stdout, interrupts(signals))
	case "faults":
		return usageOr(listFaults(args[1:], stdout), stdout)
	case "undo":
		return usageOr(undo(args[1:], stdout, interrupts(signals)), stdout)
	case "verify":
		opt, err := parseVerify(args[1:], getenv)
		if err != nil {
			return usageOr(err, stdout)
		}
		return verifyLedger(opt, stdout, stderr, interrupts(signals))
	case "help", "-h", "--help":
		return usageOr(errHelp, stdout)
	case "":
		return usageError("no command: say chaos help")
	default:
		return usageError("unknown command %q: say chaos help", verb)
	}
}

// stops are the two ways in which people end a run: the first signal ends what
// is being done in good order, the second everything.
type stops struct {
	soft, hard context.Context
}

func interrupts(signals <-chan os.Signal) stops {
	hard, cancelHard := context.WithCancel(context.Background())
	soft, cancelSoft := context.WithCancel(hard)
	go func() {
		<-signals
		cancelSoft()
		<-signals
		cancelHard()
	}()
	return stops{soft: soft, hard: hard}
}
