package lab

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	settingsFile       = "/etc/holdfast/cluster.conf"
	clusterScript      = "holdfast-cluster"
	haclusterPassword  = "holdfast-lab"
	prepareTimeout     = 3 * time.Minute
	setupTimeout       = 10 * time.Minute
	passwordSetting    = "HACLUSTER_PASSWORD"
	nodeOfTheOperator  = "db1"
	exampleSettingsDoc = "/usr/share/doc/holdfast-cluster/examples/cluster.conf"
)

// Join makes a cluster of the nodes as an operator of three real machines does: the settings file on every node, hacluster's password,
// "holdfast-cluster prepare" everywhere and "holdfast-cluster setup" on one node. settings override what the settings file of the
// installed package says; the script's output goes to out, line by line.
func (l *Lab) Join(ctx context.Context, settings map[string]string, out io.Writer) error {
	out = &lines{to: out}
	err := l.everyNode(ctx, func(ctx context.Context, node string) error {
		if err := l.Configure(ctx, node, settings); err != nil {
			return err
		}
		return l.script(ctx, prepareTimeout, node, out, "prepare")
	})
	if err != nil {
		return err
	}
	return l.script(ctx, setupTimeout, nodeOfTheOperator, out, "setup")
}

// Configure writes a node's settings file and sets hacluster's password, which an operator does by hand.
func (l *Lab) Configure(ctx context.Context, node string, settings map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	shipped, err := l.Exec(ctx, node, "sh", "-c", `cat "$1" 2>/dev/null || cat "$2"`, "sh", settingsFile, exampleSettingsDoc)
	if err != nil {
		return fmt.Errorf("read the settings file that holdfast-cluster ships (is the package installed?): %w", err)
	}
	all := map[string]string{passwordSetting: haclusterPassword}
	maps.Copy(all, settings)
	if err := l.put(ctx, node, strings.NewReader(override(shipped, all)), settingsFile); err != nil {
		return fmt.Errorf("write the settings file: %w", err)
	}
	if _, err := l.Exec(ctx, node, "chmod", "600", settingsFile); err != nil {
		return fmt.Errorf("protect the settings file: %w", err)
	}
	password := strings.NewReader("hacluster:" + all[passwordSetting] + "\n")
	if _, err := l.ExecInput(ctx, node, password, "chpasswd"); err != nil {
		return fmt.Errorf("set hacluster's password: %w", err)
	}
	return nil
}

// override replaces the values of settings in a file of NAME=VALUE lines, and adds those that it does not have at the end.
func override(file string, settings map[string]string) string {
	left := maps.Clone(settings)
	var b strings.Builder
	for line := range strings.Lines(file) {
		name, _, _ := strings.Cut(line, "=")
		if value, ok := settings[name]; ok {
			line = name + "=" + quote(value) + "\n"
			delete(left, name)
		}
		b.WriteString(line)
	}
	if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		b.WriteString(name + "=" + quote(left[name]) + "\n")
	}
	return b.String()
}

// quote puts a value with blanks in the double quotes that the settings file asks for.
func quote(value string) string {
	if strings.ContainsAny(value, " \t") {
		return `"` + value + `"`
	}
	return value
}

// script runs one action of the cluster script in a node.
func (l *Lab) script(ctx context.Context, limit time.Duration, node string, out io.Writer, action string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	report := &prefixed{prefix: node + ": ", to: out}
	err := l.run(ctx, node, nil, report, report, clusterScript, action)
	report.flush()
	return err
}
