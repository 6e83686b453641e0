package main

import (
	"context"
	"errors"
	"path/filepath"

	"holdfast/ocf"
)

// deepCheck is the OCF_CHECK_LEVEL at which validate-all also looks at what only
// Pacemaker passes: pcs validates parameters without any of that.
const deepCheck = 10

func (c *call) validateAll(ctx context.Context) (ocf.Code, error) {
	if err := c.validate(ctx, c.req.CheckLevel); err != nil {
		return 0, err
	}
	return ocf.Success, nil
}

// validate checks what the parameters point to. The parameters' own form was
// checked before the action began.
func (c *call) validate(ctx context.Context, level int) error {
	if level >= deepCheck {
		if !c.req.Meta.Promotable() {
			return ocf.Errorf(ocf.ErrConfigured, "%s is not a promotable clone; create it with: pcs resource create ... promotable", c.resource)
		}
		if err := c.identify(ctx); err != nil {
			return err
		}
		if err := c.listed(); err != nil {
			return err
		}
	}
	if err := c.installedFiles(); err != nil {
		return err
	}
	state, err := c.server.State(ctx)
	if err != nil {
		return installed(err)
	}
	if state.Enabled {
		c.log.Warn("mariadb.service is enabled, so systemd starts it behind the cluster's back; run: systemctl disable mariadb")
	}
	return nil
}

// installed gives a missing unit the status of software that is not installed.
func installed(err error) error {
	if errors.Is(err, ErrNoUnit) {
		return &ocf.Error{Code: ocf.ErrInstalled, Reason: err.Error(), Err: err}
	}
	return err
}

func (c *call) installedFiles() error {
	switch {
	case !c.host.Executable(c.binary):
		return ocf.Errorf(ocf.ErrInstalled, "binary=%q is not an executable file; install mariadb-server or set binary", c.binary)
	case c.client != "" && !c.host.Executable(c.client):
		return ocf.Errorf(ocf.ErrInstalled, "client_binary=%q is not an executable file; install mariadb-client or unset it", c.client)
	case !c.host.RegularFile(c.config):
		return ocf.Errorf(ocf.ErrInstalled, "config=%q is not a file; create it or set config", c.config)
	case !c.host.Directory(c.datadir):
		return ocf.Errorf(ocf.ErrInstalled, "datadir=%q is not a directory; create it or set datadir", c.datadir)
	case !c.host.User(c.user):
		return ocf.Errorf(ocf.ErrInstalled, "user=%q does not exist; create it or set user", c.user)
	case !c.host.Group(c.group):
		return ocf.Errorf(ocf.ErrInstalled, "group=%q does not exist; create it or set group", c.group)
	}
	return nil
}

// prepareDirectories makes sure that the server can write where it must.
func (c *call) prepareDirectories() error {
	dirs := []string{filepath.Dir(c.pid), filepath.Dir(c.socket), c.datadir}
	if c.logFile != "" {
		dirs = append(dirs, filepath.Dir(c.logFile))
	}
	for _, dir := range dirs {
		if err := c.host.PrepareDirectory(dir, c.user, c.group); err != nil {
			return &ocf.Error{Code: ocf.ErrPerm, Reason: err.Error(), Err: err}
		}
	}
	return nil
}
