package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/figures"
	"holdfast/tests/chaos/monitor"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
	"holdfast/tests/chaos/target"
)

// campaign is chaos run FAULT...
type campaign struct {
	opt    options
	terms  sla.Terms
	config monitor.Config
	target target.Target
	art    *artifacts
	book   undoBook
	people transcript
	run    result.Run
	books  []kept

	closeLedger func() error // of --ledger
	repeat      func(soft, hard context.Context, r monitor.Repetition) monitor.Outcome
}

// runCampaign runs faults of the catalogue, one after another.
func runCampaign(opt options, stdout, stderr io.Writer, stop stops) error {
	people := stdout
	if opt.output == "json" {
		people = stderr
	}
	c, faults, err := begin(stop.soft, opt, people)
	if err != nil {
		return err
	}
	guard, err := startGuard(c.book.file)
	if err != nil {
		return startError("could not start: %w", err)
	}
	ended := c.all(stop, faults)
	c.run.Ended = time.Now()
	ended = errors.Join(ended, c.recheck(stop.hard), c.art.deliver(c.run), guard.release(), c.closeLedger(), c.art.close())
	if opt.output == "json" {
		if err := writeJSON(stdout, summaries(c.run.Faults)); err != nil {
			return err
		}
	}
	c.art.screen.plain("\n" + figures.Text(summaries(c.run.Faults)))
	return c.verdict(ended)
}

// begin gets a campaign ready, or says why it cannot start. The files of an earlier one
// are touched last: what cannot start must not cost them.
func begin(ctx context.Context, opt options, people io.Writer) (*campaign, []fault.Fault, error) {
	c, err := newCampaign(opt)
	if err != nil {
		return nil, nil, err
	}
	faults, err := c.possible()
	if err != nil {
		return nil, nil, err
	}
	if err := c.healthy(ctx); err != nil {
		return nil, nil, err
	}
	if c.target.Name == "ssh" && !opt.campaign.yes {
		if err := askPermission(os.Stdin, &screen{out: people}, faults, c.run); err != nil {
			return nil, nil, err
		}
	}
	if err := c.open(people); err != nil {
		return nil, nil, err
	}
	c.describe(ctx)
	return c, faults, c.resume()
}

func newCampaign(opt options) (*campaign, error) {
	terms, err := opt.terms()
	if err != nil {
		return nil, err
	}
	reached, base, err := opt.reach()
	if err != nil {
		return nil, err
	}
	file, err := openUndo(opt.undoFile)
	if err != nil {
		return nil, err
	}
	server, err := opt.server(opt.address)
	if err != nil {
		return nil, err
	}
	c := &campaign{opt: opt, terms: terms, target: reached, book: undoBook{file: file, base: base}, closeLedger: func() error { return nil }}
	c.config = monitor.Config{
		Address: server, AddressName: host(opt.address), Resource: opt.resource, Target: reached,
		Interval: opt.interval, Direct: opt.direct, Sample: opt.sample, ARP: opt.arp, Deadline: opt.timeout,
		Threshold: opt.threshold, Before: opt.before, After: opt.after, Limit: opt.limit, Heal: opt.heal, Doubled: opt.doubled, Writer: c.attempt,
	}
	c.run = result.Run{ID: runName(time.Now()), Started: time.Now(), Address: host(opt.address),
		Interval: result.Of(opt.interval), Deadline: result.Of(opt.timeout), Versions: map[string]string{}, Settings: map[string]string{}}
	for _, n := range opt.nodes {
		server, err := opt.server(n.address)
		if err != nil {
			return nil, err
		}
		c.config.Nodes = append(c.config.Nodes, client.Node{Name: n.name, Server: server})
		c.run.Nodes = append(c.run.Nodes, result.Node{Name: n.name, Address: host(n.address)})
	}
	c.repeat = func(soft, hard context.Context, r monitor.Repetition) monitor.Outcome {
		return monitor.Repeat(soft, hard, c.config, c.book, r)
	}
	return c, nil
}

// open opens the files that are written as the campaign runs.
func (c *campaign) open(people io.Writer) error {
	var err error
	if c.art, err = openArtifacts(c.opt.outDir, people, c.opt.campaign.goOn); err != nil {
		return err
	}
	c.config.Ledger, c.config.Tell, c.config.Broken = c.art.ledger, c.art.hear, c.art.broken
	if c.opt.ledger != "" {
		if c.config.Ledger, c.closeLedger, err = openLedger(c.opt.ledger); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.run.Settings)) {
		if fault, left := strings.CutPrefix(name, leftOut); left {
			c.art.screen.tell(time.Now(), kindInfo, "%s is left out: %s", fault, c.run.Settings[name])
		}
	}
	return nil
}

// possible are the faults asked for without those that cannot be done here. One
// that was asked for by name must be possible.
func (c *campaign) possible() ([]fault.Fault, error) {
	var faults []fault.Fault
	for _, name := range c.opt.faults {
		found, err := fault.Find(c.opt.campaign.catalogue, []string{name})
		if err != nil {
			return nil, usageError("%w", err)
		}
		for _, f := range found {
			why := c.target.Cannot(f)
			switch {
			case why == "":
				faults = append(faults, f)
			case name == "all":
				c.run.Settings[leftOut+f.Name] = why
			default:
				return nil, usageError("%s cannot be done here: %s", f.Name, why)
			}
		}
	}
	return faults, nil
}

// healthy proves that the address can be written to and that the cluster is clean.
func (c *campaign) healthy(ctx context.Context) error {
	if err := prepare(ctx, c.config.Address); err != nil {
		return err
	}
	status, err := monitor.Status(ctx, c.config)
	if err != nil {
		return startError("could not start: %w: the nodes must be reachable by --target %s", err, c.target.Name)
	}
	if why := status.Unclean(nodeNames(c.opt.nodes), c.opt.resource); len(why) > 0 {
		return startError("could not start: the cluster is not healthy: %s", strings.Join(why, "; "))
	}
	return nil
}

// resume takes up the run that --continue means, if there is one.
func (c *campaign) resume() error {
	if c.opt.campaign.goOn {
		earlier, found, err := unfinished(c.opt.outDir)
		if err != nil {
			return startError("could not start: %w", err)
		}
		if found {
			if err := c.takeUp(earlier); err != nil {
				return err
			}
			c.art.screen.tell(time.Now(), kindInfo, "the run %s goes on; %d repetitions are done", c.run.ID, len(c.run.Faults))
		}
	}
	if err := c.art.begin(c.run); err != nil {
		return startError("could not start: %w", err)
	}
	return nil
}

// askPermission lets a person decide; without a person there is no permission.
func askPermission(in *os.File, scr *screen, faults []fault.Fault, run result.Run) error {
	if _, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS); err != nil {
		return usageError("real machines are disturbed only on request: add --yes")
	}
	scr.plain(fmt.Sprintf("This interrupts the service at %s on purpose:\n", run.Address))
	for _, f := range faults {
		scr.plain(fmt.Sprintf("  %-28s %s\n", f.Name, f.Description))
	}
	scr.plain("Type yes to go on: ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return startError("nothing was done")
	}
	return nil
}

// all runs every fault once, and then every fault once more: what is cut off has about as many
// repetitions of each.
func (c *campaign) all(stop stops, faults []fault.Fault) error {
	total := len(faults) * c.opt.campaign.repeat
	for n := range c.opt.campaign.repeat {
		anything := false
		for i, f := range faults {
			if c.done(f.Name, n+1) {
				continue
			}
			anything = true
			c.art.screen.plain(fmt.Sprintf("\n%d of %d: %s, repetition %d\n", n*len(faults)+i+1, total, f.Name, n+1))
			if err := c.once(stop, f, n+1); err != nil {
				return err
			}
		}
		if !anything { // a campaign that goes on: its page is there
			continue
		}
		if err := c.art.deliver(c.run); err != nil {
			return err
		}
	}
	return nil
}

func (c *campaign) once(stop stops, f fault.Fault, number int) error {
	c.people = transcript{address: c.run.Address, damping: c.opt.threshold}
	name := runName(time.Now())
	out := c.repeat(stop.soft, stop.hard, monitor.Repetition{Fault: f, Number: number, Run: name})
	if !out.Injected {
		return c.notBegun(f, number, stop.soft.Err() != nil, out.Err)
	}
	if out.Fault.Error != "" {
		out.Fault.Unmeasured = append(out.Fault.Unmeasured, "This repetition counts as an error: "+out.Fault.Error+".")
	}
	c.run.Faults = append(c.run.Faults, out.Fault)
	c.run.Ended = time.Now()
	c.books = append(c.books, kept{name: name, book: out.Ledger, fault: len(c.run.Faults) - 1})
	c.promise()
	plain := out.Fault
	plain.Clients = withoutDots(plain.Clients)
	c.art.event(eventLine{At: c.run.Ended, Kind: "RESULT", Done: &plain})
	c.art.screen.plain(faultWords(out.Fault))
	return errors.Join(out.Err, c.art.keep(out.Fault), c.art.tables(c.run))
}

// notBegun notes a repetition whose fault was not injected.
func (c *campaign) notBegun(f fault.Fault, number int, stopped bool, err error) error {
	n := result.NotBegun{Name: f.Name, Repetition: number, At: time.Now(), Why: err.Error()}
	if stopped {
		n.Why = "the run was stopped by a signal"
	}
	c.run.NotBegun = append(c.run.NotBegun, n)
	if stopped {
		return errors.New("stopped by a signal before the run was over")
	}
	return startError("could not start %s: %w", f.Name, err)
}

// attempt tells people when the service goes and comes.
func (c *campaign) attempt(origin time.Time, a client.Attempt) {
	if l, changed := c.people.see(a); changed {
		c.art.screen.tell(origin.Add(a.Done), l.kind, "%s", l.text)
		c.art.event(eventLine{At: origin.Add(a.Done), Kind: string(l.kind), Text: l.text})
	}
}

// promise holds the writer's interruptions against what was promised.
func (c *campaign) promise() {
	if !c.terms.Objective.Given() && c.terms.MaxInterruption == 0 {
		return
	}
	var seen sla.Observation
	for _, f := range c.run.Faults {
		writer, measured := sla.Writer(f)
		if !measured {
			continue
		}
		from := seen.Length + (writer.Since - f.From).Duration()
		seen.Interruptions = append(seen.Interruptions, sla.Interruption{From: from, To: from + writer.Interruption.Duration(), Open: writer.Open})
		seen.Length += (f.To - f.From).Duration()
	}
	c.run.SLA = sla.Judge(c.terms, seen).Result()
}

// verdict is the exit status: data first, then the service, then the run itself.
func (c *campaign) verdict(ended error) error {
	for _, f := range c.run.Faults {
		for _, b := range sla.Breaches(f, 0) {
			broken := fmt.Errorf("%s, repetition %d: %s: %s", f.Name, f.Repetition, b.Kind, b.Text)
			return &failure{status: exitFailed, err: errors.Join(broken, ended)}
		}
	}
	if ended != nil {
		return ended
	}
	for _, f := range c.run.Faults {
		if f.Error != "" {
			return fmt.Errorf("%s, repetition %d: could not be measured: %s", f.Name, f.Repetition, f.Error)
		}
	}
	for _, f := range c.run.Faults {
		for _, b := range sla.Breaches(f, result.Of(c.opt.maxInterruption)) {
			return &failure{status: exitTooLong, err: fmt.Errorf("%s, repetition %d: %s", f.Name, f.Repetition, b.Text)}
		}
	}
	return nil
}
