// Package ledger keeps what became of every write and holds it against what a
// node of the cluster has.
//
// Every write has an id that is used once. Its verdict is one of three, because
// a client cannot always know: acknowledged (the server said it is committed),
// refused (it was certainly not executed) and indeterminate (the connection or
// the deadline ended while the answer was due). An acknowledged write must be on
// every node, a refused one on none, an indeterminate one on all or on none.
//
// Not its business: reaching a node, deciding which error is which verdict
// (package mariadb), and interruptions (package outage).
package ledger
