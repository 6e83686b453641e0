// Package glue lets some sockets of this process reach an address at a hardware
// address that is given, whatever ARP says: they go on talking to a machine that
// another one has taken the address from, as a client does whose table of
// neighbours was not refreshed.
//
// The sockets are marked, a rule sends what is marked to a routing table of its
// own, and there the address is behind a gateway whose neighbour entry is
// permanent. All other traffic of the machine is untouched. It needs CAP_NET_ADMIN.
//
// Not its business: whose hardware address it is (package sample), and what is
// said over the sockets (package mariadb).
package glue
