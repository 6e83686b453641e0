package unit

import (
	"errors"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
)

// TestMergeKilledService is the order of a killed service: first its process, then the
// unit, as systemd 252 sends them.
func TestMergeKilledService(t *testing.T) {
	s := State{Name: "mariadb.service", Active: "active", Sub: "running", MainPID: 824, Result: "success"}
	for _, p := range []properties{
		{
			"MainPID": dbus.MakeVariant(uint32(0)), "Result": dbus.MakeVariant("signal"),
			"ExecMainCode": dbus.MakeVariant(int32(2)), "ExecMainStatus": dbus.MakeVariant(int32(9)),
			"ExecMainExitTimestamp":          dbus.MakeVariant(uint64(1_795_438_227_925_762)),
			"ExecMainExitTimestampMonotonic": dbus.MakeVariant(uint64(22_937_243_002)),
			"ControlPID":                     dbus.MakeVariant("of no interest"),
		},
		{"ActiveState": dbus.MakeVariant("failed"), "SubState": dbus.MakeVariant("failed")},
	} {
		if err := s.merge(p); err != nil {
			t.Fatal(err)
		}
	}
	want := State{
		Name: "mariadb.service", Active: "failed", Sub: "failed", Result: "signal",
		Main: Process{Code: 2, Status: 9, Exited: Moment{Real: time.UnixMicro(1_795_438_227_925_762), Monotonic: 22937243002 * time.Microsecond}},
	}
	if diff := cmp.Diff(want, s); diff != "" || s.Running() {
		t.Errorf("running %v, -want +got:\n%s", s.Running(), diff)
	}
}

func TestMergeRefusesOtherTypes(t *testing.T) {
	s := State{Active: "active"}
	err := s.merge(properties{"ActiveState": dbus.MakeVariant(7), "MainPID": dbus.MakeVariant(int64(1))})
	if !errors.Is(err, ErrMalformed) || s.Active != "active" || s.MainPID != 0 {
		t.Errorf("%v, %+v", err, s)
	}
}

func TestKnownIsWhatMergeTakes(t *testing.T) {
	for _, name := range []string{"ActiveState", "SubState", "Result"} {
		s := State{}
		if err := s.merge(properties{name: dbus.MakeVariant("x")}); err != nil || s == (State{}) || !known(name) {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
	}
	for _, name := range []string{"StateChangeTimestamp", "ExecMainStartTimestamp", "ExecMainExitTimestamp"} {
		for _, clock := range []string{"", "Monotonic"} {
			s := State{}
			if err := s.merge(properties{name + clock: dbus.MakeVariant(uint64(1))}); err != nil || s == (State{}) || !known(name+clock) {
				t.Errorf("%s: %v, %+v", name+clock, err, s)
			}
		}
	}
	if known("ControlPID") {
		t.Error("ControlPID is of no interest")
	}
}
