package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journal"
	"holdfast/crmbridge/metrics"
)

// stateDirectory is where the package's unit keeps its state.
const stateDirectory = "/var/lib/holdfast-crmbridge"

// backlog is how many observations may wait for the daemon's loop; beyond it they wait
// in the sources.
const backlog = 256

// listening are the options of the commands that follow the cluster.
type listening struct {
	node  string
	units []string
	state string // directory
	// metrics is where Prometheus may ask, or "".
	metrics string
}

// parseListening parses the options of a command, and tells its exit status if it must
// not run.
func parseListening(name string, args []string, stderr io.Writer) (o listening, status int, ok bool) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	units := flags.String("units", "mariadb.service,corosync.service,pacemaker.service", "systemd units to follow, separated by commas")
	flags.StringVar(&o.node, "node", "", "this node's name in the cluster (default: the host's name)")
	if name == "run" {
		flags.StringVar(&o.state, "state", cmp.Or(os.Getenv("STATE_DIRECTORY"), stateDirectory), "directory to keep the end of the chain of entries in")
		flags.StringVar(&o.metrics, "metrics", "", "`ADDRESS` for Prometheus, HOST:PORT or unix:PATH (default: none)")
	}
	if status, ok = parseFlags(flags, args, stderr); !ok {
		return o, status, ok
	}
	o.units = strings.Split(*units, ",")
	if o.node == "" {
		var err error
		if o.node, err = os.Hostname(); err != nil {
			fmt.Fprintf(stderr, "crmbridge: this host has no name (%v): say --node\n", err)
			return o, exitFailed, false
		}
	}
	return o, exitOK, true
}

// runDaemon is "crmbridge run".
func runDaemon(ctx context.Context, args []string, _, stderr io.Writer) int {
	o, status, ok := parseListening("run", args, stderr)
	if !ok {
		return status
	}
	return told(stderr, keepRecords(ctx, o, logTo(stderr)))
}

// keepRecords follows the cluster and writes to the journal.
func keepRecords(ctx context.Context, o listening, log *slog.Logger) error {
	chain := filepath.Join(o.state, "chain")
	since, err := lastEntry(chain)
	if err != nil {
		return err
	}
	w, err := journal.NewWriter(o.node, version, chain, newest(ctx, o.node, log))
	if err != nil {
		return err
	}
	var out output = w
	if o.metrics != "" {
		set := metrics.New(version)
		if err := export(ctx, o.metrics, set, log); err != nil {
			return errors.Join(err, w.Close())
		}
		out = counted{w, set}
	}
	err = follow(ctx, o, lookBack(ctx, o.node, since, log), out, log)
	return errors.Join(err, w.Close())
}

// newest is the newest entry in the journal. After a loss of power it can be newer than
// the file that the end of the chain is kept in.
func newest(ctx context.Context, node string, log *slog.Logger) journal.Head {
	head, err := asking(ctx, func(ctx context.Context) (journal.Head, error) { return journal.Newest(ctx, node) })
	if err != nil {
		log.Warn("the end of the chain is only known from its file", "error", err)
	}
	return head
}

// lastEntry is when the last entry was written, which the file has as its time: nobody
// watched since. It is zero if there never was one.
func lastEntry(chain string) (time.Time, error) {
	info, err := os.Stat(chain)
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("find when the last entry was written: %w", err)
	}
	return info.ModTime(), nil
}

// runEvents is "crmbridge events".
func runEvents(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, status, ok := parseListening("events", args, stderr)
	if !ok {
		return status
	}
	return told(stderr, follow(ctx, o, before{}, newNarrator(stdout), logTo(stderr)))
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

// withoutTime leaves the time to journald, which stamps every line.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// follow makes records of what happens until ctx ends. b is what is known of the time when somebody did
// so the last time.
func follow(ctx context.Context, o listening, b before, out output, log *slog.Logger) error {
	m, err := newMachine()
	if err != nil {
		return err
	}
	r := &recorder{translator: newTranslator(o.node, m), tracker: incident.NewTracker(o.node), out: out}
	if !b.since.IsZero() {
		if err := r.missed(b, time.Now()); err != nil {
			return err
		}
	}
	if err := serve(ctx, o, r, log); err != nil {
		return err
	}
	return r.finish()
}

// serve runs the sources and the loop until ctx ends, which is no error.
func serve(ctx context.Context, o listening, c consumer, log *slog.Logger) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	observations := make(chan observation, backlog)
	listening := make(chan error, 1)
	go func() {
		s := &sources{node: o.node, units: o.units, out: observations, log: log}
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
