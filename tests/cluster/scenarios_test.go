//go:build lab

package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast/tests/lab"
)

// scenarios are what the author of the heartbeat agent tests his own with (ra-tester's
// galera scenarios), as far as MariaDB 10.11 still has the case. Those that need a debugger
// inside a prepared transaction do not: it is immune to them. What the agents promise beyond
// those follows.
func scenarios(t *testing.T, f *fixture) {
	for _, part := range []struct {
		name string
		do   func(*testing.T, *fixture)
	}{
		{"a node without grastate.dat does not bootstrap", noGrastateOnOne},
		{"a bootstrap forced by hand", forcedBootstrap},
		{"a stop forced by hand is repaired", forcedStop},
		{"a shut down database is started again", shutDownByHand},
		{"an unmanaged database is left alone and watched", unmanaged},
		{"the database dies while it receives its state", killedJoiner},
		{"a state transfer takes longer than the promotion may", longTransfer},
		{"accounts are made while a node joins with a full copy", accountsWhileJoining},
		{"a desynced node is named", donorIsNamed},
		{"one node lacks the interface of an address", missingInterface},
		{"pcs asks the agents what is wrong", agentValidation},
		{"crmsh", crmsh},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.do(t, f) }) {
			t.Fatalf("the cluster's life ends with %q", part.name)
		}
	}
}

// noGrastateOnOne takes the file from a node that is not further than the others: one
// that is may bootstrap without it.
func noGrastateOnOne(t *testing.T, f *fixture) {
	f.stopDatabases(t)
	victim, least := "", ""
	for _, node := range names() {
		seqno := strings.TrimSpace(f.run(t, node, "sed", "-n", "s/^seqno: *//p", grastate))
		if victim == "" || len(seqno) < len(least) || len(seqno) == len(least) && seqno < least {
			victim, least = node, seqno
		}
	}
	f.run(t, victim, "rm", grastate)
	since := strings.TrimSpace(f.run(t, victim, "date", "+%F %T"))
	f.startDatabases(t)
	started := f.run(t, victim, "journalctl", "--since", since, "-u", "mariadb.service", "-o", "cat", "--no-pager")
	if strings.Contains(started, "gcomm bootstrap: 1") || strings.Contains(started, "start_prim is enabled") {
		t.Errorf("%s, which had lost its grastate.dat, bootstrapped:\n%s", victim, started)
	}
}

// forcedBootstrap is the documented override of the heartbeat agent: with the
// resource unmanaged, the operator names the node and promotes it by hand.
func forcedBootstrap(t *testing.T, f *fixture) {
	f.stopDatabases(t)
	f.run(t, "db1", "pcs", "resource", "ban", "galera-clone", "db1")
	f.run(t, "db1", "pcs", "resource", "ban", "galera-clone", "db3")
	f.run(t, "db1", "pcs", "resource", "enable", "galera-clone", "--wait=120")
	f.run(t, "db1", "pcs", "resource", "unmanage", "galera")
	f.run(t, "db2", "crm_attribute", "--lifetime", "reboot", "--node", "db2", "--name", "galera-bootstrap", "--update", "true")
	f.run(t, "db2", "crm_attribute", "--lifetime", "reboot", "--node", "db2", "--name", "master-galera", "--update", "100")
	f.run(t, "db2", "crm_resource", "--force-promote", "-r", "galera")
	f.waitSize(t, "db2", 1)
	for _, name := range []string{"last-committed", "bootstrap", "no-grastate"} {
		if value := f.attribute(t.Context(), "db2", "galera-"+name); value != "" {
			t.Errorf("db2 still has galera-%s=%s after its bootstrap", name, value)
		}
	}
	f.run(t, "db1", "pcs", "resource", "refresh", "galera")
	f.waitFor(t, "db1", "the probe to find db2 promoted", func(s status) bool { return slices.Equal(s.promoted(), []string{"db2"}) })
	f.run(t, "db1", "pcs", "resource", "clear", "galera-clone")
	f.run(t, "db1", "pcs", "resource", "manage", "galera")
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	f.wantDays(t, 1)
}

// forcedStop: what Pacemaker sees first decides how it is repaired, the failed monitor or
// the promotion score that the stop has taken back; that it is repaired is what counts.
func forcedStop(t *testing.T, f *fixture) {
	before := f.databasePIDs(t)["db2"]
	f.run(t, "db2", "crm_resource", "--force-stop", "-r", "galera")
	err := lab.WaitFor(t.Context(), settle, "a new database process on db2", func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, "db2", "systemctl", "show", "--property=MainPID", "--value", "mariadb.service")
		pid := strings.TrimSpace(out)
		return fmt.Sprintf("process %s, was %s", pid, before), err == nil && pid != "0" && pid != before
	})
	if err != nil {
		t.Fatal(err)
	}
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	f.wantNoElection(t)
	f.run(t, "db1", "pcs", "resource", "cleanup")
}

func shutDownByHand(t *testing.T, f *fixture) {
	before := f.databasePIDs(t)["db3"]
	f.run(t, "db3", "mariadb-admin", "shutdown")
	f.waitFor(t, "db1", "a failed monitor on db3", func(s status) bool { return len(s.reasons("db3")) > 0 })
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	if after := f.databasePIDs(t)["db3"]; after == before {
		t.Errorf("the database on db3 is still process %s, which was shut down", after)
	}
	f.run(t, "db1", "pcs", "resource", "cleanup")
}

// unmanaged: the failure is shown but not acted on; and when an operator has started
// the database again by hand, the next monitor finds it promoted.
func unmanaged(t *testing.T, f *fixture) {
	f.run(t, "db1", "pcs", "resource", "unmanage", "galera")
	f.run(t, "db2", "mariadb-admin", "shutdown")
	// Pacemaker counts no failure of what it does not manage; it shows it as stopped.
	f.waitFor(t, "db1", "the database to be seen down on db2", func(s status) bool { return !slices.Contains(s.promoted(), "db2") })
	if out, err := f.Exec(t.Context(), "db2", "systemctl", "is-active", "mariadb.service"); err == nil {
		t.Errorf("the database was started although it is not managed: %s", out)
	}
	f.run(t, "db2", "systemctl", "start", "mariadb.service")
	f.waitSynced(t)
	f.run(t, "db1", "pcs", "resource", "cleanup", "galera")
	f.waitFor(t, "db1", "the monitor to find db2 promoted", func(s status) bool { return slices.Contains(s.promoted(), "db2") })
	f.run(t, "db1", "pcs", "resource", "manage", "galera")
	f.waitHealthy(t, "db1")
	f.noFailures(t)
}

// killedJoiner: a full copy that ends in the middle must be begun again, the donor must come
// out of it unharmed, and the log must say what happened. Pacemaker hears of no failure: one of
// start would ban the node, so the promotion joins instead.
func killedJoiner(t *testing.T, f *fixture) {
	f.sql(t, "db1", "CREATE TABLE life.ballast (n INT PRIMARY KEY, stuff LONGBLOB)")
	for n := range 8 { // 100 MB, so that the copy takes a while
		f.sql(t, "db1", fmt.Sprintf("INSERT INTO life.ballast SELECT %d, REPEAT(MD5(RAND()), 400000)", n))
	}
	f.standby(t, "db3")
	f.forgetData(t, "db3")
	f.run(t, "db1", "pcs", "node", "unstandby", "db3")
	killed := f.killReceiver(t, "db3")
	err := lab.WaitFor(t.Context(), settle, "the log of db3 to say that the join failed", func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, "db3", "grep", "-E", "could not join the cluster|ended while joining", "/var/log/pacemaker/pacemaker.log")
		return out, err == nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s := f.waitHealthy(t, "db1")
	if now := f.databasePIDs(t)["db3"]; now == killed {
		t.Errorf("the database on db3 is still process %s, which was killed", now)
	}
	for _, donor := range []string{"db1", "db2"} {
		if reasons := s.reasons(donor); len(reasons) > 0 {
			t.Errorf("the donor's side failed too, on %s: %q", donor, reasons)
		}
	}
	f.waitSynced(t)
	f.wantDays(t, 1)
	f.run(t, "db1", "pcs", "resource", "cleanup")
}
