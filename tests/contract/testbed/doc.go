// Package testbed prepares nodes of the lab on which an agent is called by hand, not by Pacemaker: with spare network interfaces for an
// address, or with a Pacemaker of one node that keeps attributes and manages nothing.
//
// Not its business: what is called there, and what is made of the answer (tests/contract, tests/bench).
package testbed
