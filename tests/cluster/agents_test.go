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

// longTransfer makes a whole copy last longer than the promotion may: on the donor it waits
// where wsrep_sst_mariabackup has its compressor.
func longTransfer(t *testing.T, f *fixture) {
	f.standby(t, "db3")
	f.forgetData(t, "db3")
	for _, donor := range []string{"db1", "db2"} {
		f.run(t, donor, "sh", "-c", `printf '#!/bin/sh\nuntil [ -e /run/send-copy ]; do sleep 0.2; done\nexec cat\n' > /usr/local/bin/hold-copy
			chmod 755 /usr/local/bin/hold-copy
			printf '[sst]\ncompressor=/usr/local/bin/hold-copy\n' > /etc/mysql/mariadb.conf.d/99-hold-copy.cnf`)
	}
	f.run(t, "db1", "pcs", "node", "unstandby", "db3")
	f.waitState(t, "db3", "joining since ")
	if s, err := f.status(t.Context(), "db1"); err != nil || slices.Contains(s.promoted(), "db3") {
		t.Errorf("db3, which is joining, is promoted: %v %v", s, err)
	}
	if out := f.run(t, "db1", "pcs", "status", "--full"); !strings.Contains(out, "joining since ") || !strings.Contains(out, " MB received") {
		t.Errorf("pcs status --full does not show the join:\n%s", out)
	}
	f.addressMoves(t) // a cluster that waits for the copy would not move it
	before := f.run(t, "db3", "systemctl", "show", "--property=MainPID", "mariadb.service")
	for _, donor := range []string{"db1", "db2"} {
		f.run(t, donor, "sh", "-c", "touch /run/send-copy; rm /etc/mysql/mariadb.conf.d/99-hold-copy.cnf")
	}
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
	if after := f.run(t, "db3", "systemctl", "show", "--property=MainPID", "mariadb.service"); after != before {
		t.Errorf("the server on db3 was started anew: %s, then %s", before, after)
	}
	if state := f.attribute(t.Context(), "db3", "galera-state"); state != "" {
		t.Errorf("db3 still has the state %q", state)
	}
	for _, donor := range []string{"db1", "db2"} {
		f.run(t, donor, "rm", "/run/send-copy", "/usr/local/bin/hold-copy")
	}
	f.wantDays(t, 1)
}

// forgetData makes a node whose database is stopped take a full copy.
func (f *fixture) forgetData(t *testing.T, node string) {
	t.Helper()
	f.run(t, node, "rm", "-f", grastate, "/var/lib/mysql/gvwstate.dat", "/var/lib/mysql/galera.cache")
}

// accountsWhileJoining changes the tables of accounts from the moment in which a node that took
// a full copy answers: the upgrade that Debian runs then would stop its appliers for good.
func accountsWhileJoining(t *testing.T, f *fixture) {
	f.standby(t, "db3")
	f.forgetData(t, "db3")
	f.run(t, "db1", "pcs", "node", "unstandby", "db3")
	err := lab.WaitFor(t.Context(), settle, "the database on db3 to answer", func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, "db3", "mariadb", "-e", "SELECT 1")
		return out, err == nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		f.sql(t, "db2", fmt.Sprintf("CREATE USER guest%[1]d@'%%' IDENTIFIED BY 'lab-only'; GRANT ALL ON life.* TO guest%[1]d@'%%'", n))
	}
	if got := f.sql(t, "db3", "SET SESSION wsrep_sync_wait=1; SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'guest%'"); got != "40" {
		t.Errorf("db3 has %s of 40 accounts", got)
	}
	for n := range 40 {
		f.sql(t, "db2", fmt.Sprintf("DROP USER guest%d@'%%'", n))
	}
	f.waitHealthy(t, "db1")
	f.waitSynced(t)
}

// addressMoves moves the address between db1 and db2.
func (f *fixture) addressMoves(t *testing.T) {
	t.Helper()
	to := "db1"
	if s, err := f.status(t.Context(), "db1"); err != nil {
		t.Fatal(err)
	} else if slices.Contains(s.running("vip"), "db1") {
		to = "db2"
	}
	f.run(t, "db1", "pcs", "resource", "move", "vip", to)
	f.waitFor(t, "db1", "the address on "+to, func(s status) bool { return slices.Contains(s.running("vip"), to) })
}

// donorIsNamed takes a node out of flow control, and another one out of writing, and
// looks for what the cluster shows.
func donorIsNamed(t *testing.T, f *fixture) {
	f.sql(t, "db2", "SET GLOBAL wsrep_desync=ON")
	f.sql(t, "db3", "SET GLOBAL read_only=ON")
	f.waitState(t, "db2", "Donor/Desynced: may lag behind the cluster")
	f.waitState(t, "db3", "read-only: refuses writes")
	f.waitHealthy(t, "db1")
	f.sql(t, "db2", "SET GLOBAL wsrep_desync=OFF")
	f.sql(t, "db3", "SET GLOBAL read_only=OFF")
	f.waitState(t, "db2", "")
	f.waitState(t, "db3", "")
	f.noFailures(t)
}

// waitState waits until the cluster shows a state of the node that begins with want; ""
// for none.
func (f *fixture) waitState(t *testing.T, node, want string) {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, fmt.Sprintf("%s to show the state %q", node, want), func(ctx context.Context) (string, bool) {
		state := f.attribute(ctx, node, "galera-state")
		return state, strings.HasPrefix(state, want) && (want != "" || state == "")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// missingInterface: one node lacks what the others have; the address must not be
// banned from those.
func missingInterface(t *testing.T, f *fixture) {
	for _, node := range []string{"db1", "db2"} {
		f.run(t, node, "ip", "link", "add", "hf0", "type", "veth", "peer", "name", "hf1")
		f.run(t, node, "ip", "link", "set", "hf0", "up")
		f.run(t, node, "ip", "link", "set", "hf1", "up")
	}
	f.run(t, "db1", "pcs", "resource", "create", "second", "ocf:holdfast:IPaddr2",
		"ip=10.99.0.70", "cidr_netmask=24", "nic=hf0", "meta", "target-role=Stopped")
	f.run(t, "db1", "pcs", "constraint", "location", "second", "prefers", "db3=1000")
	f.run(t, "db1", "pcs", "resource", "enable", "second")
	s := f.waitFor(t, "db1", "the second address up", func(s status) bool { return len(s.running("second")) == 1 })
	if slices.Contains(s.running("second"), "db3") {
		t.Error("the address is on db3, which has no such interface")
	}
	if !slices.ContainsFunc(s.reasons("db3"), func(r string) bool { return strings.Contains(r, "hf0") }) {
		t.Errorf("db3 does not say what it lacks: %q", s.reasons("db3"))
	}
	f.run(t, "db1", "pcs", "resource", "delete", "second")
	f.run(t, "db1", "pcs", "resource", "cleanup")
}

// agentValidation: pcs asks the agents before anything is created.
func agentValidation(t *testing.T, f *fixture) {
	for _, c := range []struct{ agent, parameter, want string }{
		{"IPaddr2", "ip=300.1.1.1", `ip="300.1.1.1"`},
		{"IPaddr2", "ip=192.168.205.77 cidr_netmask=33", `cidr_netmask=33`},
		{"galera", "wsrep_cluster_address=gcomm://", "wsrep_cluster_address"},
		{"galera", "wsrep_cluster_address=gcomm://db1 datadir=/nowhere", `datadir="/nowhere"`},
	} {
		args := append([]string{"pcs", "resource", "create", "wrong", "ocf:holdfast:" + c.agent}, strings.Fields(c.parameter)...)
		if c.agent == "galera" {
			args = append(args, "promotable")
		}
		out, err := f.Exec(t.Context(), "db1", append(args, "--agent-validation", "--disabled")...)
		if err == nil || !strings.Contains(out+err.Error(), c.want) {
			t.Errorf("%s %s: %v\n%s\nwant a refusal that says %s", c.agent, c.parameter, err, out, c.want)
		}
		if _, err := f.Exec(t.Context(), "db1", "pcs", "resource", "config", "wrong"); err == nil {
			f.run(t, "db1", "pcs", "resource", "delete", "wrong")
			t.Errorf("%s %s: was created", c.agent, c.parameter)
		}
	}
}

// crmsh does with our agents what its users do with the heartbeat ones.
func crmsh(t *testing.T, f *fixture) {
	for agent, parameter := range map[string]string{"IPaddr2": "arp_late", "galera": "wsrep_cluster_address"} {
		if out := f.run(t, "db1", "crm", "ra", "info", "ocf:holdfast:"+agent); !strings.Contains(out, parameter) {
			t.Errorf("crm ra info ocf:holdfast:%s does not tell of %s:\n%s", agent, parameter, out)
		}
	}
	f.run(t, "db1", "crm", "configure", "primitive", "second", "ocf:holdfast:IPaddr2",
		"params", "ip=192.168.205.77", "cidr_netmask=24", "op", "monitor", "interval=10s", "timeout=20s")
	f.waitFor(t, "db1", "the second address up", func(s status) bool { return len(s.running("second")) == 1 })
	f.run(t, "db1", "crm", "configure", "primitive", "other", "ocf:holdfast:galera",
		"params", "wsrep_cluster_address=gcomm://db1,db2,db3", "meta", "target-role=Stopped",
		"op", "monitor", "interval=20s", "timeout=30s", "op", "promote", "interval=0", "timeout=300s")
	f.run(t, "db1", "crm", "configure", "clone", "other-clone", "other", "meta", "promotable=true", "promoted-max=3", "target-role=Stopped")
	f.run(t, "db1", "crm", "configure", "verify")
	f.run(t, "db1", "crm", "--force", "configure", "delete", "other-clone", "other")
	f.run(t, "db1", "crm", "resource", "stop", "second")
	f.waitFor(t, "db1", "the second address down", func(s status) bool { return len(s.running("second")) == 0 })
	f.run(t, "db1", "crm", "--force", "configure", "delete", "second")
	f.waitHealthy(t, "db1")
	f.run(t, "db1", "pcs", "resource", "cleanup") // the deleted clone stopped the same server
}

// killReceiver waits until node receives its state and kills all that does. It tells
// the main process that was killed.
func (f *fixture) killReceiver(t *testing.T, node string) string {
	t.Helper()
	err := lab.WaitFor(t.Context(), settle, node+" to receive its state", func(ctx context.Context) (string, bool) {
		out, err := f.Exec(ctx, node, "pgrep", "-f", "wsrep_sst_mariabackup --role joiner")
		return out, err == nil
	})
	if err != nil {
		t.Fatal(err)
	}
	pid := f.run(t, node, "systemctl", "show", "--property=MainPID", "--value", "mariadb.service")
	f.run(t, node, "systemctl", "kill", "--kill-whom=all", "--signal=KILL", "mariadb.service")
	return strings.TrimSpace(pid)
}
