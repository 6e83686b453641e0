package main

import (
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/kernel"
	"holdfast/crmbridge/unit"
)

// unit tells of the main process of a unit, at the time that systemd gives it.
func (t *translator) unit(o observation, s unit.State) []incident.Event {
	before, known := t.units[s.Name]
	t.units[s.Name] = s
	var events []incident.Event
	add := func(kind incident.Kind, at unit.Moment, initial bool) {
		events = append(events, t.event(o, incident.Event{Kind: kind, Node: t.node, At: t.systemd(at), Initial: initial, Unit: incident.Unit{
			Name: s.Name, PID: int(s.Main.PID), Result: s.Result, Code: ended(s.Main.Code), Status: int(s.Main.Status),
			Job: before.Active == "deactivating" || s.Active == "deactivating",
		}}))
	}
	if known && before.Running() && before.MainPID != s.MainPID && !s.Main.Exited.IsZero() && s.Main.Exited != before.Main.Exited {
		add(incident.UnitDied, s.Main.Exited, false)
	}
	if s.Running() && before.MainPID != s.MainPID {
		add(incident.UnitStarted, s.Main.Started, !known)
		started := &events[len(events)-1].Unit
		started.Code, started.Status, started.Job = "", 0, false // of the process before
	}
	return events
}

// systemd is a time of systemd's; zero if it says none.
func (t *translator) systemd(m unit.Moment) incident.Moment {
	if m.IsZero() {
		return incident.Moment{}
	}
	return t.thisBoot(m.Real, m.Monotonic)
}

// thisBoot is a time by both clocks of this machine. A line that journald tells is of this boot, too, by whatever name
// journald knows it: in a container the daemon's own /proc has that of the host.
func (t *translator) thisBoot(wall time.Time, mono time.Duration) incident.Moment {
	return incident.Moment{Wall: wall.UTC(), Mono: mono, Boot: t.machine.boot()}
}

// ended names how a process ended (CLD_* in waitid(2)).
func ended(code int32) string {
	switch code {
	case 1:
		return "exited"
	case 2:
		return "killed"
	case 3:
		return "dumped"
	}
	return ""
}

// addressesRead compares the addresses of now with those before.
func (t *translator) addressesRead(o observation, now addressesRead) []incident.Event {
	again := t.resynced(sourceAddresses, t.listed)
	before := t.addresses
	t.addresses, t.listed = map[string]bool{}, true
	var events []incident.Event
	for _, a := range now {
		if before[a.Address.String()] {
			t.addresses[a.Address.String()] = true
			continue
		}
		events = append(events, t.address(o, a, !again)...)
	}
	for prefix := range before {
		if !t.addresses[prefix] {
			events = append(events, t.event(o, incident.Event{Kind: incident.AddressRemoved, Node: t.node, Address: incident.Address{Prefix: prefix}}))
		}
	}
	if again {
		for i := range events {
			events[i].Basis = incident.Estimated
		}
	}
	return events
}

// address tells of an address that came or went; the kernel may say it twice.
func (t *translator) address(o observation, a kernel.Address, initial bool) []incident.Event {
	prefix := a.Address.String()
	if t.addresses[prefix] == a.Present {
		return nil
	}
	kind := incident.AddressAdded
	if a.Present {
		t.addresses[prefix] = true
	} else {
		kind = incident.AddressRemoved
		delete(t.addresses, prefix)
	}
	return one(t.event(o, incident.Event{Kind: kind, Node: t.node, Initial: initial, Address: incident.Address{
		Prefix: prefix, Interface: t.machine.interfaceName(a.Interface),
	}}))
}

// clockChanged says how far the clock can be trusted, and by how much it was set.
func (t *translator) clockChanged(received time.Time, by time.Duration) []incident.Event {
	c := t.readClock(received)
	c.Stepped = by
	return t.clockIs(received, c)
}

// clockLooked says how far the clock can be trusted if it is noticeably better or worse than it was.
func (t *translator) clockLooked(received time.Time) []incident.Event {
	const noticeable = 10 * time.Millisecond
	was, is := t.clock, t.readClock(received)
	if is.Synchronised == was.Synchronised && is.Unread == was.Unread && (is.MaxError-was.MaxError).Abs() < noticeable {
		return nil
	}
	return t.clockIs(received, is)
}

func (t *translator) clockIs(received time.Time, c incident.Clock) []incident.Event {
	t.clock = c
	o := observation{sourceClock, received, nil}
	return one(t.event(o, incident.Event{Kind: incident.ClockChanged, Node: t.node, Initial: c.Stepped == 0, Clock: c}))
}

// readClock asks the kernel; one that does not answer is no reason to be silent about
// a clock that was set.
func (t *translator) readClock(received time.Time) incident.Clock {
	t.clockRead = received
	c, err := t.machine.clock()
	if err != nil {
		return incident.Clock{Unread: err.Error()}
	}
	return incident.Clock{Synchronised: c.Synchronized, MaxError: c.MaxError}
}
