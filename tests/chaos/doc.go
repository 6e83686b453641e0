// Command chaos measures what a client of the cluster feels while something goes
// wrong: it writes through the floating address on a fixed schedule, over a new
// connection each time, starts a fault, and afterwards proves on every node that
// no acknowledged write was lost.
//
// The parts: load starts the writes, mariadb does one of them, ledger keeps what
// became of each, outage makes interruptions of the answers, verify holds the
// ledger against every node. This package joins them: options, the course of a
// run, what people see, the exit status.
//
// Not its business: making a fault. It runs the command that it is given (chaos
// run ... -- labctl power off {node}) and knows neither the lab nor Pacemaker.
package main
