package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"holdfast/tests/lab/chassis"
)

// logTimeout bounds one command that collects logs: a node that does not answer must not take the other nodes' logs with it.
const logTimeout = 20 * time.Second

// sources are the shell commands whose output is collected from a node, and the files it goes to.
func sources() []struct{ file, command string } {
	return []struct{ file, command string }{
		{"journal.log", "journalctl --boot=all --no-pager --output=short-precise"},
		{"corosync.log", "cat /var/log/corosync/corosync.log"},
		{"pacemaker.log", "cat /var/log/pacemaker/pacemaker.log"},
		{"pcsd.log", "cat /var/log/pcsd/pcsd.log"},
		{"mariadb.log", "journalctl --unit=mariadb --no-pager --output=short-precise; cat /var/log/mysql/error.log"},
		{"pcs-status.txt", "pcs status --full"},
		{"cib.xml", "cibadmin --query"},
		{"corosync.txt", "corosync-cfgtool -s; corosync-quorumtool -s; corosync-cmapctl"},
		{"wsrep.txt", `mariadb --table --execute "SHOW GLOBAL STATUS LIKE 'wsrep%'; SHOW FULL PROCESSLIST"; mariadb --execute "SHOW ENGINE INNODB STATUS\G"; cat /var/lib/mysql/grastate.dat`},
		{"units.txt", "systemctl --no-pager list-units --all; systemctl --no-pager status mariadb"},
		{"network.txt", "ip address; ip neigh; ss --numeric --processes --all --tcp"},
	}
}

// CollectLogs writes into dir what helps to understand a failure: a directory per node with journal, cluster logs and states, and the
// lab's own logs. A node without power or answer gives a file that says so; the error is about dir alone.
func (l *Lab) CollectLogs(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory for logs: %w", err)
	}
	err := l.everyNode(ctx, func(ctx context.Context, node string) error {
		return l.collectNode(ctx, node, filepath.Join(dir, node))
	})
	return errors.Join(err, l.copyOwnLogs(dir))
}

func (l *Lab) collectNode(ctx context.Context, node, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory for a node's logs: %w", err)
	}
	for _, s := range sources() {
		f, err := os.Create(filepath.Join(dir, s.file))
		if err != nil {
			return fmt.Errorf("make a log file: %w", err)
		}
		limited, cancel := context.WithTimeout(ctx, logTimeout)
		if err := l.run(limited, node, nil, f, f, "sh", "-c", s.command); err != nil {
			fmt.Fprintln(f, "--", err)
		}
		cancel()
		if err := f.Close(); err != nil {
			return fmt.Errorf("write a log file: %w", err)
		}
	}
	return nil
}

// copyOwnLogs copies consoles, the power log and the chassis's log.
func (l *Lab) copyOwnLogs(dir string) error {
	logs := filepath.Join(l.state, chassis.LogsDir)
	entries, err := os.ReadDir(logs)
	if err != nil {
		return fmt.Errorf("read the lab's logs: %w", err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(logs, e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, e.Name()), content, 0o644)
		}
		if err != nil {
			return fmt.Errorf("copy a log: %w", err)
		}
	}
	return nil
}
