package main

import (
	"context"
	"fmt"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/internal/crm"
)

// ask makes this node a candidate: to join the cluster if there is one, else to
// bootstrap it if the nodes elect it.
func (c *call) ask(ctx context.Context, s *crm.Status) error {
	if peer, ok := c.promotedPeer(s); ok {
		if s.Attribute(c.node, crm.ScoreName(c.resource)) == promotable {
			return nil
		}
		c.log.Info("the cluster runs; this node may join it", "peer", peer)
		return c.update(ctx, c.score(c.node, promotable))
	}
	return c.elect(ctx, s)
}

// elect lets the nodes' reports decide and tells the winner. Any node may run it,
// several at once: they see the same reports and decide alike.
func (c *call) elect(ctx context.Context, s *crm.Status) error {
	nodes := make([]bootstrap.Node, 0, len(c.nodes))
	for _, name := range c.nodes {
		if s.Attribute(name, c.attribute(attrBootstrap)) == overrideValue {
			c.log.Warn("the operator chose the node to bootstrap; no election", "node", name)
			return nil
		}
		nodes = append(nodes, c.reported(s, name))
	}
	d := bootstrap.Decide(nodes, c.circumstances(s))
	switch d.Verdict {
	case bootstrap.Elect:
		return c.appoint(ctx, s, d)
	case bootstrap.Refuse:
		c.log.Error("no node may bootstrap the cluster: " + d.Reason)
	case bootstrap.Wait:
		for _, name := range d.Missing {
			c.log.Info("Waiting on node <" + name + "> to report database status before Master instances can start.")
		}
		if len(d.Missing) == 0 {
			c.log.Info("no election: " + d.Reason)
		}
	}
	return nil
}

// appoint gives the winner its attributes, after taking them from anybody who was
// elected on older reports.
func (c *call) appoint(ctx context.Context, s *crm.Status, d bootstrap.Decision) error {
	var changes []crm.Change
	for _, name := range c.nodes {
		if name != d.Node && s.Attribute(name, c.attribute(attrBootstrap)) != "" {
			changes = append(changes, c.set(name, attrBootstrap, ""), c.score(name, ""))
		}
	}
	changes = append(changes,
		c.set(d.Node, attrBootstrap, d.Position.String()),
		c.score(d.Node, promotable))
	changes = differing(s, changes)
	if len(changes) > 0 {
		c.log.Info("elected <"+d.Node+"> to bootstrap the cluster: "+d.Reason, "position", d.Position)
	}
	return c.update(ctx, changes...)
}

func (c *call) update(ctx context.Context, changes ...crm.Change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := c.cluster.Update(ctx, changes...); err != nil {
		return fmt.Errorf("publish in the cluster: %w", err)
	}
	return nil
}

// stillElected decides again, with this node's position of this moment: between an
// election and its execution a node may have come that has more.
func (c *call) stillElected(s *crm.Status, own report) (bootstrap.Decision, bool) {
	nodes := make([]bootstrap.Node, 0, len(c.nodes))
	for _, name := range c.nodes {
		n := c.reported(s, name)
		if name == c.node {
			n.Reported, n.Position = true, own.Position
			n.NoGrastate, n.Denied, n.SafeToBootstrap, n.Interrupted = own.NoGrastate, own.Denied, own.Safe, own.Interrupted
		}
		nodes = append(nodes, n)
	}
	d := bootstrap.Decide(nodes, c.circumstances(s))
	return d, d.Verdict == bootstrap.Elect && d.Node == c.node
}

func (c *call) circumstances(s *crm.Status) bootstrap.Circumstances {
	return bootstrap.Circumstances{Quorate: s.Quorate, TwoNode: c.twoNode && len(s.Nodes) == 2}
}
