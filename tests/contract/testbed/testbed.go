package testbed

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"holdfast/tests/lab"
)

// Database is the node that Bed.Database prepares. Galera's one-node cluster has its name.
const Database = "db1"

const (
	wireTimeout    = time.Minute
	clusterTimeout = 5 * time.Minute
)

// Packages finds the packages that nodes need in the checkout from whose top the program runs.
func Packages() ([]string, error) {
	var debs []string
	for _, pattern := range []string{"build/deb/holdfast-agents_*.deb", "build/deb/holdfast-cluster_*.deb"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("there is no %s: run make deb, and this from the top of the checkout", pattern)
		}
		debs = append(debs, found...)
	}
	return debs, nil
}

// AddWires gives a node the interfaces eth0 and eth1, each with a cable whose other end is up, and without an address of IPv4.
func AddWires(ctx context.Context, l *lab.Lab, node string) error {
	ctx, cancel := context.WithTimeout(ctx, wireTimeout)
	defer cancel()
	for _, nic := range []string{"eth0", "eth1"} {
		script := `ip link add "$1" type veth peer name "far-$1" && ip link set "far-$1" up && ip link set "$1" up`
		if _, err := l.Exec(ctx, node, "sh", "-c", script, "sh", nic); err != nil {
			return fmt.Errorf("add %s to %s: %w", nic, node, err)
		}
		err := lab.Wait(ctx, nic+" of "+node+" to have its link-local address", func(ctx context.Context) (string, bool) {
			out, err := l.Exec(ctx, node, "ip", "-6", "-o", "addr", "show", "dev", nic)
			return out, err == nil && strings.Contains(out, "fe80:") && !strings.Contains(out, "tentative")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// AddAddresses gives eth0 of a node the addresses beside which ocft's and ocf-tester's floating ones live.
func AddAddresses(ctx context.Context, l *lab.Lab, node string) error {
	return addresses(ctx, l, node, "add")
}

// RemoveAddresses takes them away, for ocft brings its own.
func RemoveAddresses(ctx context.Context, l *lab.Lab, node string) error {
	return addresses(ctx, l, node, "del")
}

func addresses(ctx context.Context, l *lab.Lab, node, verb string) error {
	ctx, cancel := context.WithTimeout(ctx, wireTimeout)
	defer cancel()
	for _, a := range [][]string{{"192.168.144.1/24", "brd", "+"}, {"2001:db8:1234::1/64", "nodad"}} {
		args := slices.Concat([]string{"ip", "addr", verb}, a, []string{"dev", "eth0"})
		if verb == "del" {
			args = []string{"ip", "addr", "del", a[0], "dev", "eth0"}
		}
		if _, err := l.Exec(ctx, node, args...); err != nil {
			return fmt.Errorf("%s the addresses of %s: %w", verb, node, err)
		}
	}
	return nil
}

// AddDatabase prepares MariaDB on the node Database as the cluster script does, and starts a Pacemaker of that node alone, without any
// resource: the agents find attributes, scores and a quorate cluster, and nobody else calls them. The directory /var/log/mysql, without
// which Debian's galera agent does not start, is there too.
func AddDatabase(ctx context.Context, l *lab.Lab) error {
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	const password = "testbed"
	if err := l.Configure(ctx, Database, map[string]string{"HACLUSTER_PASSWORD": password}); err != nil {
		return err
	}
	for _, command := range [][]string{
		{"holdfast-cluster", "prepare"},
		{"install", "-d", "-o", "mysql", "-g", "mysql", "/var/log/mysql"},
		{"pcs", "host", "auth", Database, "-u", "hacluster", "-p", password},
		{"pcs", "cluster", "setup", "testbed", Database, "--start", "--wait=120"},
		{"pcs", "property", "set", "stonith-enabled=false"}, // there is nobody who could fence
	} {
		if _, err := l.Exec(ctx, Database, command...); err != nil {
			return fmt.Errorf("prepare the database's node: %w", err)
		}
	}
	return lab.Wait(ctx, "Pacemaker on "+Database+" to have a coordinator", func(ctx context.Context) (string, bool) {
		out, err := l.Exec(ctx, Database, "crm_mon", "-1", "--output-as=xml")
		return out, err == nil && strings.Contains(out, `with_quorum="true"`)
	})
}
