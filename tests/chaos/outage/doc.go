// Package outage turns the answers that a client received into interruptions.
//
// A gap is the time between two consecutive answers. A gap that reaches the
// threshold is an interruption of the service; so is the silence after the last
// answer, which then has no end. Two interruptions with less than the threshold
// of service between them are one: an answer or two in the middle of an outage
// is not a service that anybody could have used.
//
// All times are offsets from the start of the run on the monotonic clock.
//
// Not its business: the clock, sending writes, whether an acknowledged write
// still exists (package ledger), and printing.
package outage
