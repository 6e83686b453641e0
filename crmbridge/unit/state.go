package unit

import (
	"errors"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// ErrMalformed is a property of a type that systemd never sends.
var ErrMalformed = errors.New("systemd sent something that it never sends")

// Moment is a time by both clocks of the machine; zero for never.
type Moment struct {
	Real      time.Time
	Monotonic time.Duration // since the machine started, without suspension
}

// IsZero says that it never was.
func (m Moment) IsZero() bool { return m.Monotonic == 0 && m.Real.IsZero() }

// State is what systemd says of a unit.
type State struct {
	Name     string // as mariadb.service
	Received time.Time
	Active   string // active, activating, deactivating, inactive, failed
	Sub      string // as running, dead
	Changed  Moment // of Active and Sub
	// The rest is a service's.
	MainPID uint32 // 0 while there is no process
	Result  string // success, or how it failed: signal, exit-code, timeout, ...
	Main    Process
}

// Process is the newest main process of a service, also after its end.
type Process struct {
	PID             uint32
	Started, Exited Moment // Exited is zero, or of the process before, while it runs
	Code            int32  // how it ended, as waitid(2) has it in si_code: 1 exited, 2 killed, 3 dumped
	Status          int32  // its exit status, or the signal
}

// Running says whether the main process is there.
func (s State) Running() bool { return s.MainPID != 0 }

// properties are a message's <a{sv}>.
type properties map[string]dbus.Variant

// merge takes over what a message says about a unit, and leaves the rest.
func (s *State) merge(p properties) error {
	m := merger{p: p}
	take(&m, "ActiveState", &s.Active)
	take(&m, "SubState", &s.Sub)
	m.moment("StateChangeTimestamp", &s.Changed)
	take(&m, "MainPID", &s.MainPID)
	take(&m, "Result", &s.Result)
	take(&m, "ExecMainPID", &s.Main.PID)
	m.moment("ExecMainStartTimestamp", &s.Main.Started)
	m.moment("ExecMainExitTimestamp", &s.Main.Exited)
	take(&m, "ExecMainCode", &s.Main.Code)
	take(&m, "ExecMainStatus", &s.Main.Status)
	return m.err
}

type merger struct {
	p   properties
	err error
}

func take[T any](m *merger, name string, to *T) {
	v, ok := m.p[name]
	if !ok {
		return
	}
	t, ok := v.Value().(T)
	if !ok {
		m.err = errors.Join(m.err, fmt.Errorf("%w: %s of the type %s", ErrMalformed, name, v.Signature()))
		return
	}
	*to = t
}

// moment takes a pair of properties, in microseconds; 0 is never.
func (m *merger) moment(name string, to *Moment) {
	var wall, monotonic uint64
	take(m, name, &wall)
	take(m, name+"Monotonic", &monotonic)
	if _, ok := m.p[name]; ok {
		to.Real = time.Time{}
		if wall != 0 {
			to.Real = time.UnixMicro(int64(wall))
		}
	}
	if _, ok := m.p[name+"Monotonic"]; ok {
		to.Monotonic = time.Duration(monotonic) * time.Microsecond
	}
}
