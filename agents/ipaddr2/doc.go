// The agent's parts: plan decides, netlink_linux.go and announce_linux.go act, agent.go
// tells the story of each action, parameters.go is the table of the meta-data.
//
// Announcements. ocf:heartbeat:IPaddr2 starts a process that goes on sending after
// start has returned. Here start sends the first announcement itself, at once, and
// leaves a note in /run/holdfast; the monitor that Pacemaker runs directly after a
// start sends the rest of the burst at its pace. The address is in service all the
// while, nothing waits for that monitor, and no process is left behind that could
// announce an address which has moved on.
package main
