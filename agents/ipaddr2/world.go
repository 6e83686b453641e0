package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"holdfast/agents/ipaddr2/plan"
)

// addressOptions are what an address can be added with beside its place.
type addressOptions struct {
	noDAD         bool
	noPrefixRoute bool
	preferred     uint32 // seconds; the kernel's infinity is all ones
	metric        uint32 // of the prefix's route; 0 for the kernel's own
	proto         uint8  // who has made the address (IFA_PROTO); 0 for nobody
}

// kernel is this machine's network.
type kernel interface {
	// Network reads links, addresses and routes of the address family of ip.
	Network(ctx context.Context, ip netip.Addr) (plan.Network, error)
	// Addresses reads the same without the routes, which only finding a place needs.
	Addresses(ctx context.Context, ip netip.Addr) (plan.Network, error)
	// Watch begins to listen for changes to IPv6 addresses.
	Watch() (watch, error)
	Add(a plan.Address, o addressOptions) error
	// Remove takes an address away; one that is already gone is no error.
	Remove(a plan.Address) error
	SetUp(link string) error
	// Enter makes the network namespace of that name the one that all else happens
	// in, until the process ends. Its error is an errNoNamespace if there is none.
	Enter(namespace string) error
	// Label gives an IPv6 address an address label, Unlabel takes it away.
	Label(ip netip.Addr, value uint32) error
	Unlabel(ip netip.Addr, value uint32) error
	// EndConnections ends this machine's TCP connections of the address and says how many.
	EndConnections(ip netip.Addr) (int, error)
	// Neighbours are the hardware addresses of those peers that the link knows.
	Neighbours(ctx context.Context, link string, peers []netip.Addr) ([]net.HardwareAddr, error)
}

// watch hears of changes from when it was begun.
type watch interface {
	// Wait returns when something has changed since the last call, or with the context's
	// error at its deadline.
	Wait(ctx context.Context) error
	Close() error
}

var errNoNamespace = errors.New("no such network namespace on this node")

// announcer tells the network where an address is now.
type announcer interface {
	// Announce begins to tell everybody on a link where an address is, and does not wait for
	// it. It goes on for as long as it is wanted (notes.Silence).
	Announce(a announcement) error
	// Holder asks the network who has ip: the hardware address of another machine,
	// or "" if nobody answers within the given time.
	Holder(ctx context.Context, link string, ip netip.Addr, wait time.Duration) (string, error)
}

// notes remember, from one call to the next, what is still to be done for a resource.
type notes interface {
	// SetLate remembers when the second burst of announcements is due; TakeLate says
	// whether it is, and then forgets it.
	SetLate(resource string, at time.Time) error
	TakeLate(resource string, now time.Time) (bool, error)
	// Silence ends the announcements that go on in the background, and what is due later.
	Silence(resource string) error
	// SetLoopbacks remembers addresses that stop has to bring back; Loopbacks returns
	// them, and ForgetLoopbacks forgets them when they are back.
	SetLoopbacks(resource string, addresses []plan.Address) error
	Loopbacks(resource string) ([]plan.Address, error)
	ForgetLoopbacks(resource string) error
}
