package crm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// How long a written attribute may take until the CIB shows it, and how often to
// look. Normally it is there at the second look.
const (
	settleTime  = 5 * time.Second
	settlePause = 20 * time.Millisecond
)

// acceptTime is how long the attribute manager may take to accept a change that is only
// requested. Normally it is a millisecond.
const acceptTime = 200 * time.Millisecond

// ErrNotVisible is that an attribute was written but did not appear in time.
var ErrNotVisible = errors.New("the cluster does not show the attribute yet")

// Cluster is the cluster as an agent on one node sees it.
type Cluster struct {
	run        func(ctx context.Context, name string, args ...string) ([]byte, error)
	leave      func(name string, args ...string) error            // starts a tool that outlives this process
	tell       func(ctx context.Context, changes ...Change) error // hands changes to the attribute manager
	settleTime time.Duration
	// soonShown says whether the CIB shows changes at once; false says nothing.
	soonShown func(context.Context, []Change) bool
}

// New returns the cluster that this machine is a member of.
func New() *Cluster {
	return &Cluster{run: command, leave: leave, tell: tell, settleTime: settleTime, soonShown: soonShown}
}

// Change is one attribute to write on one node. An empty Value deletes it.
type Change struct{ Node, Name, Value string }

// ScoreName is the attribute that holds a resource's promotion score
// (pcmk_promotion_score_name in lib/common/attrs.c of Pacemaker 2.1.5).
func ScoreName(resource string) string { return "master-" + resource }

// LocalNode asks the cluster what it calls this machine.
func (c *Cluster) LocalNode(ctx context.Context) (string, error) {
	out, err := c.run(ctx, "crm_node", "--name")
	if err != nil {
		return "", fmt.Errorf("ask for this node's name: %w", err)
	}
	name := strings.TrimSpace(string(out))
	if name == "" {
		return "", errors.New("ask for this node's name: crm_node answered nothing")
	}
	return name, nil
}

// Update writes the changes in their order and waits until the CIB shows them all,
// so that whoever decides next decides from them.
func (c *Cluster) Update(ctx context.Context, changes ...Change) error {
	for rest := changes; len(rest) > 0; {
		n, err := c.write(ctx, rest)
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	if len(changes) == 0 {
		return nil
	}
	return c.settle(ctx, changes)
}

// Request has a change made without waiting for its effect: the attribute manager has accepted it,
// or a tool that hands it over was started and goes on alone. An error is that neither could be.
func (c *Cluster) Request(ctx context.Context, ch Change) error {
	if c.accepted(ctx, ch) {
		return nil
	}
	args := []string{"--name", ch.Name, "--node", ch.Node}
	if ch.Value == "" {
		args = append(args, "--delete")
	} else {
		args = append(args, "--update", ch.Value)
	}
	if err := c.leave("attrd_updater", args...); err != nil {
		return fmt.Errorf("change %s on %s: %w", ch.Name, ch.Node, err)
	}
	return nil
}

// accepted hands changes to the attribute manager itself, and says whether it has taken all of them.
func (c *Cluster) accepted(ctx context.Context, changes ...Change) bool {
	ctx, cancel := context.WithTimeout(ctx, acceptTime)
	defer cancel()
	return c.tell(ctx, changes...) == nil
}

// settle waits until the CIB shows the changes: attrd answers before it has told
// the others (daemons/attrd/attrd_cib.c writes asynchronously).
func (c *Cluster) settle(ctx context.Context, changes []Change) error {
	ctx, cancel := context.WithTimeout(ctx, c.settleTime)
	defer cancel()
	if c.soonShown(ctx, changes) {
		return nil // without a process
	}
	for {
		s, err := c.Status(ctx)
		if err != nil {
			return err
		}
		missing := unsettled(s, changes)
		if missing == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s on %s: %w", missing.Name, missing.Node, ErrNotVisible)
		case <-time.After(settlePause):
		}
	}
}

// unsettled returns a change that s does not show, or nil. The last change of an
// attribute counts; a node that went offline has no attributes to show.
func unsettled(s *Status, changes []Change) *Change {
	type key struct{ node, name string }
	want := make(map[key]*Change, len(changes))
	for i := range changes {
		want[key{changes[i].Node, changes[i].Name}] = &changes[i]
	}
	for k, ch := range want {
		if s.Node(k.node).Online && s.Attribute(k.node, k.name) != ch.Value {
			return ch
		}
	}
	return nil
}

// write makes as many changes as can be made at once, and says how many those were.
func (c *Cluster) write(ctx context.Context, changes []Change) (int, error) {
	first := changes[0]
	if first.Value != "" {
		return c.writeValues(ctx, changes)
	}
	var names []string
	for _, ch := range changes {
		if ch.Value != "" || ch.Node != first.Node {
			break
		}
		names = append(names, regexp.QuoteMeta(ch.Name))
	}
	pattern := "^(" + strings.Join(names, "|") + ")$"
	_, err := c.run(ctx, "crm_attribute", "--lifetime", "reboot", "--node", first.Node, "--pattern", pattern, "--delete")
	if err != nil {
		return 0, fmt.Errorf("delete %s on %s: %w", strings.Join(names, ", "), first.Node, err)
	}
	return len(names), nil
}

// writeValues sets the values that come first, milliseconds apart: a tool for each would take as long as the node
// is busy, and Pacemaker waits for transition-delay after every one. What the attribute manager does not take from
// us, it takes from its tool.
func (c *Cluster) writeValues(ctx context.Context, changes []Change) (int, error) {
	if end := slices.IndexFunc(changes, func(ch Change) bool { return ch.Value == "" }); end >= 0 {
		changes = changes[:end]
	}
	if c.accepted(ctx, changes...) {
		return len(changes), nil
	}
	first := changes[0]
	_, err := c.run(ctx, "attrd_updater", "--name", first.Name, "--update", first.Value, "--node", first.Node)
	if err != nil {
		return 0, fmt.Errorf("set %s=%s on %s: %w", first.Name, first.Value, first.Node, err)
	}
	return 1, nil
}
