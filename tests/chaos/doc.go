// Command chaos measures what clients of the cluster feel, with faults and
// without, and proves on every node that no acknowledged write was lost.
//
// The commands: run injects faults of a catalogue, or runs a command as a fault;
// watch holds a running service against an objective; verify compares the rows of
// an earlier run; init, faults and undo help them.
//
// The parts: load keeps the schedule, client has the kinds of clients on it,
// mariadb does one attempt, glue leads one client to the old owner of the address, ledger keeps what became of each write, outage makes
// interruptions of the answers, sample and timeline look at the nodes and the
// address, judge finds broken promises, fault is the catalogue, target does it to
// real nodes, monitor takes one fault from a clean cluster to a clean cluster, and
// page, junit and sla show what came of it, all as values of package result.
// This package joins them: options, files, what people see, the exit status.
//
// Not its business: the lab. It is driven by the commands that it is given, and
// knows of Pacemaker no more than what crm_mon says.
package main
