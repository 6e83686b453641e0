// Package cluster holds the end-to-end tests: the life of a cluster of three real
// nodes, from the first boot of an empty one to the loss of all of it, each step
// waiting for a state that an operator would look for.
//
// The nodes run Debian's own Pacemaker, Corosync, pcs, MariaDB and Galera, and get
// our packages with apt and their configuration from holdfast-cluster, as users do.
// The tests carry the build tag lab, need root, and fail where the machine cannot
// run the nodes.
//
// Not its business: how a node is made (tests/lab), how an interruption is measured
// (tests/chaos).
package cluster
