package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/sla"
	"holdfast/tests/chaos/target"
)

// campaignOptions are those of the faults from the catalogue.
type campaignOptions struct {
	repeat    int
	target    string
	inventory string
	labctl    string
	yes       bool
	goOn      bool          // with the run in --out
	own       string        // file of faults of one's own
	catalogue []fault.Fault // theirs and ours
}

// campaignFlags defines them.
func (o *options) campaignFlags(set *flag.FlagSet) {
	c := &o.campaign
	set.IntVar(&c.repeat, "repeat", 1, "")
	set.StringVar(&c.target, "target", "", "")
	set.StringVar(&c.inventory, "inventory", "", "")
	set.StringVar(&c.labctl, "labctl", "labctl", "")
	set.BoolVar(&c.yes, "yes", false, "")
	set.BoolVar(&c.goOn, "continue", false, "")
	set.StringVar(&c.own, "catalogue", "", "")
	set.StringVar(&o.resource, "address-resource", "vip", "")
	set.DurationVar(&o.direct, "direct", 50*time.Millisecond, "")
	set.DurationVar(&o.sample, "sample", 20*time.Millisecond, "")
	set.DurationVar(&o.arp, "arp", 10*time.Millisecond, "")
	set.DurationVar(&o.heal, "heal", 4*time.Minute, "")
	set.DurationVar(&o.doubled, "max-doubled", 5*time.Second, "")
	set.StringVar(&o.outDir, "out", "", "")
	set.StringVar(&o.undoFile, "undo-file", defaultUndoFile(), "")
	o.promiseFlags(set)
}

// defaultWindow is what an objective is meant for when nothing is said.
const defaultWindow = "30d"

func (o *options) promiseFlags(set *flag.FlagSet) {
	set.StringVar(&o.objective, "objective", "", "")
	set.StringVar(&o.window, "window", defaultWindow, "")
}

// defaultUndoFile is in a directory that nobody else can write to, because what
// stands in the file is executed.
func defaultUndoFile() string {
	if os.Geteuid() == 0 {
		return "/var/lib/holdfast-chaos/undo.json"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "undo.json"
	}
	return filepath.Join(home, ".local/state/holdfast-chaos/undo.json")
}

// terms are what was promised.
func (o *options) terms() (sla.Terms, error) {
	terms := sla.Terms{MaxInterruption: o.maxInterruption}
	if o.objective == "" {
		if o.window != defaultWindow {
			return terms, usageError("--window %s says nothing without --objective: give the share of it with service, like 99.95%%", o.window)
		}
		return terms, nil
	}
	var err error
	if terms.Objective, err = sla.ParseObjective(o.objective); err != nil {
		return terms, usageError("--objective: %w", err)
	}
	if terms.Window, err = sla.ParseWindow(o.window); err != nil {
		return terms, usageError("--window: %w", err)
	}
	return terms, nil
}

// checkCampaign checks what belongs to faults from the catalogue.
func (o *options) checkCampaign() error {
	if _, err := o.terms(); err != nil {
		return err
	}
	if len(o.faults) == 0 {
		return nil
	}
	if err := o.campaign.readCatalogue(); err != nil {
		return err
	}
	c := o.campaign
	if _, err := fault.Find(c.catalogue, o.faults); err != nil {
		return usageError("%w", err)
	}
	switch {
	case len(o.fault) > 0:
		return usageError("%q and a command exclude each other: give names of faults or, behind --, a command", o.faults[0])
	case c.repeat < 1:
		return usageError("--repeat is %d: give how often each fault is done, 1 or more", c.repeat)
	case c.goOn && o.outDir == "":
		return usageError("--continue needs --out: give the directory of the run that was cut off")
	case o.noVerify || o.duration > 0:
		return usageError("--no-verify and --duration do not go with faults of the catalogue: each is verified and ends by itself")
	case len(o.nodes) < 3:
		return usageError("--node is given %d times: faults need at least three nodes", len(o.nodes))
	case c.target != "lab" && c.target != "ssh":
		return usageError("--target is %q: give lab or ssh", c.target)
	case c.target == "ssh" && c.inventory == "":
		return usageError("--inventory is missing: give the file that says how to reach the machines; chaos(8) describes it")
	}
	for name, d := range map[string]time.Duration{"direct": o.direct, "sample": o.sample, "arp": o.arp, "heal": o.heal, "max-doubled": o.doubled} {
		if d < time.Millisecond {
			return usageError("--%s is %v: give a duration of 1ms or more", name, d)
		}
	}
	return nil
}

// readCatalogue adds the faults of one's own to ours.
func (c *campaignOptions) readCatalogue() error {
	c.catalogue = fault.Catalogue()
	if c.own == "" {
		return nil
	}
	file, err := os.Open(c.own)
	if err != nil {
		return usageError("--catalogue: %w", err)
	}
	defer file.Close()
	own, err := fault.Parse(file)
	if err != nil {
		return usageError("--catalogue %s: %w", c.own, err)
	}
	for _, f := range own {
		if slices.Contains(fault.Names(c.catalogue), f.Name) {
			return usageError("--catalogue %s: there is a fault %q already: give yours another name", c.own, f.Name)
		}
		c.catalogue = append(c.catalogue, f)
	}
	return nil
}

// reach makes the target; injected is what an undo file must know of it.
func (o *options) reach() (target.Target, target.Injected, error) {
	c := o.campaign
	if c.target == "lab" {
		labctl := strings.Fields(c.labctl)
		if len(labctl) == 0 {
			return target.Target{}, target.Injected{}, usageError("--labctl is empty: give the path of labctl")
		}
		// The undo file may be read in another directory.
		if path, err := filepath.Abs(labctl[0]); err == nil && strings.Contains(labctl[0], "/") {
			labctl[0] = path
		}
		injected := target.Injected{Target: c.target, Labctl: labctl}
		t, err := reachAgain(injected)
		return t, injected, err
	}
	path, err := filepath.Abs(c.inventory)
	if err != nil {
		return target.Target{}, target.Injected{}, usageError("--inventory: %w", err)
	}
	injected := target.Injected{Target: c.target, Inventory: path}
	t, err := reachAgain(injected)
	if err != nil {
		return t, injected, err
	}
	return t, injected, nil
}

// reachAgain makes the target that an undo file names.
func reachAgain(i target.Injected) (target.Target, error) {
	if i.Target == "lab" {
		return target.Lab(i.Labctl...), nil
	}
	file, err := os.Open(i.Inventory)
	if err != nil {
		return target.Target{}, usageError("--inventory: %w", err)
	}
	defer file.Close()
	inv, err := target.ParseInventory(file)
	if err != nil {
		return target.Target{}, usageError("--inventory %s: %w", i.Inventory, err)
	}
	return target.SSH(inv), nil
}
