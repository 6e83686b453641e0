// Package target does to real nodes what a fault's steps say, by commands: those
// of the lab, or ssh and what the inventory names for power, cable and pause.
//
// What is injected stands in an undo file before it is injected and until it is
// undone, so that it can be undone also when the monitor did not live to do so.
//
// Not its business: which fault, when, and on which nodes (package fault).
package target
