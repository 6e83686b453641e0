// Package journal keeps events and records in the systemd journal, and reads them again.
//
// A [Writer] writes one entry for each event and one for each record, with a MESSAGE_ID
// that the message catalog explains (packaging/journal), and fields for people and
// programs; the value itself is in CRMBRIDGE_EVENT or CRMBRIDGE_RECORD as JSON. The
// entry of a record has the priority crit, because that is what makes journald write to
// the disk at once (journald.conf(5), SyncIntervalSec=).
//
// The entries of a node are a chain: each carries its number, a hash of its fields, and
// the hash of the one before. [Verify] tells what was taken out or altered. It proves
// nothing against somebody who can write as the daemon does, and rewrite all that
// follows: whoever fears that copies the newest hash elsewhere, or has journald seal the
// journal (journalctl --setup-keys).
//
// A [Log] is what was read: from this node's journal, a directory or files of journals,
// or what journalctl -o json or -o export gave, of any number of nodes. Journals are
// read by journalctl, which knows their format.
//
// Not its business: what an incident is (package incident), and when to write.
package journal
