// Package judge finds broken promises in what was observed: two primary
// components, an acknowledgement from a minority, an address on two nodes, rows
// that are lost, unwanted, on some nodes only, or that differ.
//
// It decides and does nothing else; every rule is a function from values to
// violations.
//
// Not its business: sampling, reading rows, and whether an interruption was too
// long (package sla).
package judge
