package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/pacemaker"
	"holdfast/tests/chaos/wait"
)

// Target does things to nodes; package target's.
type Target interface {
	Run(ctx context.Context, node, script string) (string, error)
	All(ctx context.Context, actions []fault.Action) ([]fault.Struck, error)
	Undo(ctx context.Context, actions []fault.Action) error
}

const (
	pollEvery   = 500 * time.Millisecond
	askDeadline = 15 * time.Second // of one question to a node by a command
	remindAfter = 15 * time.Second
)

// ErrUnclean means that a fault was not started, or its end not seen, because
// the cluster is not in order.
var ErrUnclean = errors.New("the cluster is not clean")

// Status asks the nodes for the cluster's state, until one answers.
func Status(ctx context.Context, c Config) (pacemaker.Status, error) {
	var failures []error
	for _, n := range c.Nodes {
		asked, cancel := context.WithTimeout(ctx, askDeadline)
		text, err := c.Target.Run(asked, n.Name, "crm_mon -1 --output-as=xml")
		cancel()
		if err == nil {
			return pacemaker.Parse(text)
		}
		failures = append(failures, fmt.Errorf("%s: %w", n.Name, err))
		if ctx.Err() != nil {
			break
		}
	}
	return pacemaker.Status{}, fmt.Errorf("no node answers: %w", errors.Join(failures...))
}

func (c Config) names() []string {
	names := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		names[i] = n.Name
	}
	return names
}

// dirt says why the cluster is not clean; nothing when it is. A node is asked for Pacemaker's state
// only when the databases are settled: crm_mon costs the nodes something while they recover.
func (o *observation) dirt(ctx context.Context) []string {
	why := o.unsettled()
	if len(why) > 0 {
		return why
	}
	status, err := Status(ctx, o.config)
	if err != nil {
		return append(why, err.Error())
	}
	o.fenced = status.Fenced()
	if silence, served := o.steady(0); !served {
		why = append(why, fmt.Sprintf("the writer is not served (steady for %v)", silence))
	}
	return append(why, status.Unclean(o.config.names(), o.config.Resource)...)
}

// awaitHealed waits until every node is promoted again, and returns when; false
// when it was not seen.
func (o *observation) awaitHealed(ctx context.Context) (time.Duration, bool) {
	healed := o.await(ctx, "every node to be promoted", o.config.Heal, func(ctx context.Context) []string {
		if why := o.unsettled(); len(why) > 0 {
			return why
		}
		status, err := Status(ctx, o.config)
		if err != nil {
			return []string{err.Error()}
		}
		if missing := missing(o.config.names(), status.Promoted()); len(missing) > 0 {
			return []string{"the database is not promoted on " + strings.Join(missing, ", ")}
		}
		return nil
	})
	return o.now(), healed == nil
}

func missing(wanted, there []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(n string) bool { return slices.Contains(there, n) })
}

// awaitClean waits for a cluster in which nothing is out of order. What failed
// before is forgotten first when the caller caused it.
func (o *observation) awaitClean(ctx context.Context, limit time.Duration, forget bool) error {
	return o.await(ctx, "a clean cluster", limit, func(ctx context.Context) []string {
		why := o.dirt(ctx)
		if forget && len(why) > 0 {
			asked, cancel := context.WithTimeout(ctx, askDeadline)
			defer cancel()
			if _, err := o.config.Target.Run(asked, o.config.Nodes[0].Name, "crm_resource --cleanup"); err != nil {
				why = append(why, err.Error())
			}
			forget = len(why) > 0
		}
		return why
	})
}

// await asks until nothing is left to wait for, at most for limit.
func (o *observation) await(ctx context.Context, what string, limit time.Duration, left func(context.Context) []string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start, told := time.Now(), time.Now()
	for {
		why := left(ctx)
		if len(why) == 0 {
			return nil
		}
		if time.Since(told) >= remindAfter {
			told = time.Now()
			o.config.Tell(Event{At: told, Kind: KindWait, Text: fmt.Sprintf("for %s (%.0f s): %s", what, time.Since(start).Seconds(), strings.Join(why, "; "))})
		}
		if !wait.For(ctx, pollEvery) {
			return fmt.Errorf("%w: waited %.0f s for %s: %s", ErrUnclean, time.Since(start).Seconds(), what, strings.Join(why, "; "))
		}
	}
}
