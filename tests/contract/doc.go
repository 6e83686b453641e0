// Command contract holds the agents against what others say of a resource agent: Debian's ocf-tester, Debian's ocft with its unmodified
// cases for IPaddr2, and an ocft configuration of our own for galera. It boots the lab, installs the packages of build/deb, calls the
// agents on nodes where nobody else does, and takes the lab down again, also when it is interrupted.
//
//	contract [--provider holdfast|heartbeat] [--logs DIR]
//
// With --provider heartbeat the original agents are called instead, for the comparison. What it prints last is the count of ocft's own
// cases; before it stands every difference, with its reason. Exit status: 0 when every case passes or differs as argued in
// differences.go, 1 when not, 2 for wrong usage.
//
// The package's test holds the agents' meta-data against the validators of resource-agents and pcs; it needs no lab.
//
// Not its business: how the agents behave under Pacemaker (tests/cluster), what they cost (tests/bench).
package main
