package main

import (
	"strings"
	"testing"
	"time"

	"holdfast/ocf"
)

// TestExitCodes is the table of the exit statuses of ocf:heartbeat:galera on
// Debian 12, and a sentence that names the parameter, the value and the remedy.
func TestExitCodes(t *testing.T) {
	const none = ocf.Code(-1) // not asked
	lose := func(what string) func(*machine) {
		return func(n *machine) { n.missing = map[string]bool{what: true} }
	}
	for name, c := range map[string]struct {
		env                            string
		broken                         func(*machine)
		start, monitor, stop, validate ocf.Code
		reason                         string
	}{
		"no address": {env: "OCF_RESKEY_wsrep_cluster_address=", start: 6, monitor: 7, stop: 0, validate: 6,
			reason: "wsrep_cluster_address is not set"},
		"address of nobody": {env: "OCF_RESKEY_wsrep_cluster_address=gcomm://", start: 6, monitor: 7, stop: 0, validate: 6,
			reason: "lists no node"},
		"not promotable": {env: "OCF_RESKEY_CRM_meta_promoted_max=", start: 6, monitor: 7, stop: 0, validate: 0,
			reason: "galera is not a promotable clone"},
		"binary": {env: "OCF_RESKEY_binary=/no/mariadbd", broken: lose("/no/mariadbd"), start: 5, monitor: 7, stop: 0, validate: 5,
			reason: `binary="/no/mariadbd"`},
		"client": {env: "OCF_RESKEY_client_binary=/no/mysql", broken: lose("/no/mysql"), start: 5, monitor: 7, stop: 0, validate: 5,
			reason: `client_binary="/no/mysql"`},
		"config":    {broken: lose("/etc/mysql/my.cnf"), start: 5, monitor: 7, stop: 0, validate: 5, reason: `config="/etc/mysql/my.cnf"`},
		"datadir":   {broken: lose("/var/lib/mysql"), start: 5, monitor: 7, stop: 0, validate: 5, reason: `datadir="/var/lib/mysql"`},
		"user":      {broken: lose("user mysql"), start: 5, monitor: 7, stop: 0, validate: 5, reason: `user="mysql"`},
		"group":     {broken: lose("group mysql"), start: 5, monitor: 7, stop: 0, validate: 5, reason: `group="mysql"`},
		"no server": {broken: func(n *machine) { n.noUnit = true }, start: 5, monitor: 7, stop: 0, validate: 5, reason: "mariadb.service is not installed"},
		"node is not listed": {env: "OCF_RESKEY_wsrep_cluster_address=gcomm://db2,db3", start: 6, monitor: 7, stop: 0, validate: 0,
			reason: "db1 is not in wsrep_cluster_address (gcomm://db2,db3)"},
		"a name is no substring match": {env: "OCF_RESKEY_wsrep_cluster_address=gcomm://db10,db2", start: 6, monitor: 7, stop: 0, validate: 0,
			reason: "db1 is not in"},
		"host map lacks the node": {env: "OCF_RESKEY_cluster_host_map=db2:g2;db3:g3", start: 6, monitor: 7, stop: 0, validate: 0,
			reason: "cluster_host_map has no entry for db1"},
		"directory not writable": {broken: func(n *machine) { n.readOnly = map[string]bool{"/run/mysqld": true} }, start: 4, monitor: 7, stop: 0, validate: 0,
			reason: "user mysql cannot write in /run/mysqld"},
		"bad boolean": {env: "OCF_RESKEY_two_node_mode=perhaps", start: 6, monitor: 7, stop: 0, validate: 6,
			reason: `two_node_mode="perhaps"`},
		"no position": {broken: func(n *machine) { n.recoverAs = "[ERROR] mariadbd: unknown variable 'x=1'\n" }, start: 1, monitor: none, stop: 0, validate: 0,
			reason: "no position from the database: unknown variable 'x=1'"},
		"replication is off": {broken: func(n *machine) { n.recoverAs = "WSREP: skipping position recovery\n" }, start: 1, monitor: none, stop: 0, validate: 0,
			reason: "set wsrep_on=ON"},
		"server already runs": {broken: func(n *machine) { n.running, n.primary = true, true }, start: 1, monitor: 8, stop: 0, validate: 0,
			reason: "outside of the cluster's control"},
		"all is well": {start: 0, monitor: 7, stop: 0, validate: 0},
	} {
		t.Run(name, func(t *testing.T) {
			for action, want := range map[string]ocf.Code{"start": c.start, "monitor": c.monitor, "stop": c.stop, "validate-all": c.validate} {
				if want == none {
					continue
				}
				s := newSite(t)
				if c.broken != nil {
					c.broken(s.node("db1"))
				}
				code, reason := s.act("db1", action, c.env)
				if code != want {
					t.Errorf("%s: %v, want %v (%s)", action, code, want, reason)
				}
				if action == "start" && !strings.Contains(reason, c.reason) {
					t.Errorf("start says %q, want %q in it", reason, c.reason)
				}
				if len(reason) > 128 {
					t.Errorf("%s: a reason of %d characters is cut by Pacemaker: %s", action, len(reason), reason)
				}
			}
		})
	}
}

func TestMonitorOfARunningServer(t *testing.T) {
	for name, c := range map[string]struct {
		state  func(*machine)
		want   ocf.Code
		reason string
	}{
		"primary":            {func(*machine) {}, ocf.RunningPromoted, ""},
		"non-primary":        {func(n *machine) { n.primary = false }, ocf.ErrGeneric, "db1 is started, but not in primary mode (wsrep_cluster_status=non-Primary)"},
		"hung":               {func(n *machine) { n.hung = true }, ocf.ErrGeneric, "mariadb.service hangs"},
		"frozen":             {func(n *machine) { n.hung, n.frozen = true, true }, ocf.ErrGeneric, "is stopped by a signal"},
		"slow":               {func(n *machine) { n.slow = 1 }, ocf.RunningPromoted, ""},
		"busy":               {func(n *machine) { n.busy = 3 }, ocf.RunningPromoted, ""},
		"too busy":           {func(n *machine) { n.busy = 1 << 30 }, ocf.ErrGeneric, "none of its connections became free"},
		"apart for a moment": {func(n *machine) { n.parted = 3 }, ocf.RunningPromoted, ""},
		"apart":              {func(n *machine) { n.parted = 1 << 30 }, ocf.ErrGeneric, "not in primary mode"},
		"disk full":          {func(n *machine) { n.free = 1 << 20 }, ocf.RunningPromoted, ""},
		"slow twice":         {func(n *machine) { n.slow = 2 }, ocf.RunningPromoted, ""},
		"too slow":           {func(n *machine) { n.slow = 3 }, ocf.ErrGeneric, "mariadb.service hangs"},
		"crashed, with a log elsewhere": {func(n *machine) { n.kill(); n.result = "signal" }, ocf.NotRunning,
			"mariadb.service crashed (signal); see"},
		"crashed": {func(n *machine) {
			n.kill()
			n.result, n.written = "signal", time.Date(2026, 11, 23, 12, 0, 0, 4e6, time.UTC)
		}, ocf.NotRunning, "mariadb.service crashed (signal), and its last write was at 2026-11-23T12:00:00.004Z; see"},
		"stopped by somebody": {func(n *machine) { n.kill(); n.result = "success" }, ocf.NotRunning,
			"mariadb.service was stopped in order, but not by the cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.pacemaker()
			c.state(s.node("db1"))
			code, reason := s.act("db1", "monitor", "OCF_RESKEY_CRM_meta_timeout=3000")
			if code != c.want || !strings.Contains(reason, c.reason) {
				t.Errorf("%v %q, want %v %q", code, reason, c.want, c.reason)
			}
		})
	}
}

// A server that somebody started without systemd keeps the cluster's own from starting,
// and a probe from taking the node for stopped.
func TestStrayServer(t *testing.T) {
	s := newSite(t)
	s.node("db1").stray = 4711
	for _, action := range [][]string{{"start"}, {"monitor", "OCF_RESKEY_CRM_meta_interval=0"}} {
		code, reason := s.act("db1", action[0], action[1:]...)
		if code != ocf.ErrGeneric || !strings.Contains(reason, "end process 4711") {
			t.Errorf("%v: %v %q", action, code, reason)
		}
	}
}

func TestProbeRestoresTheScore(t *testing.T) {
	s := newSite(t)
	s.pacemaker()
	delete(s.attrs["db1"], "master-galera")
	if code, _ := s.act("db1", "monitor", "OCF_RESKEY_CRM_meta_interval=0"); code != ocf.RunningPromoted {
		t.Fatalf("probe: %v", code)
	}
	if got := s.attrs["db1"]["master-galera"]; got != "100" {
		t.Errorf("score %q", got)
	}
}

func TestActionsAreIdempotent(t *testing.T) {
	s := newSite(t)
	for range 2 {
		for _, n := range s.nodes {
			if code, reason := s.act(n.name, "start"); code != ocf.Success {
				t.Fatalf("start of %s: %v %s", n.name, code, reason)
			}
			n.role = "Unpromoted"
		}
	}
	for range 2 {
		if code, reason := s.act("db3", "promote"); code != ocf.Success || !s.node("db3").running {
			t.Fatalf("promote: %v %s", code, reason)
		}
		s.node("db3").role = "Promoted"
	}
	if s.founded != 1 {
		t.Errorf("bootstrapped %d times", s.founded)
	}
	for _, action := range []string{"demote", "demote", "stop", "stop"} {
		if code, reason := s.act("db3", action); code != ocf.Success {
			t.Fatalf("%s: %v %s", action, code, reason)
		}
	}
	if len(s.attrs["db3"]) > 0 {
		t.Errorf("left behind: %v", s.attrs["db3"])
	}
}

// A node with a wrong setting says so in one sentence.
func TestFailedStartNamesTheCause(t *testing.T) {
	s := newSite(t)
	s.node("db3").broken = "unknown variable 'no_such_setting=1'"
	for _, n := range s.nodes {
		s.act(n.name, "start")
		n.role = "Unpromoted"
	}
	code, reason := s.act("db3", "promote")
	if code != ocf.ErrGeneric || reason != "mariadb: unknown variable 'no_such_setting=1'" {
		t.Errorf("%v %q", code, reason)
	}
	if order := s.node("db3").order; order.NewCluster {
		t.Error("the order to bootstrap is left behind")
	}
}

// An order that a killed agent left behind must not survive any other action.
func TestLeftoverOrderIsTakenBack(t *testing.T) {
	for _, action := range []string{"start", "stop", "demote"} {
		s := newSite(t)
		s.node("db1").order = Boot{NewCluster: true}
		if code, reason := s.act("db1", action); code != ocf.Success {
			t.Fatalf("%s: %v %s", action, code, reason)
		}
		if s.node("db1").order.NewCluster {
			t.Errorf("%s leaves the order to bootstrap", action)
		}
	}
}

func TestBadGrastateIsRecovered(t *testing.T) {
	for name, text := range map[string]string{
		"missing": "", "torn": "# GALERA saved state\nversion: 2.1\nuu", "zero": "# GALERA saved state\nversion: 2.1\nuuid: 00000000-0000-0000-0000-000000000000\nseqno: -1\nsafe_to_bootstrap: 0\n",
	} {
		s := newSite(t)
		n := s.node("db1")
		n.crashed(historyA, 10)
		n.grastate = text
		s.act("db1", "start")
		if got := s.attrs["db1"]["galera-position"]; got != historyA+":10" {
			t.Errorf("%s: position %q", name, got)
		}
		if got := s.attrs["db1"]["galera-no-grastate"]; got != "true" {
			t.Errorf("%s: Galera would not go on from this, but no-grastate is %q", name, got)
		}
	}
}
