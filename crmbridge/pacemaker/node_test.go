//go:build lab

// These tests run in a node of a cluster, as root: tests/cluster brings them there.
package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/qb"
)

const patience = 2 * time.Minute

func deadline(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// dial connects to a service of Pacemaker on this machine.
func dial(t *testing.T, service string) *qb.Conn {
	t.Helper()
	d, err := NewDialer()
	if err != nil {
		t.Fatalf("%v; this test runs in a node of a lab: make cluster-test", err)
	}
	return dialWith(t, d, service)
}

func dialWith(t *testing.T, d *qb.Dialer, service string) *qb.Conn {
	t.Helper()
	c, err := d.Dial(deadline(t, patience), service)
	if err != nil {
		t.Fatalf("%v; this test runs in a node of a lab: make cluster-test", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// command runs a command of the node.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(deadline(t, patience), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

func follow(t *testing.T, c *qb.Conn) (*CIB, Snapshot) {
	t.Helper()
	cib, err := OpenCIB(deadline(t, patience), c)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cib.Follow(deadline(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	return cib, s
}

func TestNodeCIBShowsAttributeUpdates(t *testing.T) {
	c := dial(t, ServiceCIB)
	t.Logf("connected by %v to %+v, messages of up to %d bytes", c.Mode(), c.Peer(), c.MaxMessage())
	cib, s := follow(t, c)
	if s.CIB.FindElement("./configuration/nodes/node") == nil || s.CIB.FindElement("./status/node_state") == nil {
		t.Fatal("a CIB without nodes")
	}
	attributes := OpenAttributes(dial(t, ServiceAttributes))
	node, value := command(t, "crm_node", "--name"), fmt.Sprint(time.Now().UnixNano())
	begin := time.Now()
	if err := attributes.Update(deadline(t, patience), node, "bridge-test", value); err != nil {
		t.Fatal(err)
	}
	for {
		p, err := cib.Next(deadline(t, patience))
		if err != nil {
			t.Fatal(err)
		}
		if p.Diff.FindElement(fmt.Sprintf(".//[@value='%s']", value)) != nil {
			t.Logf("%v -> %v, %v after the request", p.Source, p.Target, p.Received.Sub(begin))
			break
		}
	}
	if got, err := attributes.Query(deadline(t, patience), "bridge-test"); err != nil || got[node] != value {
		t.Errorf("the attribute manager knows %v, %v", got, err)
	}
	if err := attributes.Delete(deadline(t, patience), node, "bridge-test"); err != nil {
		t.Error(err)
	}
	if _, err := attributes.Query(deadline(t, patience), "no-such-attribute"); !errors.Is(err, ErrNoAttribute) {
		t.Errorf("an attribute that nobody set: %v", err)
	}
}

// TestNodeCIBFollowsWithoutAGap compares a follower, through a storm of changes, with
// what a query says at the end.
func TestNodeCIBFollowsWithoutAGap(t *testing.T) {
	cib, s := follow(t, dial(t, ServiceCIB))
	node := command(t, "crm_node", "--name")
	for i := range 50 {
		command(t, "crm_attribute", "--node", node, "--name", "bridge-storm", "--lifetime", "reboot", "--update", fmt.Sprint(i))
	}
	second, want := follow(t, dial(t, ServiceCIB))
	_ = second
	known := s.Version
	for known.Compare(want.Version) < 0 {
		p, err := cib.Next(deadline(t, patience))
		if err != nil {
			t.Fatalf("after %v: %v", known, err)
		}
		if p.Source != known {
			t.Fatalf("from %v to %v, after %v", p.Source, p.Target, known)
		}
		known = p.Target
	}
	t.Logf("from %v to %v", s.Version, known)
}

func TestNodeFencerAnswers(t *testing.T) {
	f, err := OpenFencer(deadline(t, patience), dial(t, ServiceFencer))
	if err != nil {
		t.Fatal(err)
	}
	history, err := f.History(deadline(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", history)
}

func TestNodeControllerTakesAFailure(t *testing.T) {
	cib, _ := follow(t, dial(t, ServiceCIB))
	k, err := OpenController(deadline(t, patience), dial(t, ServiceController))
	if err != nil {
		t.Fatal(err)
	}
	where := command(t, "sh", "-c", "crm_resource --resource vip --locate | sed 's/.*: //'")
	failure := Failure{Node: where, Resource: "vip", Class: "ocf", Provider: "holdfast", Type: "IPaddr2"}
	if err := k.ReportFailure(deadline(t, patience), failure); err != nil {
		t.Fatal(err)
	}
	for {
		p, err := cib.Next(deadline(t, patience))
		if err != nil {
			t.Fatal(err)
		}
		if p.Diff.FindElement(".//[@operation='asyncmon']") != nil {
			break
		}
	}
	command(t, "crm_resource", "--wait", "--timeout", "100")
	command(t, "crm_resource", "--cleanup", "--resource", "vip")
}

func TestNodeQuorumAndSettings(t *testing.T) {
	d := corosync.NewDialer()
	q, err := corosync.FollowQuorum(deadline(t, patience), dialWith(t, d, "quorum"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[corosync.Kind]bool{}
	for len(seen) < 2 {
		e, err := q.Next(deadline(t, patience))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", e)
		if len(e.Members) != 3 || e.Kind == corosync.QuorumChanged && !e.Quorate || e.Ring.Sequence == 0 {
			t.Errorf("not the three nodes of a quorate cluster: %+v", e)
		}
		seen[e.Kind] = true
	}
	settings, err := corosync.NewMap(dialWith(t, d, "cmap")).Settings(deadline(t, patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", settings)
	if settings.Token <= 0 || settings.Consensus <= 0 || len(settings.Nodes) != 3 || settings.Nodes[0].Name == "" {
		t.Errorf("settings %+v", settings)
	}
}

// TestNodeSlowReaderIsEvicted does not read until Pacemaker has had enough, and then
// gets all that was sent, and the error.
func TestNodeSlowReaderIsEvicted(t *testing.T) {
	d, err := NewDialer()
	if err != nil {
		t.Fatal(err)
	}
	d.QueueBytes = 1
	c := dialWith(t, d, ServiceCIB)
	cib, s := follow(t, c)
	node := command(t, "crm_node", "--name")
	storm := fmt.Sprintf("i=0; while [ $i -lt 900 ]; do cibadmin --modify --allow-create --scope status --xml-text "+
		"'<node_state id=\"'$(crm_node --cluster-id)'\" uname=\"%s\" bridge-storm=\"'$i'\"/>' || exit 1; i=$((i+1)); done", node)
	command(t, "sh", "-c", storm)
	known, n := s.Version, 0
	for {
		p, err := cib.Next(deadline(t, patience))
		if errors.Is(err, qb.ErrDisconnected) {
			break
		}
		if err != nil || p.Source != known {
			t.Fatalf("change %d, from %v after %v: %v", n, p.Source, known, err)
		}
		known, n = p.Target, n+1
	}
	t.Logf("%d changes up to %v, then evicted; %+v", n, known, c.Stats())
	if n < 10 || c.Stats().Stalled == 0 {
		t.Errorf("evicted after %d changes", n)
	}
}

// TestNodePacemakerRestarts follows across a restart of Pacemaker.
func TestNodePacemakerRestarts(t *testing.T) {
	d, err := NewDialer()
	if err != nil {
		t.Fatal(err)
	}
	var reported []error
	connected, restarted := 0, make(chan error, 1)
	err = d.Keep(deadline(t, patience), ServiceCIB, func(ctx context.Context, c *qb.Conn) error {
		cib, err := OpenCIB(ctx, c)
		if err != nil {
			return err
		}
		if _, err := cib.Follow(ctx); err != nil {
			return err
		}
		switch connected++; connected {
		case 1:
			go func() { restarted <- exec.CommandContext(ctx, "systemctl", "restart", "pacemaker").Run() }()
		case 2:
			return nil
		}
		for {
			if _, err := cib.Next(ctx); err != nil {
				return err
			}
		}
	}, func(err error) { reported = append(reported, err) })
	if err != nil || len(reported) == 0 || !errors.Is(reported[0], qb.ErrDisconnected) {
		t.Errorf("kept with %v; reported %v", err, reported)
	}
	t.Logf("%d attempts between; first %v", len(reported), reported)
	if err := <-restarted; err != nil {
		t.Error(err)
	}
	// The CIB manager is back first; the next test wants all of them.
	command(t, "sh", "-c", `until crm_mon -1 2>/dev/null | grep -q "partition with quorum" && stonith_admin --list-registered >/dev/null 2>&1; do sleep 0.2; done`)
	command(t, "crm_resource", "--wait", "--timeout", "100")
}

// TestNodeFencingAndMembership watches the fencing of another node: its begin, its end,
// its place in the history, and the membership without it.
func TestNodeFencingAndMembership(t *testing.T) {
	ctx := deadline(t, patience)
	f, err := OpenFencer(ctx, dial(t, ServiceFencer))
	if err != nil {
		t.Fatal(err)
	}
	q, err := corosync.FollowQuorum(ctx, dialWith(t, corosync.NewDialer(), "quorum"))
	if err != nil {
		t.Fatal(err)
	}
	victim := command(t, "sh", "-c", `crm_node --list | grep -v " $(crm_node --name) " | awk 'NR == 1 { print $2 }'`)
	id, err := strconv.ParseUint(command(t, "sh", "-c", "crm_node --list | awk '$2 == \""+victim+"\" { print $1 }'"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	fenced := make(chan error, 1)
	go func() {
		fenced <- exec.CommandContext(ctx, "stonith_admin", "--reboot", victim, "--timeout", "60").Run()
	}()
	begun := time.Time{}
	for {
		e, err := f.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if e.Ended == nil {
			if begun.IsZero() {
				begun = e.Received
			}
			continue
		}
		t.Logf("%+v, %v after the first change of the history", *e.Ended, e.Received.Sub(begun))
		if begun.IsZero() || e.Ended.Target != victim || e.Ended.Action != "reboot" || e.Ended.State != FencingDone || e.Status != 0 || e.Ended.Operation == "" {
			t.Errorf("%+v", e)
		}
		break
	}
	history, err := f.History(ctx)
	if err != nil || !slices.ContainsFunc(history, func(h Fencing) bool {
		return h.Target == victim && h.State == FencingDone && time.Since(h.Completed).Abs() <= patience
	}) {
		t.Errorf("history %+v, %v", history, err)
	}
	for {
		e, err := q.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == corosync.Membership && slices.Contains(e.Left, uint32(id)) {
			t.Logf("%+v", e)
			break
		}
	}
	if err := <-fenced; err != nil {
		t.Errorf("stonith_admin: %v", err)
	}
}

// TestNodeLargeCIB makes the CIB larger than a message, so that it comes compressed, as
// an answer and as a patch.
func TestNodeLargeCIB(t *testing.T) {
	cib, _ := follow(t, dial(t, ServiceCIB))
	var large strings.Builder
	large.WriteString(`<node_state id="holdfast-large" uname="holdfast-large">`)
	const n = 3000
	for i := range n {
		fmt.Fprintf(&large, `<lrm id="holdfast-large-%d" text="%064d"/>`, i, i)
	}
	large.WriteString("</node_state>")
	file := t.TempDir() + "/large.xml"
	if err := os.WriteFile(file, []byte(large.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, "cibadmin", "--create", "--scope", "status", "--xml-file", file)
	t.Cleanup(func() {
		cmd := exec.Command("cibadmin", "--delete", "--xml-text", `<node_state id="holdfast-large"/>`)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("remove the large state: %v\n%s", err, out)
		}
	})
	for {
		p, err := cib.Next(deadline(t, patience))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(p.Diff.FindElements(".//lrm")); got >= n {
			break
		}
	}
	_, s := follow(t, dial(t, ServiceCIB))
	if got := len(s.CIB.FindElements("./status/node_state[@id='holdfast-large']/lrm")); got != n {
		t.Errorf("the CIB has %d of %d elements", got, n)
	}
}
