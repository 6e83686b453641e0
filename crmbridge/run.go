package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"

	"holdfast/crmbridge/incident"
)

// backlog is how many observations may wait for the daemon's loop; beyond it they wait
// in the sources.
const backlog = 1024

// listening are the options of the commands that follow the cluster.
type listening struct {
	node  string
	units []string
}

// parseListening parses the options of a command, and tells its exit status if it must
// not run.
func parseListening(name string, args []string, stderr io.Writer) (o listening, status int, ok bool) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	units := flags.String("units", "mariadb.service,corosync.service,pacemaker.service", "systemd units to follow, separated by commas")
	flags.StringVar(&o.node, "node", "", "this node's name in the cluster (default: the host's name)")
	status, ok = parseFlags(flags, args, stderr)
	o.units = strings.Split(*units, ",")
	return o, status, ok
}

// runDaemon is "crmbridge run".
func runDaemon(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, status, ok := parseListening("run", args, stderr)
	if !ok {
		return status
	}
	return told(stderr, follow(ctx, o, newNarrator(stdout), logTo(stderr)))
}

// runEvents is "crmbridge events".
func runEvents(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, status, ok := parseListening("events", args, stderr)
	if !ok {
		return status
	}
	return told(stderr, follow(ctx, o, newNarrator(stdout), logTo(stderr)))
}

// told prints an error, and gives the exit status.
func told(stderr io.Writer, err error) int {
	if err != nil {
		fmt.Fprintf(stderr, "crmbridge: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func logTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
}

// follow makes records of what happens until ctx ends.
func follow(ctx context.Context, o listening, out output, log *slog.Logger) error {
	node := o.node
	if node == "" {
		var err error
		if node, err = os.Hostname(); err != nil {
			return fmt.Errorf("find this node's name, say --node: %w", err)
		}
	}
	m, err := newMachine()
	if err != nil {
		return err
	}
	return serve(ctx, o.units, &recorder{translator: newTranslator(node, m), tracker: incident.NewTracker(node), out: out}, log)
}

// withoutTime leaves the time to journald, which stamps every line.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// serve runs the sources and the loop until ctx ends, which is no error.
func serve(ctx context.Context, units []string, c consumer, log *slog.Logger) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	observations := make(chan observation, backlog)
	listening := make(chan error, 1)
	go func() {
		s := &sources{units: units, out: observations, log: log}
		err := s.run(ctx)
		cancel(err)
		listening <- err
	}()
	d, err := newLoop(c, log)
	if err == nil {
		err = d.run(ctx, observations)
	}
	cancel(err)
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	if source := <-listening; err == nil || errors.Is(err, context.Canceled) {
		err = source
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
