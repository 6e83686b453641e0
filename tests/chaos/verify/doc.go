// Package verify proves, after a run, what every node of the cluster has: it asks
// each node at its own address, waits until that node is a synced member of the
// Primary Component, reads the ids of the run there and holds them against the
// ledger.
//
// A node that was not reached, is not synced in time or answers under another
// name proves nothing, and a check with such a node has not passed.
//
// Not its business: the connection itself (package mariadb) and what makes a row
// lost or unexpected (package ledger).
package verify
