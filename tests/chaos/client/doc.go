// Package client holds the kinds of clients that feel an interruption, and what
// each of them felt: one with a new connection for every write, one that keeps
// its connection, one that reads, and one straight to each node.
//
// A client's schedule is open (package load): a tick starts when it was intended
// to, and its latency counts from there. The write of each tick has an id of its
// own in the whole run, see [ID].
//
// Not its business: the database's protocol (package mariadb), the fault, and
// whether what was acknowledged still exists (package ledger).
package client
