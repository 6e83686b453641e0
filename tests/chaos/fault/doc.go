// Package fault is the catalogue of what may go wrong with a cluster, as data:
// a name, what it does, the effect expected, and the steps that inject it and
// undo it. [Bind] fills in on which nodes.
//
// A step says what is done to a node: a script run there, or one of the things
// that only somebody beside the machine can do (power, cable, pause). How it is
// done is a target's business (package target).
//
// Not its business: running steps, when, and what came of it.
package fault
