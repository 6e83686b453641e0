package unit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	systemd        = "org.freedesktop.systemd1"
	manager        = "org.freedesktop.systemd1.Manager"
	managerPath    = "/org/freedesktop/systemd1"
	propertiesName = "org.freedesktop.DBus.Properties"
	busName        = "org.freedesktop.DBus"
)

// ErrDisconnected is a bus, or a systemd, that went away: whatever happened since is
// unknown. Connect again.
var ErrDisconnected = errors.New("systemd cannot be heard any more")

// Connect connects to the system's bus, with signals in the order in which they were
// sent: godbus's own handler may change it.
func Connect(ctx context.Context) (*dbus.Conn, error) {
	c, err := dbus.ConnectSystemBus(dbus.WithContext(ctx), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		return nil, fmt.Errorf("connect to the system's D-Bus: %w", err)
	}
	return c, nil
}

// Follower follows units. It is for one goroutine.
type Follower struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
	units   map[dbus.ObjectPath]*followed
	ready   []State // that Next has not given yet
}

// followed is a unit as far as it is known; asked is the place of that answer among the
// messages of the connection.
type followed struct {
	state State
	asked dbus.Sequence
}

// Follow begins to follow units, also such that do not run or do not exist, on a
// connection that Connect made. The first states that Next gives are those of now.
func Follow(ctx context.Context, conn *dbus.Conn, names ...string) (*Follower, error) {
	f := &Follower{conn: conn, signals: make(chan *dbus.Signal, 64), units: map[dbus.ObjectPath]*followed{}}
	conn.Signal(f.signals)
	if err := f.begin(ctx, names); err != nil {
		conn.RemoveSignal(f.signals)
		return nil, fmt.Errorf("follow systemd's units: %w", err)
	}
	return f, nil
}

func (f *Follower) begin(ctx context.Context, names []string) error {
	err := f.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(busName), dbus.WithMatchInterface(busName),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, systemd))
	if err != nil {
		return fmt.Errorf("hear of a restarted systemd: %w", err)
	}
	top := f.conn.Object(systemd, managerPath)
	if err := top.CallWithContext(ctx, manager+".Subscribe", 0).Err; err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for _, name := range names {
		var path dbus.ObjectPath
		if err := top.CallWithContext(ctx, manager+".LoadUnit", 0, name).Store(&path); err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
		f.units[path] = &followed{state: State{Name: name}}
		err := f.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(systemd), dbus.WithMatchObjectPath(path),
			dbus.WithMatchInterface(propertiesName), dbus.WithMatchMember("PropertiesChanged"))
		if err != nil {
			return fmt.Errorf("hear of %s: %w", name, err)
		}
		if err := f.ask(ctx, path); err != nil {
			return err
		}
		f.ready = append(f.ready, f.units[path].state)
	}
	return nil
}

// ask reads a unit's properties anew.
func (f *Follower) ask(ctx context.Context, path dbus.ObjectPath) error {
	u := f.units[path]
	call := f.conn.Object(systemd, path).CallWithContext(ctx, propertiesName+".GetAll", 0, "")
	var all properties
	if err := call.Store(&all); err != nil {
		return fmt.Errorf("ask about %s: %w", u.state.Name, err)
	}
	u.asked, u.state.Received = call.ResponseSequence, time.Now()
	return u.state.merge(all)
}

// Next waits for the next change, until ctx ends or the connection is lost
// (ErrDisconnected). One event may be two changes: systemd tells of the process first,
// then of the unit.
func (f *Follower) Next(ctx context.Context) (State, error) {
	for len(f.ready) == 0 {
		select {
		case s, ok := <-f.signals:
			if !ok {
				return State{}, fmt.Errorf("%w: the connection to D-Bus ended", ErrDisconnected)
			}
			if err := f.take(ctx, s, time.Now()); err != nil {
				return State{}, err
			}
		case <-ctx.Done():
			return State{}, context.Cause(ctx)
		}
	}
	s := f.ready[0]
	f.ready = f.ready[1:]
	return s, nil
}

// take looks at a signal; what it changes becomes ready.
func (f *Follower) take(ctx context.Context, s *dbus.Signal, received time.Time) error {
	if s.Name == busName+".NameOwnerChanged" {
		return fmt.Errorf("%w: it left the bus", ErrDisconnected)
	}
	u, ok := f.units[s.Path]
	if !ok || s.Name != propertiesName+".PropertiesChanged" || s.Sequence < u.asked {
		return nil
	}
	var of string
	var changed properties
	var invalidated []string
	if err := dbus.Store(s.Body, &of, &changed, &invalidated); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	before := u.state
	if slices.ContainsFunc(invalidated, known) {
		if err := f.ask(ctx, s.Path); err != nil {
			return err
		}
	} else if err := u.state.merge(changed); err != nil {
		return err
	}
	u.state.Received = before.Received
	if u.state != before {
		u.state.Received = received
		f.ready = append(f.ready, u.state)
	}
	return nil
}

// known says whether merge looks at a property.
func known(name string) bool {
	switch name {
	case "ActiveState", "SubState", "StateChangeTimestamp", "StateChangeTimestampMonotonic", "MainPID", "Result", "ExecMainPID",
		"ExecMainStartTimestamp", "ExecMainStartTimestampMonotonic", "ExecMainExitTimestamp", "ExecMainExitTimestampMonotonic",
		"ExecMainCode", "ExecMainStatus":
		return true
	}
	return false
}
