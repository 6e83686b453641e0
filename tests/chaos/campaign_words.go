package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"holdfast/tests/chaos/judge"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/monitor"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/verify"
)

// kept is the ledger of one repetition, for the comparison at the very end.
type kept struct {
	name  string
	book  *ledger.Ledger
	fault int // its place in the run
}

// recheck compares the rows of all repetitions once more: a later fault may have
// cost rows of an earlier one.
func (c *campaign) recheck(ctx context.Context) error {
	if len(c.books) < 2 {
		return nil
	}
	c.art.screen.tell(time.Now(), kind(monitor.KindCheck), "the rows of all %d repetitions once more", len(c.books))
	nodes := make([]verify.Node, len(c.config.Nodes))
	for i, n := range c.config.Nodes {
		nodes[i] = verify.Node{Name: n.Name, Server: n.Server}
	}
	for _, k := range c.books {
		found := verify.Nodes(ctx, verify.Check{Nodes: nodes, Run: k.name, Ledger: k.book, Wait: c.opt.heal, Progress: func(string, string) {}})
		f := &c.run.Faults[k.fault]
		if !found.Complete() {
			f.Unmeasured = append(f.Unmeasured, "Its rows could not be compared once more at the end of the run.")
			f.Error = cmp.Or(f.Error, "its rows could not be compared once more at the end of the run")
			continue
		}
		if len(found.Lost) > f.Lost {
			f.Lost = len(found.Lost)
			f.Violations = append(f.Violations, result.Violation{Kind: judge.Lost, At: f.To,
				Detail: fmt.Sprintf("At the end of the run %d acknowledged writes of this repetition are missing: id %s.", len(found.Lost), judge.IDs(found.Lost))})
		}
	}
	return ctx.Err()
}

// describe asks the nodes for versions and settings. What it does not learn is
// left out: it is for the reader, not for the figures.
func (c *campaign) describe(ctx context.Context) {
	const script = `dpkg-query -W -f 'version ${Package} ${Version}\n' mariadb-server galera-4 pacemaker corosync pcs holdfast-agents holdfast-cluster 2>/dev/null || true
echo "version kernel $(uname -r)"
corosync-cmapctl 2>/dev/null | sed -nE 's/^runtime\.config\.(totem\.(token|consensus|join)) .*= (.*)/setting \1 \3/p' || true
crm_attribute --type crm_config --name stonith-enabled --query --quiet 2>/dev/null | sed 's/^/setting stonith-enabled /' || true
sed -nE 's/^(SUSPECT_TIMEOUT|DATABASE_MONITOR|ADDRESS_MONITOR|LINK_TIMEOUT)=([0-9]+).*/setting \1 \2/p' /etc/holdfast/cluster.conf 2>/dev/null || true
echo "version files-of-holdfast $(dpkg -L holdfast-agents holdfast-cluster 2>/dev/null | while read -r f; do if [ -f "$f" ]; then cat "$f"; fi; done | sha256sum | cut -c 1-16)"
echo "setting cores $(nproc)"`
	limited, cancel := context.WithTimeout(ctx, prepareDeadline)
	defer cancel()
	text, err := c.target.Run(limited, c.config.Nodes[0].Name, script)
	if err != nil {
		c.art.screen.tell(time.Now(), kindInfo, "versions and settings are not known: %v", err)
	}
	for line := range strings.Lines(text) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(words) != 3 {
			continue
		}
		switch words[0] {
		case "version":
			c.run.Versions[words[1]] = words[2]
		case "setting":
			c.run.Settings[words[1]] = words[2]
		}
	}
	c.run.Versions["chaos"] = build()
	c.run.Settings["target"] = c.target.Name
}

// build names this program by its content.
func build() string {
	self, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	content, err := os.ReadFile(self)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))[:16]
}

// faultWords is a repetition for people.
func faultWords(f result.Fault) string {
	var out strings.Builder
	tab := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "  client\tinterruption\tavailable\tacked\trefused\tunknown\tp50\tp99\tmax\t")
	for _, cl := range f.Clients {
		name := strings.TrimSpace(cl.Kind + " " + cl.Node)
		fmt.Fprintf(tab, "  %s\t%s\t%.2f%%\t%d\t%d\t%d\t%.1f\t%.1f\t%.1f ms\t\n", name, gapLength(cl), 100*cl.Availability,
			cl.Acked, cl.Refused, cl.Indeterminate, cl.Latency.P50, cl.Latency.P99, cl.Latency.Max)
	}
	tab.Flush() //nolint:errcheck // a strings.Builder does not fail
	for _, d := range f.Doubled {
		fmt.Fprintf(&out, "  address on two nodes for %s from %+.2f s on: %s\n", milliseconds((d.To - d.From).Duration()), d.From.Duration().Seconds(), strings.Join(d.Nodes, " and "))
	}
	for _, v := range f.Violations {
		fmt.Fprintf(&out, "  VIOLATION %s at %+.2f s: %s\n", v.Kind, v.At.Duration().Seconds(), v.Detail)
	}
	for _, u := range f.Unmeasured {
		fmt.Fprintf(&out, "  not measured: %s\n", u)
	}
	return out.String()
}

func gapLength(c result.Client) string {
	text := seconds(c.Interruption.Duration())
	if c.Open {
		text += " (no end)"
	}
	return text
}

func withoutDots(clients []result.Client) []result.Client {
	all := slices.Clone(clients)
	for i := range all {
		all[i].Dots = nil
	}
	return all
}

func nodeNames(nodes []nodeOption) []string {
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.name
	}
	return names
}

// host is an address without its port.
func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
