package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/tests/contract/testbed"
	"holdfast/tests/lab"
)

//go:embed ocft/galera
var galeraConfig string //nolint:gochecknoglobals // go:embed needs a variable

const (
	agents      = "/usr/lib/ocf/resource.d/"
	ocftConfigs = "/usr/share/resource-agents/ocft/configs/"
	ownConfigs  = "/var/tmp/ocft" // in the node
	toolTimeout = 20 * time.Minute
)

// bench is the lab with what every check needs.
type bench struct {
	lab      *lab.Lab
	provider string
	logs     string
	progress io.Writer
}

// runAll spreads the checks over the nodes: ocft waits whole seconds for every call of an agent, on three nodes at once. The order of
// what it returns is that of the report.
func runAll(ctx context.Context, b bench) ([]check, error) {
	var database, addresses, more []check
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { database, err = b.databaseChecks(ctx); return err })
	group.Go(func() (err error) {
		addresses, err = b.addressChecks(ctx, "db2", true, "IPaddr2", "IPaddr2v6")
		return err
	})
	group.Go(func() (err error) { more, err = b.addressChecks(ctx, "db3", false, "IPaddr2v4"); return err })
	err := group.Wait()
	return append(append(database, addresses...), more...), err
}

func (b bench) databaseChecks(ctx context.Context) ([]check, error) {
	if err := testbed.AddDatabase(ctx, b.lab); err != nil {
		return nil, err
	}
	node := testbed.Database
	tester, err := b.tester(ctx, node, "galera", "galera",
		[]string{"OCF_RESKEY_CRM_meta_promotable=true", "OCF_RESKEY_CRM_meta_on_node=" + node, "OCF_RESKEY_crm_feature_set=3.16.1"},
		"wsrep_cluster_address=gcomm://"+node)
	if err != nil {
		return nil, err
	}
	cases, err := b.ocft(ctx, node, "galera", galeraConfig, "galera")
	return []check{tester, {name: "ocft galera", cases: cases, own: true}}, err
}

func (b bench) addressChecks(ctx context.Context, node string, tester bool, suites ...string) ([]check, error) {
	if err := testbed.AddWires(ctx, b.lab, node); err != nil {
		return nil, err
	}
	var checks []check
	if tester {
		testers, err := b.addressTesters(ctx, node)
		if err != nil {
			return nil, err
		}
		checks = testers
	}
	for _, suite := range suites {
		config, err := b.lab.Exec(ctx, node, "cat", ocftConfigs+suite)
		if err != nil {
			return nil, fmt.Errorf("read ocft's own cases: %w", err)
		}
		cases, err := b.ocft(ctx, node, suite, config, "IPaddr2")
		if err != nil {
			return nil, err
		}
		checks = append(checks, check{name: "ocft " + suite, cases: cases})
	}
	return checks, nil
}

func (b bench) addressTesters(ctx context.Context, node string) ([]check, error) {
	if err := testbed.AddAddresses(ctx, b.lab, node); err != nil {
		return nil, err
	}
	v4, err := b.tester(ctx, node, "IPaddr2", "IPaddr2 IPv4", nil, "ip=192.168.144.2", "cidr_netmask=24", "nic=eth0")
	if err != nil {
		return nil, err
	}
	v6, err := b.tester(ctx, node, "IPaddr2", "IPaddr2 IPv6", nil, "ip=2001:db8:1234::2", "cidr_netmask=64", "nic=eth0")
	if err != nil {
		return nil, err
	}
	return []check{v4, v6}, testbed.RemoveAddresses(ctx, b.lab, node)
}

// tester runs ocf-tester. That it fails is a result and no error.
func (b bench) tester(ctx context.Context, node, agent, name string, env []string, params ...string) (check, error) {
	args := append([]string{"env"}, env...)
	args = append(args, "ocf-tester", "-v", "-n", "tester")
	for _, p := range params {
		args = append(args, "-o", p)
	}
	out, err := b.tool(ctx, node, "ocf-tester "+name, append(args, agents+b.provider+"/"+agent)...)
	c := check{name: "ocf-tester " + name}
	if exit := (*lab.ExecError)(nil); errors.As(err, &exit) {
		c.failed, err = complaints(out), nil
	}
	return c, err
}

// complaints are the lines in which ocf-tester says what failed.
func complaints(out string) string {
	var said []string
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(line, "* rc="); ok {
			said = append(said, "rc="+strings.TrimSpace(text))
		}
	}
	if len(said) == 0 {
		return "it does not say why; see the log"
	}
	return strings.Join(said, "; ")
}

// ocft makes and runs one suite.
func (b bench) ocft(ctx context.Context, node, suite, config, agent string) ([]ocftCase, error) {
	file := ownConfigs + "/" + suite
	put := `mkdir -p "$(dirname "$1")" && cat > "$1"`
	if _, err := b.lab.ExecInput(ctx, node, strings.NewReader(point(config, b.provider, agent)), "sh", "-c", put, "sh", file); err != nil {
		return nil, fmt.Errorf("put ocft's configuration on %s: %w", node, err)
	}
	made, err := b.tool(ctx, node, "ocft make "+suite, "ocft", "make", "-d", ownConfigs, suite)
	if err != nil {
		return nil, err
	}
	cases := parseMade(suite, made)
	if len(cases) == 0 {
		return nil, fmt.Errorf("ocft made no cases of %s:\n%s", suite, made)
	}
	out, err := b.tool(ctx, node, "ocft test "+suite, "ocft", "test", "-v", suite)
	if exit := (*lab.ExecError)(nil); errors.As(err, &exit) {
		err = nil // its cases say what failed
	}
	return judge(cases, out), err
}

// tool runs a tool in a node, both its outputs in one stream and in a log.
func (b bench) tool(ctx context.Context, node, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, toolTimeout)
	defer cancel()
	begun := time.Now()
	fmt.Fprintf(b.progress, "%s: %s ...\n", node, name)
	out, err := b.lab.Exec(ctx, node, append([]string{"sh", "-c", `exec "$@" 2>&1`, "sh"}, args...)...)
	fmt.Fprintf(b.progress, "%s: %s: %.0f s\n", node, name, time.Since(begun).Seconds())
	file := filepath.Join(b.logs, strings.ReplaceAll(name, " ", "-")+".log")
	return out, errors.Join(err, os.WriteFile(file, []byte(out), 0o644))
}
