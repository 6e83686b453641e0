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

// runDaemon is "crmbridge run".
func runDaemon(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	units := flags.String("units", "mariadb.service,corosync.service,pacemaker.service", "systemd units to follow, separated by commas")
	node := flags.String("node", "", "this node's name in the cluster (default: the host's name)")
	if status, ok := parseFlags(flags, args, stderr); !ok {
		return status
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	if err := follow(ctx, *node, strings.Split(*units, ","), newNarrator(stdout), log); err != nil {
		fmt.Fprintf(stderr, "crmbridge: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// follow makes records of what happens until ctx ends.
func follow(ctx context.Context, node string, units []string, out output, log *slog.Logger) error {
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
	return serve(ctx, units, &recorder{translator: newTranslator(node, m), tracker: incident.NewTracker(node), out: out}, log)
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
