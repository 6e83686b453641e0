package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/cib"
	"holdfast/crmbridge/corosync"
)

// What is too long or too short of the times that decide how fast something is noticed,
// and how soon the cluster gives something up.
const (
	// lateNotice is from which interval on a monitor is what an interruption consists of.
	lateNotice = 10 * time.Second
	// defaultTimeout is Pacemaker's, for an action without one (Pacemaker Explained,
	// Operation Properties).
	defaultTimeout = 20 * time.Second
	// A database that is stopped writes what it has in memory, and one that starts recovers.
	// A stop that is not waited for ends in fencing.
	shortStop = 60 * time.Second
	// A promotion includes a state transfer of the whole database, perhaps.
	shortPromote = 300 * time.Second
	// lateToken is from where on the loss of a node is noticed late.
	lateToken = 5 * time.Second
)

// timingChecks are about monitors and timeouts. Without them records are right, and tell
// of interruptions that need not have been that long.
func timingChecks(s cib.State) []finding {
	var found []finding
	for _, r := range s.Resources {
		switch {
		case r.Class == "stonith":
			found = append(found, monitored(s, r, "", time.Hour, "60s")...)
		case r.Type == "IPaddr2":
			found = append(found, monitored(s, r, "", lateNotice, "2s")...)
		case r.Type == "galera":
			// Pacemaker tells monitors apart by their intervals, and runs one for each role.
			found = append(found, monitored(s, r, "Promoted", lateNotice, "2s")...)
			found = append(found, waitedFor(s, r, "stop", shortStop, "120s", "a stop that is not waited for gets the node fenced")...)
			found = append(found, waitedFor(s, r, "start", shortStop, "120s", "the recovery of the database after a loss of power takes its time")...)
			found = append(found, waitedFor(s, r, "promote", shortPromote, "3600s", "a state transfer of the whole database may take longer")...)
		}
	}
	found = append(found, inHaste(s)...)
	if len(found) == 0 {
		found = append(found, finding{Check: "Timing", Grade: fine, What: "monitors and timeouts are as they should be"})
	}
	return found
}

// inHaste checks that a plan is not asked for while the loss of a node is still being written down: then
// Pacemaker's controller sleeps for a second (do_pe_invoke_callback in controld_schedulerd.c of 2.1.5).
func inHaste(s cib.State) []finding {
	delay := s.Property("transition-delay", s.Property("crmd-transition-delay", "0"))
	if strings.Trim(delay, "0ms ") != "" {
		return nil
	}
	return []finding{{"Timing", warning, "transition-delay is not set: the loss of a node costs a second more than it must",
		"pcs property set transition-delay=200ms --force (pcs knows no milliseconds, Pacemaker does)"}}
}

// monitored checks the recurring monitor of a resource in a role.
func monitored(s cib.State, r cib.Resource, role string, longest time.Duration, better string) []finding {
	const name = "Timing"
	op := "op monitor interval=" + better
	if role != "" {
		op += " role=" + role
	}
	remedy := fmt.Sprintf("pcs resource update %s %s timeout=30s", r.ID, op)
	if r.Class == "stonith" {
		remedy = fmt.Sprintf("pcs stonith update %s %s", r.ID, op)
	}
	i := slices.IndexFunc(s.Schedules, func(x cib.Schedule) bool {
		return x.Resource == r.ID && x.Action == "monitor" && x.Interval > 0 && !x.Disabled && (x.Role == role || x.Role == "")
	})
	switch {
	case i < 0 && r.Class == "stonith":
		return []finding{{name, warning, r.ID + " is not monitored: that it cannot fence is noticed when it must", remedy}}
	case i < 0:
		return []finding{{name, wrong, r.ID + " is not monitored: that it failed is never noticed", remedy}}
	}
	var found []finding
	monitor := s.Schedules[i]
	if monitor.Interval > longest {
		found = append(found, finding{name, warning, fmt.Sprintf("%s is monitored every %v: a failure is noticed up to that late", r.ID, monitor.Interval), remedy})
	}
	if timeout := timeoutOf(monitor); timeout > 6*lateNotice {
		found = append(found, finding{name, warning, fmt.Sprintf("a monitor of %s may take %v: one that hangs is noticed that late", r.ID, timeout), remedy})
	}
	return found
}

// waitedFor checks that the cluster waits long enough for an action of a database.
func waitedFor(s cib.State, r cib.Resource, action string, shortest time.Duration, better, why string) []finding {
	timeout := defaultTimeout
	if i := slices.IndexFunc(s.Schedules, func(x cib.Schedule) bool { return x.Resource == r.ID && x.Action == action }); i >= 0 {
		timeout = timeoutOf(s.Schedules[i])
	}
	if timeout >= shortest {
		return nil
	}
	return []finding{{"Timing", warning, fmt.Sprintf("the %s of %s may take %v only: %s", action, r.ID, timeout, why),
		fmt.Sprintf("pcs resource update %s op %s timeout=%s", r.ID, action, better)}}
}

func timeoutOf(s cib.Schedule) time.Duration {
	if s.Timeout == 0 {
		return defaultTimeout
	}
	return s.Timeout
}

// tokenCheck is about how soon Corosync notices that a node is gone.
func tokenCheck(s corosync.Settings, err error) []finding {
	switch {
	case err != nil:
		return nil // that Corosync does not answer is a finding already
	case s.Token > lateToken:
		return []finding{{"Timing", warning, fmt.Sprintf("Corosync waits %v for the token: the loss of a node is noticed that late", s.Token),
			"pcs cluster config update totem token=1000, and take what corosync.conf(5) says of a busy network into account"}}
	}
	return []finding{{Check: "Timing", Grade: fine, What: fmt.Sprintf("a node is lost when the token is away for %v", s.Token)}}
}
