package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"holdfast/cib"
	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/journal"
	"holdfast/crmbridge/kernel"
)

// sane is the state of a cluster in which nothing is to be found.
func sane() cib.State {
	return cib.State{
		Cluster:    cib.Cluster{Quorate: true, DC: "1"},
		Nodes:      []cib.Node{{ID: "1", Name: "db1"}, {ID: "2", Name: "db2"}},
		NodeStates: []cib.NodeState{{ID: "1", Name: "db1", Member: true, Online: true}, {ID: "2", Name: "db2", Member: true, Online: true}},
		Properties: []cib.Property{{Name: "transition-delay", Value: "200ms"}},
		Resources:  []cib.Resource{{ID: "fence", Class: "stonith"}, {ID: "vip", Type: "IPaddr2"}, {ID: "galera", Type: "galera"}},
		Schedules: []cib.Schedule{
			{Resource: "fence", Action: "monitor", Interval: 2 * time.Minute},
			{Resource: "vip", Action: "monitor", Interval: 2 * time.Second, Timeout: 20 * time.Second},
			{Resource: "galera", Action: "start", Timeout: 2 * time.Minute}, {Resource: "galera", Action: "stop", Timeout: 2 * time.Minute},
			{Resource: "galera", Action: "promote", Timeout: time.Hour},
			{Resource: "galera", Action: "monitor", Role: "Unpromoted", Interval: 10 * time.Second},
			{Resource: "galera", Action: "monitor", Role: "Promoted", Interval: 2 * time.Second},
		},
	}
}

// schedule changes how the actions of a resource are configured.
func schedule(resource, action, role string, change func(*cib.Schedule)) func(*cib.State) {
	return func(s *cib.State) {
		for i := range s.Schedules {
			if x := &s.Schedules[i]; x.Resource == resource && x.Action == action && x.Role == role {
				change(x)
			}
		}
	}
}

func TestClusterChecks(t *testing.T) {
	property := func(name, value string) func(*cib.State) {
		return func(s *cib.State) { s.Properties = append(s.Properties, cib.Property{Name: name, Value: value}) }
	}
	for _, c := range []struct {
		name   string
		change func(*cib.State)
		want   grade
		says   string
	}{
		{"all is well", func(*cib.State) {}, fine, ""},
		{"no fencing", property("stonith-enabled", "false"), wrong, "may go on writing"},
		{"no fence device", func(s *cib.State) { s.Resources = s.Resources[1:] }, wrong, "no fence device"},
		{"quorum ignored", property("no-quorum-policy", "ignore"), wrong, "two halves"},
		{"maintenance", property("maintenance-mode", "true"), wrong, "nothing is monitored"},
		{"a plan in haste", func(s *cib.State) { s.Properties = nil }, warning, "pcs property set transition-delay=200ms"},
		{"a plan in haste, as asked for", func(s *cib.State) { s.Properties[0].Value = "0s" }, warning, "a second more"},
		{"the old name of the delay", func(s *cib.State) { s.Properties[0].Name = "crmd-transition-delay" }, fine, ""},
		{"a node is away", func(s *cib.State) { s.NodeStates[1].Online = false }, wrong, "db2 is not there"},
		{"no DC", func(s *cib.State) { s.Cluster.DC = "" }, wrong, "nobody decides"},
		{"standby", func(s *cib.State) {
			s.Attributes = append(s.Attributes, cib.Attribute{Node: "db2", Name: "standby", Value: "on"})
		}, warning, "db2 is on standby"},
		{"a constraint is left over", func(s *cib.State) {
			s.Constraints = append(s.Constraints, cib.Constraint{ID: "cli-prefer-vip", Resource: "vip"})
		}, warning, "pcs resource clear vip"},
		{"not managed", func(s *cib.State) {
			s.Settings = append(s.Settings, cib.Setting{Resource: "vip", Name: "is-managed", Value: "false"})
		}, wrong, "pcs resource manage vip"},
		{"a failure", func(s *cib.State) {
			s.Attributes = append(s.Attributes, cib.Attribute{Node: "db1", Name: "fail-count-galera#monitor_2000", Value: "1"})
		}, warning, "galera has failed on db1 (1 times)"},
		{"no address", func(s *cib.State) { s.Resources = append(s.Resources[:1:1], s.Resources[2]) }, warning, "cannot tell when the service was away"},
		{"a fence device that nobody looks at", schedule("fence", "monitor", "", func(x *cib.Schedule) { x.Disabled = true }), warning, "pcs stonith update fence op monitor"},
		{"an address that nobody looks at", schedule("vip", "monitor", "", func(x *cib.Schedule) { x.Interval = 0 }), wrong, "vip is not monitored"},
		{"an address that is looked at rarely", schedule("vip", "monitor", "", func(x *cib.Schedule) { x.Interval = time.Minute }), warning, "every 1m0s"},
		{"a promoted database that nobody looks at", schedule("galera", "monitor", "Promoted", func(x *cib.Schedule) { x.Role = "Unpromoted" }), wrong, "role=Promoted"},
		{"a monitor that may hang", schedule("galera", "monitor", "Promoted", func(x *cib.Schedule) { x.Timeout = 10 * time.Minute }), warning, "may take 10m0s"},
		{"a short stop", schedule("galera", "stop", "", func(x *cib.Schedule) { x.Timeout = 0 }), warning, "the stop of galera may take 20s only"},
		{"a short promotion", schedule("galera", "promote", "", func(x *cib.Schedule) { x.Timeout = time.Minute }), warning, "pcs resource update galera op promote timeout=3600s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sane()
			c.change(&s)
			var out bytes.Buffer
			worst := fine
			for _, f := range clusterChecks(s) {
				if f.Grade == wrong || f.Grade == warning && worst == fine {
					worst = f.Grade
				}
				if f.Grade != fine && f.Remedy == "" {
					t.Errorf("%s has no remedy", f.What)
				}
			}
			tellFindings(&out, clusterChecks(s))
			if worst != c.want || !strings.Contains(out.String(), c.says) {
				t.Errorf("%s, want %s with %q:\n%s", worst, c.want, c.says, out.String())
			}
		})
	}
}

func TestMachineChecks(t *testing.T) {
	for _, c := range []struct {
		got  finding
		want grade
	}{
		{clockCheck(kernel.Clock{Synchronized: true, MaxError: time.Millisecond}, nil), fine},
		{clockCheck(kernel.Clock{}, nil), warning},
		{clockCheck(kernel.Clock{}, errors.New("no")), warning},
		{persistence(t.TempDir()), fine},
		{persistence("/does/not/exist"), wrong},
		{quorumCheck(true, nil), fine},
		{quorumCheck(false, nil), wrong},
		{quorumCheck(false, errors.New("no")), wrong},
		{busCheck("", errors.New("no")), wrong},
		{tokenCheck(corosync.Settings{Token: time.Second}, nil)[0], fine},
		{tokenCheck(corosync.Settings{Token: time.Minute}, nil)[0], warning},
	} {
		if c.got.Grade != c.want {
			t.Errorf("%+v, want %s", c.got, c.want)
		}
	}
}

func TestJournalChecks(t *testing.T) {
	l, err := journal.Read(t.Context(), journal.Range{}, clusterJournal(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range journalChecks(l, nil)[:1] {
		if f.Grade != fine {
			t.Errorf("%+v", f)
		}
	}
	for name, f := range map[string]finding{"an empty journal": journalChecks(&journal.Log{}, nil)[0], "no journal": journalChecks(nil, errors.New("no"))[0]} {
		if f.Grade != wrong || name == "an empty journal" && f.Remedy == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestDoctorWithoutACluster: on a machine without one, everything is a finding and
// nothing hangs.
func TestDoctorWithoutACluster(t *testing.T) {
	findings := examine(t.Context())
	for _, f := range findings {
		if f.Check == "Pacemaker" && f.Grade != wrong {
			t.Errorf("%+v", f)
		}
	}
	if len(findings) < 5 {
		t.Errorf("only %d checks", len(findings))
	}
}
