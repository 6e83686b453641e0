package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	runDir     = "/run/holdfast" // gone with a reboot, as everything in it must be
	dropInPath = "/run/systemd/system/mariadb.service.d/50-holdfast.conf"

	// auxiliaryUnit runs what is not the server itself: a recovery run, or the
	// creation of a database. A unit of its own, so that its death with the agent, its
	// user and its limits are systemd's business.
	auxiliaryUnit = "holdfast-galera-recovery.service"
	auxiliaryPath = "/run/systemd/system/" + auxiliaryUnit
	auxiliaryLog  = runDir + "/galera-recovery.log"
	// noCluster satisfies the rsync SST method, which wants some address even of a
	// server that is only to recover.
	noCluster = "dummy://"

	// bootFile orders one start to bootstrap or to begin at a position.
	bootFile      = runDir + "/galera-boot"
	recoveredFile = runDir + "/" + noteRecovered
)

// dropIn makes mariadb.service the cluster's:
//   - ordered before Pacemaker, so that it is stopped after it at shutdown, as
//     Pacemaker does for its own systemd resources (lib/services/systemd.c);
//   - never started again by systemd: an automatic restart would bypass the
//     cluster's decisions, and that of a bootstrap would make a second cluster;
//   - with all the time that a state transfer takes: Pacemaker bounds the rest;
//   - with the server's command line in place of galera_recovery's shell script,
//     which looks only at the default configuration and recovers at each start a
//     position that the agent knows;
//   - without Debian's debian-start. A copy from another node (SST) brings no
//     mysql_upgrade_info, so it runs all of mariadb-upgrade on a member that is already
//     applying. Its ALTER TABLE and an applier's CREATE USER or GRANT then wait for each other,
//     one for the metadata lock and one for the table lock, which nothing resolves for
//     lock_wait_timeout, a day, and flow control stops the whole cluster. The tables came
//     from a server of the same series, and mysqld_safe under the heartbeat agent never
//     ran it either. What an administrator adds in a drop-in that sorts later, as
//     systemctl edit makes it, is still run;
//   - with one-time orders in a file that the unit itself deletes, when the server
//     is ready and also when it is not.
func dropIn(l Launch) []byte {
	words := append([]string{l.Binary}, l.Args...)
	words = append(words, "--wsrep-cluster-address="+l.Address)
	for i, w := range words {
		words[i] = quoteWord(w)
	}
	forget := "=-+/bin/rm -f " + bootFile + " " + recoveredFile + "\n"
	var b bytes.Buffer
	b.WriteString("# Written by ocf:holdfast:galera; deleted when the resource stops.\n")
	b.WriteString("[Unit]\nBefore=pacemaker.service\n\n[Service]\nRestart=no\nTimeoutStartSec=infinity\n")
	fmt.Fprintf(&b, "User=%s\nGroup=%s\n", l.User, l.Group)
	fmt.Fprintf(&b, "EnvironmentFile=-%s\n", bootFile)
	fmt.Fprintf(&b, "ExecStart=\nExecStart=%s $MYSQLD_OPTS $HOLDFAST_NEW_CLUSTER $HOLDFAST_START_POSITION\n", strings.Join(words, " "))
	b.WriteString("ExecStartPost=\nExecStartPost" + forget + "ExecStopPost" + forget)
	return b.Bytes()
}

// quoteWord protects a word of a command line from systemd (systemd.service(5),
// "Command lines"; systemd.syntax(7), "Quoting").
func quoteWord(w string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`, "\n", `\n`)
	return `"` + r.Replace(w) + `"`
}

// recoveryFile is the unit of a recovery run.
func recoveryFile(l Launch) []byte {
	words := append([]string{l.Binary}, l.Args...)
	words = append(words, "--wsrep-cluster-address="+noCluster, "--wsrep-recover", "--disable-log-error")
	return auxiliaryFile(l, "Position of the Galera node's data", words)
}

// creationFile is the unit that makes a new database (mariadb-install-db(1)).
func creationFile(l Launch) []byte {
	words := []string{installer}
	for _, arg := range l.Args {
		if strings.HasPrefix(arg, "--defaults-file=") || strings.HasPrefix(arg, "--datadir=") {
			words = append(words, arg)
		}
	}
	// Replication has no part in it: every node would make a history of its own.
	return auxiliaryFile(l, "New database of the Galera node", append(words, "--user="+l.User, "--wsrep-on=OFF"))
}

// installer makes the system tables.
const installer = "/usr/bin/mariadb-install-db"

func auxiliaryFile(l Launch, description string, words []string) []byte {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quoteWord(w)
	}
	var b bytes.Buffer
	b.WriteString("# Written by ocf:holdfast:galera; deleted when the resource stops.\n")
	fmt.Fprintf(&b, "[Unit]\nDescription=%s\n\n[Service]\nType=oneshot\n", description)
	fmt.Fprintf(&b, "User=%s\nGroup=%s\nUMask=007\n", l.User, l.Group)
	fmt.Fprintf(&b, "StandardOutput=null\nStandardError=truncate:%s\n", auxiliaryLog)
	fmt.Fprintf(&b, "ExecStart=%s\n", strings.Join(quoted, " "))
	return b.Bytes()
}

// writeUnit says whether the content changed: only then systemd has to reload.
func writeUnit(path string, content []byte) (bool, error) {
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) {
		return false, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, fmt.Errorf("configure mariadb.service: %w", err)
	}
	if err := replaceFile(path, content, 0o644); err != nil {
		return false, fmt.Errorf("configure mariadb.service: %w", err)
	}
	return true, nil
}

// removeUnits says whether there was anything to remove.
func removeUnits() (bool, error) {
	removed := false
	for _, path := range []string{dropInPath, auxiliaryPath} {
		err := os.Remove(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return removed, fmt.Errorf("take back the configuration of mariadb.service: %w", err)
		}
		removed = removed || err == nil
	}
	_ = os.Remove(filepath.Dir(dropInPath)) // stays if somebody else has a drop-in
	return removed, nil
}

func writeBoot(b Boot) error {
	var text string
	if b.NewCluster {
		text += "HOLDFAST_NEW_CLUSTER=--wsrep-new-cluster\n"
	}
	if b.Position != "" {
		text += "HOLDFAST_START_POSITION=--wsrep-start-position=" + b.Position + "\n"
	}
	if text == "" {
		return nil
	}
	if err := makeRunDir(); err != nil {
		return err
	}
	if err := replaceFile(bootFile, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the order for mariadb.service: %w", err)
	}
	return nil
}

// dropBoot takes back an order that an agent which was killed may have left.
func dropBoot() error { return remove(bootFile) }

func makeRunDir() error {
	if err := os.MkdirAll(runDir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", runDir, err)
	}
	return nil
}

// replaceFile writes a file so that it is there whole or not at all.
func replaceFile(path string, content []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
