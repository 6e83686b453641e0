package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

// start makes the node ready to be promoted. If there is a cluster, its server joins it
// (startJoining); else the server does not run after it, and the node publishes how far its
// data got, for an election.
func (c *call) start(ctx context.Context) (ocf.Code, error) {
	if err := c.validate(ctx, deepCheck); err != nil {
		return 0, err
	}
	if c.joinGoesOn(ctx) {
		return ocf.Success, nil
	}
	if err := c.prepareDirectories(); err != nil {
		return 0, err
	}
	if err := c.refuseRunning(ctx); err != nil {
		return 0, err
	}
	if err := c.create(ctx); err != nil {
		return 0, err
	}
	if err := c.server.Prepare(ctx, c.launch()); err != nil {
		return 0, err
	}
	if err := c.forgetNotes(); err != nil {
		return 0, err
	}
	if err := c.dropTorn(ctx); err != nil {
		return 0, err
	}
	r, err := c.findPosition(ctx)
	if err != nil {
		return 0, err
	}
	c.log.Info("this node's database", "position", r.Position, "safe_to_bootstrap", r.Safe, "no_grastate", r.NoGrastate)
	if err := c.publish(ctx, r); err != nil {
		return 0, err
	}
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return 0, err
	}
	if peer, ok := c.promotedPeer(s); ok && c.everyNodeIsPromoted() {
		return c.startJoining(ctx, peer, r)
	}
	if err := c.ask(ctx, s); err != nil {
		return 0, err
	}
	return ocf.Success, nil
}

// forgetNotes takes back what an earlier life of the resource has left when its stop was killed:
// what it recovered may be of another datadir, and a score that it withdrew or a crash that it
// saw is not of this one.
func (c *call) forgetNotes() error {
	var errs []error
	for _, note := range []string{noteRecovered, noteWithdrawn, noteCrashed} {
		errs = append(errs, c.files.SaveNote(note, ""))
	}
	return errors.Join(errs...)
}

// create makes the database of a node that has none, if enable_creation says so.
func (c *call) create(ctx context.Context) error {
	if !c.creation || c.files.Initialised() {
		return nil
	}
	c.log.Info("creating a new database, because enable_creation is set", "datadir", c.datadir)
	if err := c.server.Create(ctx, c.launch()); err != nil {
		return fmt.Errorf("create a database in %s: %w", c.datadir, err)
	}
	return nil
}

// publish reports the position and takes back what an earlier life left: a score
// or an election of that time says nothing about this one.
func (c *call) publish(ctx context.Context, r report) error {
	s, err := c.cluster.Status(ctx)
	if err != nil {
		return err
	}
	var changes []crm.Change
	override := s.Attribute(c.node, c.attribute(attrBootstrap)) == overrideValue
	if !override {
		changes = append(changes, c.set(c.node, attrBootstrap, ""), c.score(c.node, ""))
	}
	return c.update(ctx, differing(s, append(changes, c.publication(r)...))...)
}

// refuseRunning fails if a server runs already: the cluster did not start it and
// cannot know what it does.
func (c *call) refuseRunning(ctx context.Context) error {
	state, err := c.server.State(ctx)
	if err != nil {
		return installed(err)
	}
	if state.Down() {
		return c.refuseStray(ctx)
	}
	c.log.Error("master galera instance started outside of the cluster's control")
	return ocf.Errorf(ocf.ErrGeneric, "mariadb.service is %s outside of the cluster's control; run: systemctl stop mariadb", state.Active)
}

// refuseStray fails if somebody started a server on our datadir without systemd.
func (c *call) refuseStray(ctx context.Context) error {
	pid, err := c.server.Stray(ctx)
	if err != nil || pid == 0 {
		return err
	}
	c.log.Error("master galera instance started outside of the cluster's control")
	return ocf.Errorf(ocf.ErrGeneric, "a server runs in %s outside of the cluster's control; end process %d with: mariadb-admin shutdown", c.datadir, pid)
}

// listed fails if this node is none of those in the cluster address.
func (c *call) listed() error {
	if _, mapped := c.hosts[c.node]; len(c.hosts) > 0 && !mapped {
		return ocf.Errorf(ocf.ErrConfigured, "cluster_host_map has no entry for %s; add %s:<its name in wsrep_cluster_address>", c.node, c.node)
	}
	if slices.Contains(c.nodes, c.node) {
		return nil
	}
	return ocf.Errorf(ocf.ErrConfigured, "%s is not in wsrep_cluster_address (%s); add it, or map it by cluster_host_map", c.node, c.address)
}
