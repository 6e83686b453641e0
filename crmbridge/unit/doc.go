// Package unit follows systemd's units over D-Bus: whether they run, as which process,
// and when and how the process ended.
//
// systemd tells every change 2 to 3 ms after it, with its own times, which count: the
// arrival does not. Nothing is polled.
//
// Rules of systemd and D-Bus that this package keeps, org.freedesktop.systemd1(5):
// systemd only sends signals after somebody subscribed; a process's end and a unit's new
// state are two signals, of two interfaces; and signals that were sent before the answer
// to a question must not be applied to it, which their order on the connection shows.
//
// Not its business: starting and stopping units, and units of users. go-systemd's
// subscriptions are not used: they poll, or leave out the service's properties.
package unit
