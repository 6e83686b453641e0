package fault

import (
	"fmt"
	"slices"
	"time"
)

// Catalogue is every fault, the mildest first within each group.
func Catalogue() []Fault {
	return slices.Concat(database(), machine(), network(), daemons(), disk(), planned(), several())
}

// The scripts that several faults use.
const (
	// at tells when what follows happens, on one line (see [Struck]).
	at     = "date -u +'at %FT%T.%NZ'; "
	wake   = "systemctl kill --kill-whom=main --signal=CONT mariadb.service 2>/dev/null || true"
	reopen = "nft delete table inet holdfast_chaos 2>/dev/null || true"
	deaf   = "nft add table inet holdfast_chaos; nft 'add chain inet holdfast_chaos in { type filter hook input priority -10; }'; " + at + "nft 'add rule inet holdfast_chaos in ip saddr { {peers} } drop'"
	mute   = "nft add table inet holdfast_chaos; nft 'add chain inet holdfast_chaos out { type filter hook output priority -10; }'; " + at + "nft 'add rule inet holdfast_chaos out ip daddr { {peers} } drop'"
)

// signal sends the main process of a unit a signal. The shell does it itself: systemctl
// would take its time between at and the signal.
func signal(unit, name string) string {
	return "pid=$(systemctl show --property=MainPID --value " + unit + "); [ \"$pid\" -gt 1 ]; " + at + "kill -" + name + " \"$pid\""
}

func kill() string { return signal("mariadb.service", "KILL") }

// lossless is what is expected of every fault.
const lossless = " No acknowledged write is lost."

func on(role Role, verb Verb) Step            { return Step{Verb: verb, On: role} }
func run(role Role, script string) Step       { return Step{Verb: Script, On: role, Script: script} }
func (s Step) after(pause time.Duration) Step { s.Pause = pause; return s }

// pair is a fault on the node with the address and the same on another one.
func pair(name, what, expected, expectedOther string, inject, undo []Step, hold time.Duration) []Fault {
	return []Fault{
		{Name: name, Description: what + " on the node that holds the address.", Expected: expected + lossless,
			Inject: inject, Undo: undo, Hold: hold},
		{Name: name + "-other", Description: what + " on a node that does not hold the address.", Expected: expectedOther + lossless,
			Inject: elsewhere(inject), Undo: elsewhere(undo), Hold: hold},
	}
}

func elsewhere(steps []Step) []Step {
	moved := slices.Clone(steps)
	for i := range moved {
		if moved[i].On == Holder {
			moved[i].On = Other
		}
	}
	return moved
}

const (
	moves  = "The address moves to another node; the database is started again and catches up."
	stalls = "Commits wait until Galera gives the node up, then go on; the address stays."
)

func database() []Fault {
	return slices.Concat(
		pair("database-kill", "mariadbd is killed (SIGKILL)", moves, stalls, []Step{run(Holder, kill())}, nil, 0),
		pair("database-hang", "mariadbd is stopped in its tracks (SIGSTOP)", moves, stalls,
			[]Step{run(Holder, signal("mariadb.service", "STOP"))}, []Step{run(Holder, wake)}, 0),
		pair("database-stop", "mariadb.service is stopped in good order, behind the cluster's back", moves,
			"Nothing is felt; the database is started again.", []Step{run(Holder, at+"systemctl stop --no-block mariadb.service")}, nil, 0),
	)
}

func machine() []Fault {
	return slices.Concat(
		pair("power-cut", "The power fails", "The address moves; the node is fenced and comes back.", stalls+" The node is fenced and comes back.",
			[]Step{on(Holder, PowerOff)}, []Step{on(Holder, PowerOn)}, 0),
		pair("kernel-crash", "The kernel panics", "The address moves; the node is fenced and comes back.", stalls+" The node is fenced and comes back.",
			[]Step{on(Holder, Crash)}, nil, 0),
		pair("machine-freeze", "Every process stands still, as in a virtual machine that is paused", "The address moves; the node is fenced and comes back.",
			stalls+" The node is fenced and comes back.", []Step{on(Holder, Freeze)}, []Step{on(Holder, Thaw)}, 0),
	)
}

func network() []Fault {
	isolated := "The node loses its quorum and is fenced; the address moves. Never two primary components."
	return slices.Concat(
		pair("cable-out", "The network cable is pulled", isolated, stalls+" The node is fenced.",
			[]Step{on(Holder, CableOut)}, []Step{on(Holder, CableIn)}, 0),
		pair("cut-off-from-peers", "Nothing passes between the node and its peers, while clients still reach it", isolated, stalls+" The node is fenced.",
			[]Step{run(Holder, deaf+"; "+mute)}, []Step{run(Holder, reopen)}, 0),
		pair("one-way-deaf", "The node does not hear its peers, which hear it", isolated, stalls+" One of them is fenced.",
			[]Step{run(Holder, deaf)}, []Step{run(Holder, reopen)}, 0),
		pair("one-way-mute", "The peers do not hear the node, which hears them", isolated, stalls+" One of them is fenced.",
			[]Step{run(Holder, mute)}, []Step{run(Holder, reopen)}, 0),
		[]Fault{
			{Name: "cable-flapping", Description: "The cable of the node that holds the address is out for 0.4 s and in for 0.6 s, five times.",
				Expected: "The address stays or moves, but is back soon after the last time." + lossless,
				Inject:   flapping(5, 400*time.Millisecond, 600*time.Millisecond), Undo: []Step{on(Holder, CableIn)}},
			{Name: "address-deleted", Description: "The floating address is deleted from its interface behind the cluster's back.",
				Expected: "The monitor finds it missing and it is set again." + lossless,
				Inject: []Step{run(Holder, `dev=$(ip -o -4 address show to {address} | awk '{print $2; exit}'); `+
					`prefix=$(ip -o -4 address show to {address} | awk '{print $4; exit}'); `+at+`ip address delete "$prefix" dev "$dev"`)}},
		})
}

func flapping(times int, out, in time.Duration) []Step {
	var steps []Step
	for range times {
		steps = append(steps, on(Holder, CableOut).after(in), on(Holder, CableIn).after(out))
	}
	steps[0].Pause = 0
	return steps
}

func daemons() []Fault {
	fenced := "The node is fenced and comes back; the address moves."
	return slices.Concat(
		pair("corosync-kill", "corosync is killed (SIGKILL)", fenced, "The node is fenced and comes back; the address stays.",
			[]Step{run(Holder, signal("corosync.service", "KILL"))}, nil, 0),
		pair("pacemakerd-kill", "pacemakerd is killed (SIGKILL)", "It is started again and finds everything as it was; nothing is felt.",
			"It is started again and finds everything as it was; nothing is felt.",
			[]Step{run(Holder, signal("pacemaker.service", "KILL"))}, nil, 0),
	)
}

func disk() []Fault {
	return slices.Concat(
		pair("disk-full", "The file system of the database is filled to its last byte", moves, stalls,
			[]Step{on(Holder, DiskFull)}, []Step{on(Holder, DiskFree)}, 10*time.Second),
		pair("disk-stalled", "Every write to the file system of the database hangs", moves, stalls,
			[]Step{on(Holder, DiskHold)}, []Step{on(Holder, DiskFree)}, 10*time.Second),
	)
}

// SettleLimit is how long an operator waits for the cluster to have done what was asked. It does not
// end before a node that joins has caught up, which takes minutes when the machines are busy.
const SettleLimit = 300 * time.Second

// settle waits for that, and says so when it does not come.
func settle(limit time.Duration) string {
	return fmt.Sprintf("crm_resource --wait --timeout=%.0fs || { rc=$?; [ $rc -ne 124 ] || "+
		"echo 'the cluster had not settled when an operator had waited for %.0f s (crm_resource --wait)' >&2; exit $rc; }", limit.Seconds(), limit.Seconds())
}

func planned() []Fault {
	// What is asked for is in the CIB when the command returns.
	const asked = "; " + at
	standby := run(Holder, "crm_attribute --node {node} --name standby --update on"+asked)
	unstandby := run(Holder, "crm_attribute --node {node} --name standby --delete")
	settled := settle(SettleLimit)
	return []Fault{
		{Name: "planned-move", Description: "An operator moves the address to another node.",
			Expected: "The address moves at once; no write fails for long." + lossless,
			Inject:   []Step{run(Holder, "crm_resource --move --resource {resource} --node {other}"+asked)},
			Undo:     []Step{run(Holder, "crm_resource --clear --resource {resource}")}},
		{Name: "standby", Description: "An operator puts the node that holds the address into standby.",
			Expected: "The address moves, the database leaves in good order; it is back after the standby." + lossless,
			Inject:   []Step{standby}, Undo: []Step{unstandby}, Hold: 8 * time.Second},
		{Name: "rolling-restart", Description: "An operator restarts the database on every node in turn, the node with the address last.",
			Expected: "The address moves once; no write fails for long." + lossless,
			Inject: []Step{{Verb: Script, On: InTurn, Script: "crm_attribute --node {node} --name standby --update on" + asked + settled +
				"; crm_attribute --node {node} --name standby --delete; " + settled}},
			Undo: []Step{{Verb: Script, On: Each, Script: "crm_attribute --node {node} --name standby --delete"}}},
	}
}

func several() []Fault {
	return []Fault{
		{Name: "second-fault", Description: "mariadbd is killed on the node that holds the address, and half a second later on another one.",
			Expected: "The one that is left serves, or the service waits for the first that is back." + lossless,
			Inject:   []Step{run(Holder, kill()), run(Other, kill()).after(500 * time.Millisecond)}},
		{Name: "two-nodes-power-cut", Description: "The node that holds the address and another one lose their power at the same moment.",
			Expected: "The one that is left has no quorum and refuses; when the power is back the service is." + lossless,
			Inject:   []Step{on(Holder, PowerOff), {Verb: PowerOff, On: Other, Along: true}}, Undo: []Step{on(Holder, PowerOn), on(Other, PowerOn)}, Hold: 5 * time.Second, UndoFirst: true},
		{Name: "all-databases-kill", Description: "mariadbd is killed on every node at once.",
			Expected: "The cluster starts again from the node with the most recent data." + lossless,
			Inject:   []Step{run(Each, kill())}},
		{Name: "all-power-cut", Description: "Every node loses its power at once.",
			Expected: "When the power is back the cluster starts again from the node with the most recent data." + lossless,
			Inject:   []Step{on(Each, PowerOff)}, Undo: []Step{on(Each, PowerOn)}, Hold: 3 * time.Second, UndoFirst: true},
	}
}
