package main

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/cib"
	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journalctl"
	"holdfast/crmbridge/kernel"
	"holdfast/crmbridge/pacemaker"
	"holdfast/crmbridge/unit"
)

// noon is when the stories of this file begin.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// story is what a source said, some seconds after noon.
type story struct {
	source sourceName
	after  time.Duration
	what   any
}

// says is, in a story, what a program said at noon, and when that was heard.
func says(after time.Duration, program, message string) story {
	return story{sourceJournal, after, journalctl.Line{At: noon, Identifier: program, Message: message}}
}

// inWords are the events of a story.
func inWords(t *testing.T, lines []story) []string {
	t.Helper()
	translator := newTranslator("db1", stillMachine{})
	translator.clockRead, translator.clock = noon, incident.Clock{Synchronised: true}
	var out bytes.Buffer
	for _, l := range lines {
		if _, ok := l.what.(losesClock); ok {
			translator.machine = lostMachine{}
		}
		for _, e := range translator.events(observation{l.source, noon.Add(l.after), l.what}) {
			tellEvent(&out, e)
		}
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

// losesClock is, in a story, that nobody keeps the clock right from then on.
type losesClock struct{}

type lostMachine struct{ stillMachine }

func (lostMachine) clock() (kernel.Clock, error) {
	return kernel.Clock{MaxError: 16 * time.Second}, nil
}

func at(s time.Duration) unit.Moment {
	return unit.Moment{Real: noon.Add(s), Monotonic: time.Hour + s}
}

func TestEvents(t *testing.T) {
	const s = time.Second
	version := cib.Version{Epoch: 3, NumUpdates: 1}
	start := cib.Operation{NodeID: "1", Node: "db1", Resource: "vip", Entry: "vip_last_0", Action: "start", CallID: 7, Exec: 1500 * time.Millisecond,
		Changed: noon.Add(3 * s), Transition: cib.Transition{Action: 4, Number: 9, DC: "dc"}, Magic: "0:0;4:9:0:dc"}
	pending := start
	pending.Status, pending.RC, pending.CallID, pending.Magic = cib.StatusPending, 193, -1, "-1:193;4:9:0:dc"
	again := start
	again.Refreshed = true
	stuck := start
	stuck.Action, stuck.RC, stuck.Changed, stuck.Exec, stuck.Magic = "stop", 1, noon.Add(5*s), 900*time.Millisecond, "0:1;6:9:0:dc"
	member := cib.NodeState{ID: "1", Name: "db1", Member: true, Online: true, Join: "member", Expected: "member"}
	unfit := cib.Operation{NodeID: "2", Node: "db2", Resource: "galera", Entry: "galera_last_failure_0", Action: "monitor", CallID: 9, RC: 1,
		Changed: noon.Add(-9 * s), Transition: cib.Transition{Action: 5, Number: 9, Target: 8, DC: "dc"}, Magic: "0:1;5:9:8:dc"}
	unfitAgain := unfit
	unfitAgain.Changed, unfitAgain.Magic = noon.Add(4*s), "0:1;6:10:8:dc"
	three := corosync.Settings{Nodes: []corosync.Node{{ID: 1, Name: "db1"}, {ID: 2, Name: "db2"}, {ID: 3, Name: "db3"}}}
	ring := corosync.Ring{Node: 1, Sequence: 27}
	running := unit.State{Name: "mariadb.service", Active: "active", MainPID: 10, Main: unit.Process{PID: 10, Started: at(-60 * s)}}
	died := running
	died.MainPID, died.Result, died.Main = 0, "signal", unit.Process{PID: 10, Started: at(-60 * s), Exited: at(2 * s), Code: 2, Status: 9}
	failed := died
	failed.Active = "failed"
	reboot := pacemaker.Fencing{Target: "db3", Action: "reboot", Origin: "db2", Client: "pacemaker-controld.7", State: pacemaker.FencingQuery}
	done := reboot
	done.State, done.Completed = pacemaker.FencingDone, noon.Add(4*s)
	ended := done
	ended.Operation, ended.Completed = "uuid", time.Time{}
	vip := netip.MustParsePrefix("192.0.2.1/24")
	for _, tt := range []struct {
		name  string
		lines []story
		want  []string
	}{
		{"an operation, and its history written again", []story{
			{sourceCIB, 1 * s, cibChanged{version: version, changes: []cib.Change{{After: pending}}}},
			{sourceCIB, 2 * s, cibChanged{version: version, changes: []cib.Change{{Before: pending, After: start}}}},
			{sourceCIB, 3 * s, cibChanged{version: version, changes: []cib.Change{{Before: start}}}},
			{sourceCIB, 4 * s, cibChanged{version: version, changes: []cib.Change{{After: again}}}},
		}, []string{"12:00:01.000 cib      operation-begun vip start rc=193 on db1", "12:00:02.000 cib      operation-ended vip start rc=0 on db1"}},
		{"a result that comes with a history written again", []story{
			{sourceCIB, 9 * s, cibChanged{version: version, changes: []cib.Change{{After: again}}}},
		}, []string{"12:00:04.500 cib      operation-ended vip start rc=0 on db1 estimated"}},
		{"a CIB that lags behind", []story{
			{sourceCIB, 4200 * time.Millisecond, cibChanged{version: version, changes: []cib.Change{{After: pending}}}},
			{sourceCIB, 6100 * time.Millisecond, cibChanged{version: version, changes: []cib.Change{{Before: pending, After: start}}}},
		}, []string{"12:00:04.200 cib      operation-begun vip start rc=193 on db1", "12:00:06.100 cib      operation-ended vip start rc=0 on db1 estimated"}},
		{"an old success written again after a failure", []story{
			{sourceCIB, 6 * s, cibChanged{version: version, changes: []cib.Change{{After: stuck}}}},
			{sourceCIB, 7 * s, cibChanged{version: version, changes: []cib.Change{{Before: stuck}}}},
			{sourceCIB, 8 * s, cibChanged{version: version, changes: []cib.Change{{After: again}}}},
		}, []string{"12:00:06.000 cib      operation-ended vip stop rc=1 on db1 FAILED"}},
		{"a blind time", []story{
			{sourceCIB, 0, seeing{}},
			{sourceCIB, 0, cibRead{version: version}},
			{sourceCIB, 1 * s, blind{"evicted"}},
			{sourceCIB, 6 * s, seeing{since: noon.Add(1 * s)}},
			{sourceCIB, 6 * s, cibRead{version: version, changes: []cib.Change{{After: start}}}},
			{sourceCIB, 7 * s, cibChanged{version: version, changes: []cib.Change{{Before: cib.Cluster{DC: "1"}, After: cib.Cluster{DC: "2"}}}}},
		}, []string{
			"12:00:01.000 cib      gap on db1",
			"12:00:01.000 cib      gap on db1",
			"12:00:04.500 cib      operation-ended vip start rc=0 on db1 estimated",
			"12:00:07.000 cib      dc-changed on 2",
		}},
		{"a cluster that starts after us", []story{
			{sourceCIB, 0, blind{"connection refused"}},
			{sourceQuorum, 0, blind{"connection refused"}},
			{sourceCIB, 5 * s, seeing{since: noon}},
			{sourceCIB, 5 * s, cibRead{version: version, facts: []cib.Fact{cib.Cluster{DC: "2"}}}},
			{sourceQuorum, 6 * s, seeing{since: noon}},
			{sourceQuorum, 6 * s, three},
			{sourceQuorum, 6 * s, corosync.Event{Kind: corosync.Membership, Ring: ring, Members: []uint32{1}}},
		}, []string{
			"12:00:00.000 cib      gap on db1", "12:00:00.000 corosync gap on db1",
			"12:00:00.000 cib      gap on db1", "12:00:05.000 cib      dc-changed on 2 initial",
			"12:00:00.000 corosync gap on db1", "12:00:06.000 corosync node-joined on db1 initial",
		}},
		{"a failure from before this node came back", []story{
			{sourceCIB, 0, cibRead{version: version, facts: []cib.Fact{cib.Cluster{DC: "2"}, cib.NodeState{ID: "1", Name: "db1", Member: true}}}},
			{sourceCIB, 1 * s, cibChanged{version: version, changes: []cib.Change{{After: cib.NodeState{ID: "1", Name: "db1", Member: true, Online: true}}}}},
			{sourceCIB, 2 * s, cibChanged{version: version, changes: []cib.Change{{After: unfit}, {After: pending}, {After: member}}}},
			{sourceCIB, 3 * s, cibChanged{version: version, changes: []cib.Change{{Before: pending, After: start}}}},
			{sourceCIB, 4 * s, cibChanged{version: version, changes: []cib.Change{{Before: unfit, After: unfitAgain}}}},
		}, []string{
			"12:00:00.000 cib      dc-changed on 2 initial", "12:00:00.000 cib      node-changed on db1 initial", "12:00:01.000 cib      node-changed on db1",
			"12:00:02.000 cib      operation-begun vip start rc=193 on db1 initial", "12:00:02.000 cib      node-changed on db1",
			"12:00:03.000 cib      operation-ended vip start rc=0 on db1", "12:00:04.000 cib      operation-ended galera monitor rc=1 on db2 FAILED",
		}},
		{"who changed the configuration is only known when it changed", []story{
			{sourceCIB, 0, cibRead{version: version}},
			{sourceCIB, 1 * s, cibChanged{version: cib.Version{Epoch: 4}, client: "cibadmin", user: "root", changes: []cib.Change{{After: cib.Constraint{ID: "cli-ban-vip", Resource: "vip", Node: "db1"}}}}},
			{sourceCIB, 2 * s, cibChanged{version: cib.Version{Epoch: 4, NumUpdates: 1}, client: "cibadmin", user: "root", changes: []cib.Change{{After: cib.Attribute{Node: "db1", Name: "standby", Value: "on", Transient: true}}}}},
			{sourceCIB, 3 * s, cibChanged{version: cib.Version{Epoch: 5}, client: "crmd", changes: []cib.Change{{After: cib.Constraint{ID: "by-pcs", Resource: "vip", Node: "db1"}}}}},
		}, []string{"12:00:01.000 cib      constraint-set cli-ban-vip on db1 by cibadmin (root)", "12:00:02.000 cib      standby-set on db1"}},
		{"fencing begins in the history and ends in an event", []story{
			{sourceFencer, 0, fencingSeen{}},
			{sourceFencer, 1 * s, fencingSeen{history: []pacemaker.Fencing{reboot}}},
			{sourceFencer, 2 * s, fencingSeen{history: []pacemaker.Fencing{reboot}}},
			{sourceFencer, 5 * s, fencingSeen{ended: &ended, history: []pacemaker.Fencing{done}}},
			{sourceFencer, 6 * s, fencingSeen{history: []pacemaker.Fencing{done}}},
		}, []string{"12:00:01.000 fencer   fencing-requested on db3", "12:00:05.000 fencer   fencing-ended on db3"}},
		{"fencing that ended while nobody listened", []story{
			{sourceFencer, 0, fencingSeen{}},
			{sourceFencer, 1 * s, blind{"gone"}},
			{sourceFencer, 9 * s, seeing{since: noon.Add(1 * s)}},
			{sourceFencer, 9 * s, fencingSeen{history: []pacemaker.Fencing{done}}},
		}, []string{"12:00:01.000 fencer   gap on db1", "12:00:01.000 fencer   gap on db1", "12:00:04.000 fencer   fencing-ended on db3 log"}},
		{"a node leaves, and quorum with it", []story{
			{sourceQuorum, 0, three},
			{sourceQuorum, 0, corosync.Event{Kind: corosync.Membership, Ring: ring, Members: []uint32{1, 2}}},
			{sourceQuorum, 0, corosync.Event{Kind: corosync.QuorumChanged, Ring: ring, Quorate: true}},
			{sourceQuorum, 1 * s, corosync.Event{Kind: corosync.Membership, Ring: ring, Members: []uint32{1}}},
			{sourceQuorum, 1 * s, corosync.Event{Kind: corosync.QuorumChanged, Ring: ring}},
			{sourceQuorum, 1 * s, corosync.Event{Kind: corosync.QuorumChanged, Ring: ring}},
		}, []string{
			"12:00:00.000 corosync node-joined on db1 initial", "12:00:00.000 corosync node-joined on db2 initial", "12:00:00.000 corosync quorum-gained on db1 initial",
			"12:00:01.000 corosync node-left on db2", "12:00:01.000 corosync quorum-lost on db1",
		}},
		{"a killed process has systemd's time", []story{
			{sourceUnits, 0, running},
			{sourceUnits, 3 * s, died},
			{sourceUnits, 3 * s, failed},
		}, []string{"11:59:00.000 systemd  unit-started mariadb.service on db1 initial", "12:00:02.000 systemd  unit-died mariadb.service on db1"}},
		{"an address that is told twice", []story{
			{sourceAddresses, 0, addressesRead{{Address: netip.MustParsePrefix("127.0.0.1/8"), Present: true}}},
			{sourceAddresses, 1 * s, kernel.Address{Address: vip, Present: true}},
			{sourceAddresses, 2 * s, kernel.Address{Address: vip, Present: true}},
			{sourceAddresses, 3 * s, kernel.Address{Address: vip}},
			{sourceAddresses, 3 * s, kernel.Address{Address: vip}},
		}, []string{"12:00:00.000 kernel   address-added 127.0.0.1/8 on db1 initial", "12:00:01.000 kernel   address-added 192.0.2.1/24 on db1", "12:00:03.000 kernel   address-removed 192.0.2.1/24 on db1"}},
		{"an address that left while nobody listened", []story{
			{sourceAddresses, 0, addressesRead{{Address: vip, Present: true}}},
			{sourceAddresses, 9 * s, seeing{since: noon.Add(1 * s)}},
			{sourceAddresses, 9 * s, addressesRead{}},
		}, []string{"12:00:00.000 kernel   address-added 192.0.2.1/24 on db1 initial", "12:00:01.000 kernel   gap on db1", "12:00:09.000 kernel   address-removed 192.0.2.1/24 on db1 estimated"}},
		{"the clock", []story{
			{sourceClock, 0, seeing{}},
			{sourceClock, 1 * s, kernel.Step{By: -time.Hour}},
		}, []string{"12:00:00.000 kernel   clock-changed on db1 initial", "12:00:01.000 kernel   clock-changed on db1"}},
		{"a clock that nobody keeps right any more", []story{
			{sourceAddresses, 0, addressesRead{}},
			{sourceAddresses, 1 * s, kernel.Address{Address: vip, Present: true}},
			{sourceAddresses, 61 * s, losesClock{}},
			{sourceAddresses, 62 * s, kernel.Address{Address: vip}},
			{sourceAddresses, 63 * s, kernel.Address{Address: vip, Present: true}},
		}, []string{
			"12:00:01.000 kernel   address-added 192.0.2.1/24 on db1",
			"12:01:02.000 kernel   clock-changed on db1 initial", "12:01:02.000 kernel   address-removed 192.0.2.1/24 on db1",
			"12:01:03.000 kernel   address-added 192.0.2.1/24 on db1",
		}},
		{"words at the time they were said", []story{
			{sourceQuorum, 1 * s, corosync.Settings{Hold: 66 * time.Millisecond}},
			says(1*s, "pacemaker-schedulerd", " warning: Calculated transition 21 (with warnings), saving inputs in /var/lib/pacemaker/pengine/pe-warn-0.bz2"),
			says(1*s, "pacemaker-controld", " notice: Transition 21 (Complete=10, Pending=0, Fired=0, Skipped=0, Incomplete=0, Source=/var/lib/pacemaker/pengine/pe-warn-0.bz2): Complete"),
			says(1*s, "corosync", "  [TOTEM ] Token has not been received in 300 ms "),
			says(1*s, "somebody", "  [TOTEM ] Token has not been received in 300 ms "),
			says(1*s, "mariadbd", "2026-11-23 12:49:39 0 [Note] WSREP: New COMPONENT: primary = no, bootstrap = no, my_idx = 0, memb_num = 1"),
			says(1*s, "mariadbd", "2026-11-23 12:49:39 2 [Note] WSREP: ####### processing CC -1, local, unordered"),
			says(1*s, "mariadbd", "2026-11-23 12:49:39 0 [Note] WSREP: Server status change joined -> synced"),
			says(2*s, "mariadbd", "2026-11-23 12:49:40 0 [Note] WSREP: Passing config to GCS: base_dir = /var/lib/mysql/; evs.inactive_check_period = PT0.100S; evs.send_window = 4; evs.suspect_timeout = PT0.500S; gcache.dir = /var/lib/mysql/"),
			says(2*s, "mariadbd", "2026-11-23 12:49:40 0 [Note] WSREP: evs::proto(17bc54a0-94b0, OPERATIONAL, view_id(REG,006b9bf6-a9c7,5)) suspecting node: 084885a5-a76a"),
			says(2*s, "mariadbd", "2026-11-23 12:49:40 0 [Note] WSREP: evs::proto(17bc54a0-94b0, GATHER, view_id(REG,006b9bf6-a9c7,5)) suspecting node: 084885a5-a76a"),
			says(2*s, "mariadbd", "2026-11-23 12:49:40 0 [Note] WSREP: New COMPONENT: primary = yes, bootstrap = no, my_idx = 0, memb_num = 2"),
			says(2*s, "mariadbd", "2026-11-23 12:49:40 1 [Note] WSREP: ####### processing CC 5476, local, ordered"),
			says(2*s, "mariadbd", "2026-11-23 12:49:40 1 [Note] WSREP: ####### processing CC 5476, local, ordered"),
		}, []string{
			"12:00:00.000 journal  transition-begun on db1 log", "12:00:00.000 journal  transition-ended on db1 log", "12:00:00.000 journal  token-lost token=267 ms on db1 log",
			"12:00:00.000 journal  view-changed on db1 log", "12:00:00.000 journal  database-changed on db1 log",
			"12:00:00.000 journal  peer-suspected silence=550 ms on db1 log",
			"12:00:00.000 journal  view-changed on db1 log", "12:00:00.000 journal  view-changed applied on db1 log",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, inWords(t, tt.lines)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestUnitTellsAnOrderedStop from a death.
func TestUnitTellsAnOrderedStop(t *testing.T) {
	running := unit.State{Name: "mariadb.service", Active: "active", MainPID: 10, Main: unit.Process{PID: 10, Started: at(0)}}
	stopping := running
	stopping.Active = "deactivating"
	gone := stopping
	gone.MainPID, gone.Main.Exited, gone.Main.Code = 0, at(time.Second), 1
	for _, tt := range []struct {
		name   string
		states []unit.State
		job    bool
	}{{"stopped", []unit.State{running, stopping, gone}, true}, {"died", []unit.State{running, {Name: running.Name, Active: "active", Main: gone.Main}}, false}} {
		tr := newTranslator("db1", stillMachine{})
		var last []bool
		for _, s := range tt.states {
			for _, e := range tr.meaning(observation{sourceUnits, noon, s}) {
				last = append(last, e.Unit.Job)
			}
		}
		if len(last) != 2 || last[1] != tt.job {
			t.Errorf("%s: %v", tt.name, last)
		}
	}
}

// hiddenMachine is one whose kernel does not say how its clock is, as with ProtectClock= of systemd.exec(5).
type hiddenMachine struct{ stillMachine }

func (hiddenMachine) clock() (kernel.Clock, error) {
	return kernel.Clock{}, errors.New("operation not permitted")
}

func TestClockThatIsSetIsToldEvenIfNobodyKnowsHowGoodItIs(t *testing.T) {
	translator := newTranslator("db1", hiddenMachine{})
	for _, c := range []struct {
		what    any
		stepped time.Duration
	}{{seeing{}, 0}, {kernel.Step{By: -time.Hour}, -time.Hour}} {
		events := translator.events(observation{sourceClock, noon, c.what})
		want := incident.Clock{Stepped: c.stepped, Unread: "operation not permitted"}
		if len(events) != 1 || events[0].Kind != incident.ClockChanged || events[0].Clock != want {
			t.Errorf("%+v: %+v, want the clock %+v", c.what, events, want)
		}
	}
	later := translator.events(observation{sourceAddresses, noon.Add(2 * clockAge), kernel.Address{Address: netip.MustParsePrefix("192.0.2.1/24"), Present: true}})
	if len(later) != 1 || later[0].Kind != incident.AddressAdded {
		t.Errorf("%+v; nothing is new but the address", later)
	}
}
