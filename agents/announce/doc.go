// Command announce tells the network at which machine an address is now. The agent of the
// address, ocf:holdfast:IPaddr2, starts it and does not wait until it ends: announcements
// go on for some seconds after a start has returned, as those of ocf:heartbeat:IPaddr2 do.
//
//	announce send|resend LINK INDEX OWN-HARDWARE-ADDRESS IP COUNT INTERVAL [HARDWARE-ADDRESS...]
//	announce holder LINK IP WAIT
//
// send announces IP COUNT times, INTERVAL apart, to everybody and to each of the hardware
// addresses, from the link with that index and that hardware address of its own, which the
// agent knows already. resend waits for INTERVAL first: the agent has sent one. Before each
// one it makes sure that IP is still this machine's, and that the file which the agent left
// open as descriptor 3, the note, still has a name: a stop deletes the note before it removes
// the address, and another start makes a new one. So an address that has moved on is not
// announced from here. Errors go to the journal.
//
// holder asks the network who has the IPv4 address IP, for at most WAIT, and says one line
// on standard output: "ok", with the hardware address of the other machine if there is one,
// or "error" and what went wrong.
//
// Durations are Go's (200ms). Exit status: 0 or, after an error, 1.
//
// It is a program of its own so that the agent, of which a process starts for each
// monitor, need not carry what makes packets.
//
// Not its business: whether the address should be there (agents/ipaddr2).
package main
