// Crosscheck lays what chaos measured of a campaign beside what crmbridge recorded of
// it, and says how far they agree.
//
// Its business is the command line; package agree compares. Doing a campaign, and
// fetching the journals of the nodes, is tests/demo/campaign's.
package main
