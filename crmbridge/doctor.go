package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"holdfast/cib"
	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/journal"
	"holdfast/crmbridge/kernel"
	"holdfast/crmbridge/pacemaker"
	"holdfast/crmbridge/unit"
)

// grade is how bad a finding is.
type grade string

const (
	fine    grade = "ok"
	warning grade = "warning" // records are less exact or less safe than they could be
	wrong   grade = "error"   // records are missing, or the cluster is not safe
)

// finding is what one check found, and what to do about it.
type finding struct {
	Check  string `json:"check"`
	Grade  grade  `json:"grade"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

// runDoctor is "crmbridge doctor".
func runDoctor(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	r := newAnswering("doctor", time.Now(), stderr)
	if _, err := r.parse(args, 0); err != nil {
		return finish(stderr, err, exitUnable)
	}
	findings := examine(ctx)
	if r.json {
		if err := asJSON(stdout, findings); err != nil {
			return finish(stderr, err, exitUnable)
		}
	} else {
		tellFindings(stdout, findings)
	}
	for _, f := range findings {
		if f.Grade == wrong {
			return exitFindings
		}
	}
	return exitOK
}

func tellFindings(out io.Writer, findings []finding) {
	bad := 0
	for _, f := range findings {
		fmt.Fprintf(out, "%-8s %s: %s\n", f.Grade, f.Check, f.What)
		if f.Remedy != "" {
			fmt.Fprintf(out, "%-8s   -> %s\n", "", f.Remedy)
		}
		if f.Grade != fine {
			bad++
		}
	}
	fmt.Fprintf(out, "\n%d of %d checks found something.\n", bad, len(findings))
}

// examine makes all checks. What cannot be reached is a finding, no error.
func examine(ctx context.Context) []finding {
	findings := []finding{clockCheck(kernel.ReadClock()), persistence("/var/log/journal")}
	findings = append(findings, busCheck(asking(ctx, busAnswers)))
	quorum, err := asking(ctx, readQuorum)
	findings = append(findings, quorumCheck(quorum, err))
	settings, err := asking(ctx, corosyncSettings)
	findings = append(findings, tokenCheck(settings, err)...)
	state, err := asking(ctx, readState)
	if err != nil {
		findings = append(findings, finding{"Pacemaker", wrong, err.Error(), "start Pacemaker, and run this as root or as a member of the group haclient"})
	} else {
		findings = append(findings, clusterChecks(state)...)
	}
	l, err := journal.Read(ctx, journal.Range{})
	return append(findings, journalChecks(l, err)...)
}

func clockCheck(c kernel.Clock, err error) finding {
	const name = "Clock"
	switch {
	case err != nil:
		return finding{name, warning, err.Error(), ""}
	case !c.Synchronized:
		return finding{name, warning, "it is not synchronised; times of two nodes cannot be compared", "run chrony or systemd-timesyncd on every node: timedatectl set-ntp true"}
	}
	return finding{Check: name, Grade: fine, What: fmt.Sprintf("synchronised, to within %v", c.MaxError.Round(time.Microsecond))}
}

// persistence says whether journald keeps the journal over a restart of the machine
// (journald.conf(5), Storage=auto).
func persistence(dir string) finding {
	const name = "Journal on disk"
	if _, err := os.Stat(dir); err != nil {
		return finding{name, wrong, fmt.Sprintf("%v: records are gone when the node restarts", err),
			"mkdir -p /var/log/journal && systemd-tmpfiles --create --prefix /var/log/journal && systemctl restart systemd-journald"}
	}
	return finding{Check: name, Grade: fine, What: dir + " is there"}
}

func busAnswers(ctx context.Context) (string, error) {
	c, err := unit.Connect(ctx)
	if err != nil {
		return "", err
	}
	name := c.Names()[0]
	return name, c.Close()
}

func busCheck(name string, err error) finding {
	if err != nil {
		return finding{"systemd", wrong, err.Error(), "start dbus: systemctl start dbus.socket"}
	}
	return finding{Check: "systemd", Grade: fine, What: "its bus answers, as " + name}
}

func readQuorum(ctx context.Context) (bool, error) {
	c, err := corosync.NewDialer().Dial(ctx, "quorum")
	if err != nil {
		return false, err
	}
	defer c.Close()
	q, err := corosync.FollowQuorum(ctx, c)
	if err != nil {
		return false, err
	}
	for {
		e, err := q.Next(ctx)
		if err != nil || e.Kind == corosync.QuorumChanged {
			return e.Quorate, err
		}
	}
}

func quorumCheck(quorate bool, err error) finding {
	switch {
	case err != nil:
		return finding{"Corosync", wrong, err.Error(), "start Corosync, and run this as root or with haclient as the first group"}
	case !quorate:
		return finding{"Corosync", wrong, "this partition has no quorum", "corosync-quorumtool -s says who is missing; look at the network between the nodes"}
	}
	return finding{Check: "Corosync", Grade: fine, What: "it answers, and this partition has quorum"}
}

func readState(ctx context.Context) (cib.State, error) {
	d, err := pacemaker.NewDialer()
	if err != nil {
		return cib.State{}, err
	}
	c, err := d.Dial(ctx, pacemaker.ServiceCIB)
	if err != nil {
		return cib.State{}, err
	}
	defer c.Close()
	follower, err := pacemaker.OpenCIB(ctx, c)
	if err != nil {
		return cib.State{}, err
	}
	snapshot, err := follower.Follow(ctx)
	if err != nil {
		return cib.State{}, err
	}
	document, err := cib.New(snapshot.CIB)
	if err != nil {
		return cib.State{}, err
	}
	return document.State(), nil
}

// journalChecks are about what the daemon wrote.
func journalChecks(l *journal.Log, err error) []finding {
	const name = "Records"
	switch {
	case err != nil:
		return []finding{{name, wrong, err.Error(), "run this as root or as a member of the group systemd-journal"}}
	case l.Entries() == 0:
		return []finding{{name, wrong, "crmbridge has written nothing on this node", "systemctl enable --now holdfast-crmbridge"}}
	}
	found := []finding{{Check: name, Grade: fine, What: fmt.Sprintf("%d entries in the journal", l.Entries())}}
	if _, problems := l.Verify(); len(problems) > 0 {
		found = append(found, finding{"Chain", wrong, fmt.Sprintf("%d problems in the chain of entries", len(problems)), "crmbridge verify says which"})
	}
	if l.Foreign > 0 {
		found = append(found, finding{"Chain", warning, fmt.Sprintf("%d entries of other programs pass themselves off as crmbridge's", l.Foreign), "journalctl SYSLOG_IDENTIFIER=crmbridge -o verbose shows who wrote them (_EXE, _UID)"})
	}
	if _, err := l.Records(); err != nil {
		found = append(found, finding{name, wrong, err.Error(), ""})
	}
	return append(found, watching(l))
}

// watching says whether the daemon has ended without beginning again.
func watching(l *journal.Log) finding {
	now := time.Now()
	for _, w := range l.Watched(now) {
		if w.To.Equal(now) {
			return finding{Check: "Daemon", Grade: fine, What: "it watches since " + w.From.Local().Format(time.DateTime)}
		}
	}
	return finding{"Daemon", wrong, "nobody watches on this node", "systemctl start holdfast-crmbridge"}
}
