// Package judge finds broken promises in what was observed: two primary
// components, an acknowledgement from a minority, an address on two nodes, rows
// that are lost, unwanted, on some nodes only, or that differ.
//
// That two nodes answer ARP for the address is judged by what it means: the
// majority takes the address as soon as it is one, without waiting until the node
// that it lost is fenced, so for a moment both may answer. Neither of them may
// serve writes that the other does not know of, and the moment must end.
//
// It decides and does nothing else; every rule is a function from values to
// violations.
//
// Not its business: sampling, reading rows, and whether an interruption was too
// long (package sla).
package judge
