// Package journalctl follows the journal through its own client, journalctl: the
// journal's files have no other reader without cgo.
//
// journald tells its readers of new entries up to 250 ms late
// (POST_CHANGE_TIMER_INTERVAL_USEC in systemd's journal-file.c), so an entry's own time
// counts, and not its arrival.
//
// Not its business: understanding entries, and writing any.
package journalctl
