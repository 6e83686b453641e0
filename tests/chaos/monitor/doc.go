// Package monitor takes one fault from a clean cluster to a clean cluster: it
// lets the clients and samplers run, injects and undoes the fault, waits until
// everything has rejoined, compares the rows, and returns what was found.
//
// Not its business: options, files and people (package main), which faults there
// are (package fault), and the promises over a whole run (package sla).
package monitor
