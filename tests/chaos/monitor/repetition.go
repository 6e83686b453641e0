package monitor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/verify"
	"holdfast/tests/chaos/wait"
)

const (
	// randomPhase is the span over which the moment of the injection is spread,
	// so that no detector's period is always hit at the same place.
	randomPhase = 2 * time.Second
	lookEvery   = 20 * time.Millisecond
	undoLimit   = 90 * time.Second
	// startClean is how long a cluster may take to be seen clean before a fault;
	// one that is not in order is refused.
	startClean = 20 * time.Second
	// tail is how long the clients go on when everything is in order again.
	tail = 2 * time.Second
)

// Book keeps what is injected, also for the case that the monitor does not live.
type Book interface {
	Injecting(b fault.Bound) error
	Undone() error
}

// Repetition is one injection of a fault.
type Repetition struct {
	Fault  fault.Fault
	Number int    // from 1
	Run    string // name of the rows; unique
}

// Outcome is what a repetition gave. Err is why the next fault must not be
// started, or why this one was not. A fault that could not be injected as it should,
// but was undone and whose cluster is clean again, has its Error and no Err.
type Outcome struct {
	Fault    result.Fault
	Ledger   *ledger.Ledger
	Injected bool
	Err      error
}

// Repeat takes the cluster through one fault. The fault is undone also when ctx
// ends; hard ends even that.
func Repeat(ctx, hard context.Context, c Config, book Book, r Repetition) Outcome {
	o := observe(context.WithoutCancel(ctx), c, r.Run)
	defer o.finish()
	c.Tell(Event{At: time.Now(), Kind: KindWait, Text: "for a clean cluster"})
	if err := o.awaitClean(ctx, startClean, false); err != nil {
		return Outcome{Err: err}
	}
	if err := o.awaitSteady(ctx, 0, c.Before); err != nil {
		return Outcome{Err: err}
	}
	bound, err := fault.Bind(r.Fault, c.place(o.servedBy()), r.Number-1)
	if err != nil {
		return Outcome{Err: err}
	}
	wait.For(ctx, rand.N(randomPhase))
	if err := errors.Join(ctx.Err(), o.broken()); err != nil {
		return Outcome{Err: err}
	}
	t, failed, err := o.disturb(ctx, hard, book, bound)
	// Also after a failure: what was injected may have been felt.
	if ctx.Err() == nil {
		t.healed, t.whole = o.awaitHealed(ctx)
		err = errors.Join(err, o.awaitClean(ctx, c.Heal, true))
		wait.For(ctx, tail)
	}
	t.end = o.now()
	o.finish()
	rows := settled(hard, time.Second, func() checked { return o.compare(hard, c) })
	err = errors.Join(err, o.broken())
	f := o.evaluate(r, bound, t, rows)
	f.Stopped = ctx.Err() != nil
	f.Error = why(f.Stopped, append([]string{oneLine(failed), oneLine(err)}, rows.failures...))
	return Outcome{Fault: f, Ledger: &o.book, Injected: true, Err: err}
}

// why is one sentence of why a repetition could not be measured; empty when it could. What failed
// because of a signal is not worth a word.
func why(stopped bool, reasons []string) string {
	if stopped {
		return "it was stopped by a signal"
	}
	reasons = slices.DeleteFunc(reasons, func(r string) bool { return r == "" })
	return strings.TrimSuffix(strings.Join(reasons, "; "), ".")
}

func oneLine(err error) string {
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func (c Config) place(holder string) fault.Place {
	p := fault.Place{Holder: holder, Address: c.AddressName, Resource: c.Resource}
	for _, n := range c.Nodes {
		p.Nodes = append(p.Nodes, fault.Node{Name: n.Name, Address: hostOf(n.Server.Address())})
	}
	return p
}

// times are the moments of a repetition, as offsets from its origin.
type times struct {
	injected, returned, undone, healed, end time.Duration
	whole                                   bool // healed was seen
	injectedAt                              time.Time
	struck                                  []fault.Struck // when it truly happened, as far as that is told
}

// disturb injects the fault, lets the service come back or the limit pass, and
// undoes the fault whatever happens. failed is why it was not injected as it should;
// err is why nothing more may be.
func (o *observation) disturb(ctx, hard context.Context, book Book, b fault.Bound) (t times, failed, err error) {
	if err := book.Injecting(b); err != nil {
		return t, nil, err
	}
	o.stick()
	t.injectedAt, t.injected = time.Now(), o.now()
	o.config.Tell(Event{At: t.injectedAt, Kind: KindFault, Node: strings.Join(b.Targets, "+"), Text: b.Fault.Name + " on " + strings.Join(b.Targets, ", ")})
	injecting, cancel := context.WithTimeout(ctx, injectLimit(b))
	t.struck, failed = o.config.Target.All(injecting, b.Inject)
	cancel()
	t.returned = o.now()
	if failed != nil {
		failed = fmt.Errorf("inject %s: %w", b.Fault.Name, failed)
		o.config.Tell(Event{At: time.Now(), Kind: KindFault, Text: oneLine(failed) + ": it will be undone, and the repetition counts as an error"})
	} else if wait.For(ctx, b.Fault.Hold) && !b.Fault.UndoFirst {
		// A service that stays away is no error of the run: the undoing may be what
		// brings it back, and the figures say how long it took.
		_ = o.awaitSteady(ctx, t.returned, o.config.After)
	}
	undoing, cancel := context.WithTimeout(hard, undoLimit)
	defer cancel()
	if undo := o.config.Target.Undo(undoing, b.Undo); undo != nil {
		return t, failed, errors.Join(ctx.Err(), fmt.Errorf("undo %s: %w: run chaos undo when the nodes can be reached", b.Fault.Name, undo))
	}
	t.undone = o.now()
	if len(b.Undo) > 0 {
		o.config.Tell(Event{At: time.Now(), Kind: KindFault, Text: b.Fault.Name + " is undone"})
	}
	return t, failed, errors.Join(book.Undone(), ctx.Err())
}

// injectLimit is for all steps of an injection. A rolling restart waits twice for every node, and its
// own limit is to end it, which can say what it waited for.
func injectLimit(b fault.Bound) time.Duration {
	return time.Minute + time.Duration(2*len(b.Inject))*fault.SettleLimit
}

// awaitSteady waits until the writer was served without a gap for the given time
// after from.
func (o *observation) awaitSteady(ctx context.Context, from, length time.Duration) error {
	deadline := time.Now().Add(o.config.Limit)
	for {
		if steady, served := o.steady(from); served && steady >= length {
			return nil
		}
		if err := o.broken(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: within %v the writes through %s were never acknowledged for %v without a gap", ErrUnclean, o.config.Limit, o.config.AddressName, length)
		}
		if !wait.For(ctx, lookEvery) {
			return ctx.Err()
		}
	}
}

// checked is what the nodes have when everything is over.
type checked struct {
	result    verify.Result
	checksums map[string]string
	at        time.Duration
	failures  []string
}

// settled compares the rows again and again until their contents are the same on all nodes, or for as
// long as they may differ: a statement whose client gave up long ago may be done by the server while the
// nodes are read, one after the other.
func settled(ctx context.Context, pause time.Duration, compare func() checked) checked {
	ctx, cancel := context.WithTimeout(ctx, verify.SettleTime)
	defer cancel()
	for {
		if found := compare(); !found.differ() || !wait.For(ctx, pause) {
			return found
		}
	}
}

// differ says whether the contents of the rows are not the same on all nodes that were compared.
func (c checked) differ() bool {
	sums := slices.Collect(maps.Values(c.checksums))
	return slices.ContainsFunc(sums, func(s string) bool { return s != sums[0] })
}

// compare compares the rows of all nodes.
func (o *observation) compare(ctx context.Context, c Config) checked {
	nodes := make([]verify.Node, len(c.Nodes))
	for i, n := range c.Nodes {
		nodes[i] = verify.Node{Name: n.Name, Server: n.Server}
	}
	found := checked{checksums: map[string]string{}}
	found.result = verify.Nodes(ctx, verify.Check{
		Nodes: nodes, Run: o.run, Ledger: &o.book, Wait: c.Heal,
		Progress: func(node, text string) { c.Tell(Event{At: time.Now(), Kind: KindCheck, Node: node, Text: text}) },
	})
	for i, n := range found.result.Nodes {
		err := n.Err
		if err == nil {
			asked, cancel := context.WithTimeout(ctx, checksumLimit)
			found.checksums[n.Name], err = c.Nodes[i].Server.Checksum(asked, o.run)
			cancel()
		}
		if err != nil {
			found.failures = append(found.failures, fmt.Sprintf("%s was not compared: %v.", n.Name, err))
		}
	}
	found.at = o.now()
	return found
}

// checksumLimit includes repl.causal_read_timeout, 30 s by default.
const checksumLimit = time.Minute
