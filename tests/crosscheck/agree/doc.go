// Package agree lays what chaos measured from outside beside what crmbridge recorded
// of the same faults, and says how far they agree. [Read] reads a campaign's directory,
// [Compare] compares, and the [Report] is the result as values and as text.
//
// It reads the journals by itself and not with crmbridge's own reader: a check that
// shares the code it checks finds less. Only the form of a record, package incident, is
// common to both, and the monitor's types.
//
// Not its business: doing faults, merging the records of the nodes (crmbridge history
// did), or saying who is right where the two differ.
package agree
