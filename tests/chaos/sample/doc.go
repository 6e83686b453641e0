// Package sample looks at the running cluster from outside, many times a second:
// which view each node is in, asked of its database, and who answers ARP for the
// floating address.
//
// Looking must not change what is looked at. The ARP probes carry a hardware
// address that nobody has, so their answers do not refresh this machine's own
// table of neighbours, which the clients use.
//
// Not its business: what the samples mean (packages timeline and judge).
package sample
