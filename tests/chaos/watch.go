package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

const (
	pruneEvery = time.Minute
	pruneKeep  = 10 * time.Minute // of rows stay, for those who want to look
)

// parseWatch parses the arguments of chaos watch.
func parseWatch(args []string, getenv func(string) string) (options, error) {
	var o options
	set := flag.NewFlagSet("chaos watch", flag.ContinueOnError)
	secret := o.login(set)
	o.outputFlag(set)
	o.schedule(set, 100*time.Millisecond, 300*time.Millisecond)
	o.promiseFlags(set)
	set.DurationVar(&o.duration, "duration", 0, "")
	set.StringVar(&o.outDir, "out", "", "")
	o.before, o.after, o.limit, o.noVerify = 1, 1, 2, true
	if err := parseFlags(set, args); err != nil {
		return o, err
	}
	if set.NArg() > 0 {
		return o, usageError("unexpected argument %q: chaos watch takes options only, and injects nothing", set.Arg(0))
	}
	if err := o.checkRun(); err != nil {
		return o, err
	}
	if _, err := o.terms(); err != nil {
		return o, err
	}
	if err := o.checkOutput(); err != nil {
		return o, err
	}
	return o, o.finishLogin(secret, getenv)
}

// watch is chaos watch: one client, no fault, a verdict on what was promised.
func watch(opt options, stdout io.Writer, stop stops) error {
	terms, err := opt.terms()
	if err != nil {
		return err
	}
	server, err := opt.server(opt.address)
	if err != nil {
		return err
	}
	asked, cancel := context.WithTimeout(stop.soft, prepareDeadline)
	err = server.Ready(asked)
	cancel()
	if err != nil {
		return unmeasurable("could not start: %w: %s; chaos init makes the table", err, mariadb.Advice(err))
	}
	art, err := openArtifacts(opt.outDir, stdout, false)
	if err != nil {
		return unmeasurable("%w", err)
	}
	w := &watcher{opt: opt, server: server, screen: art.screen, name: runName(time.Now()),
		seen: outage.Watch{Threshold: opt.threshold}, transcript: transcript{address: opt.address, damping: opt.threshold}}
	if opt.output == "json" {
		w.screen = &screen{out: io.Discard}
	}
	w.run(stop.soft)
	w.clear(stop.hard)
	run := w.result(terms)
	// What was measured is told also when a part of it could not be written.
	written := errors.Join(art.deliver(run), art.close())
	if opt.output == "json" {
		written = errors.Join(written, writeJSON(stdout, run.SLA))
	} else {
		art.screen.plain(watchWords(run))
		written = cmp.Or(written, art.screen.broken())
	}
	if err := watchVerdict(run.SLA, terms); err != nil {
		return err
	}
	if written != nil {
		return unmeasurable("what was measured could not be written: %w", written)
	}
	return nil
}

// unmeasurable is an error with the status of a watch that measured nothing.
func unmeasurable(format string, args ...any) error {
	return &failure{status: exitUnmeasured, err: fmt.Errorf(format, args...)}
}

func watchVerdict(v *result.SLA, terms sla.Terms) error {
	switch {
	case v.Verdict == string(sla.Breached):
		return &failure{status: exitFailed, err: fmt.Errorf("breached: %s", v.Reason)}
	case v.Observed <= v.Unmeasured:
		return unmeasurable("nothing was measured")
	case v.Verdict == string(sla.Unknown) && (terms.Objective.Given() || terms.MaxInterruption > 0):
		return unmeasurable("not known: %s", v.Reason)
	}
	return nil
}

// watcher follows the writes. One goroutine owns it.
type watcher struct {
	opt        options
	server     *mariadb.Server
	screen     *screen
	name       string
	origin     time.Time
	end        time.Duration
	seen       outage.Watch
	transcript transcript
	counts     struct{ attempts, acknowledged int }
}

func (w *watcher) run(ctx context.Context) {
	if w.opt.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.opt.duration)
		defer cancel()
	}
	w.origin = time.Now()
	attempts := writes(ctx, w.opt, w.origin, w.server, w.name)
	prune := time.NewTicker(pruneEvery)
	defer prune.Stop()
	for {
		select {
		case a, open := <-attempts:
			if !open {
				return
			}
			w.record(a)
		case <-prune.C:
			w.prune(ctx)
		}
	}
}

func (w *watcher) record(a write) {
	w.counts.attempts++
	w.end = max(w.end, a.Done)
	w.seen.Late(a.Intended, a.Started)
	if !a.Overflow && a.Answer.Verdict == ledger.Acknowledged {
		w.counts.acknowledged++
		w.seen.Answer(a.Done)
	} else if !a.Overflow {
		w.seen.Failure()
	}
	if l, changed := w.transcript.see(a); changed {
		w.screen.tell(w.origin.Add(a.Done), l.kind, "%s", l.text)
	}
}

// prune deletes what is old; when it cannot, the next time will.
func (w *watcher) prune(ctx context.Context) {
	old := (time.Since(w.origin) - pruneKeep) / w.opt.interval
	if old <= 0 {
		return
	}
	go func() {
		limited, cancel := context.WithTimeout(ctx, pruneEvery)
		defer cancel()
		if err := w.server.Prune(limited, w.name, uint64(old)); err != nil && ctx.Err() == nil {
			w.screen.tell(time.Now(), kindInfo, "%v", err)
		}
	}()
}

// clear deletes the rows that are left.
func (w *watcher) clear(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, prepareDeadline)
	defer cancel()
	if err := w.server.Prune(limited, w.name, math.MaxInt64); err != nil {
		w.screen.tell(time.Now(), kindInfo, "%v", err)
	}
}

// result makes the run of what was seen.
func (w *watcher) result(terms sla.Terms) result.Run {
	gaps, unmeasured := w.seen.Seen(w.end)
	observation := sla.Observation{Length: w.end, Unmeasured: unmeasured}
	for _, g := range gaps {
		observation.Interruptions = append(observation.Interruptions, sla.Interruption{From: g.From, To: g.To, Open: g.Open})
	}
	return result.Run{
		ID: w.name, Started: w.origin, Ended: w.origin.Add(w.end), Address: w.opt.address,
		Interval: result.Of(w.opt.interval), Deadline: result.Of(w.opt.timeout),
		Settings: map[string]string{
			"attempts":     fmt.Sprint(w.counts.attempts),
			"acknowledged": fmt.Sprint(w.counts.acknowledged),
		},
		SLA: sla.Judge(terms, observation).Result(),
	}
}

func watchWords(run result.Run) string {
	v := run.SLA
	var out strings.Builder
	fmt.Fprintf(&out, "\nobserved       %s, of which nobody was looking for %s\n", v.Observed.Duration().Round(time.Millisecond), v.Unmeasured.Duration().Round(time.Millisecond))
	fmt.Fprintf(&out, "interruptions  %d, together %s, longest %s\n", v.Interruptions, seconds(v.Interrupted.Duration()), seconds(v.Longest.Duration()))
	fmt.Fprintf(&out, "availability   %.5f%%\n", 100*v.Availability)
	fmt.Fprintf(&out, "%s: %s\n", v.Verdict, v.Reason)
	return out.String()
}
