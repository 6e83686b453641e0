// Package plan decides, for ocf:holdfast:IPaddr2, where a floating address belongs
// and what has to be done to bring it there or to take it away.
//
// It sees the machine's links, addresses and routes as values and returns values. Its
// rules for finding the interface and the prefix are those of findif.sh in Debian 12's
// resource-agents, so that an address that was found with the heartbeat agent is found
// with this one.
//
// Not its business: reading or changing anything, and announcing an address.
package plan
