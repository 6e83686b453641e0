// The agent's parts: plan decides, netlink_linux.go and rtnetlink_linux.go act and look,
// agent.go tells the story of each action, parameters.go is the table of the meta-data.
//
// Announcements are sent by a program of their own (agents/announce), which start does not
// wait for. It ends with stop, which takes away the note that it looks for before each packet.
package main
