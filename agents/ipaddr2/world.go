package main

import (
	"context"
	"net/netip"
	"time"

	"holdfast/agents/ipaddr2/plan"
)

// addressOptions are what an address can be added with beside its place.
type addressOptions struct {
	noDAD         bool
	noPrefixRoute bool
	preferred     uint32 // seconds; the kernel's infinity is all ones
}

// kernel is this machine's network.
type kernel interface {
	// Network reads links, addresses and routes of the address family of ip.
	Network(ctx context.Context, ip netip.Addr) (plan.Network, error)
	Add(a plan.Address, o addressOptions) error
	// Remove takes an address away; one that is already gone is no error.
	Remove(a plan.Address) error
	SetUp(link string) error
}

// announcer tells the network where an address is now.
type announcer interface {
	// Announce sends one announcement of ip on the link.
	Announce(link string, ip netip.Addr) error
	// Holder asks the network who has ip: the hardware address of another machine,
	// or "" if nobody answers within the given time.
	Holder(ctx context.Context, link string, ip netip.Addr, wait time.Duration) (string, error)
}

// burst remembers, from one call to the next, how many announcements of an address
// are still to be sent.
type burst interface {
	Set(resource string, left int) error
	// Take returns what is left and forgets it.
	Take(resource string) (int, error)
}
