// Package mariadb is the chaos client's hands on the database: it writes one row
// over a connection of its own, and it reads a node's Galera state and rows.
//
// A write opens a new connection every time, so that the whole path of a new
// client is measured: address, ARP, the server's accept and login, the commit.
// It uses the driver without database/sql, which would pool connections and
// repeat statements on its own; both would hide what is measured.
//
// Not its business: when to write, what the verdicts mean for the run, waiting
// for a node.
package mariadb
