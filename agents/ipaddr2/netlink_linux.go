package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"holdfast/agents/ipaddr2/plan"
)

// netlinkKernel is the real network. Only this file speaks netlink.
type netlinkKernel struct{}

var _ kernel = netlinkKernel{}

// A dump that the kernel interrupts may be inconsistent, and another soon succeeds.
const dumpAttempts = 10

func dump[T any](ctx context.Context, what string, list func() ([]T, error)) ([]T, error) {
	var items []T
	var err error
	for range dumpAttempts {
		if items, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	return items, nil
}

func family(ip netip.Addr) int {
	if ip.Is4() {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}

func (netlinkKernel) Network(ctx context.Context, ip netip.Addr) (plan.Network, error) {
	links, err := dump(ctx, "links", netlink.LinkList)
	if err != nil {
		return plan.Network{}, err
	}
	addresses, err := dump(ctx, "addresses", func() ([]netlink.Addr, error) { return netlink.AddrList(nil, family(ip)) })
	if err != nil {
		return plan.Network{}, err
	}
	routes, err := dump(ctx, "routes", func() ([]netlink.Route, error) {
		// Every table: the one for loopback addresses is not the main one.
		return netlink.RouteListFiltered(family(ip), &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return plan.Network{}, err
	}
	return describeNetwork(links, addresses, routes), nil
}

func describeNetwork(links []netlink.Link, addresses []netlink.Addr, routes []netlink.Route) plan.Network {
	var n plan.Network
	names := make(map[int]string, len(links))
	for _, l := range links {
		at := l.Attrs()
		names[at.Index] = at.Name
		n.Links = append(n.Links, plan.Link{
			Index: at.Index, Name: at.Name, AltNames: at.AltNames,
			Up:       at.Flags&net.FlagUp != 0,
			Carrier:  at.OperState != netlink.OperDown && at.OperState != netlink.OperLowerLayerDown,
			Loopback: at.Flags&net.FlagLoopback != 0,
			NoARP:    at.RawFlags&unix.IFF_NOARP != 0,
		})
	}
	for _, a := range addresses {
		if prefix, ok := prefixOf(a.IPNet); ok {
			broadcast, _ := netip.AddrFromSlice(a.Broadcast)
			n.Addresses = append(n.Addresses, plan.Address{
				Prefix: prefix, Link: names[a.LinkIndex], Label: a.Label, Broadcast: broadcast.Unmap(),
				Tentative: a.Flags&unix.IFA_F_TENTATIVE != 0,
				DADFailed: a.Flags&unix.IFA_F_DADFAILED != 0,
			})
		}
	}
	for _, r := range routes {
		host := r.Table == unix.RT_TABLE_LOCAL && r.Scope == netlink.SCOPE_HOST
		if r.Gw != nil || !host && r.Table != unix.RT_TABLE_MAIN {
			continue
		}
		if prefix, ok := prefixOf(r.Dst); ok {
			source, _ := netip.AddrFromSlice(r.Src)
			n.Routes = append(n.Routes, plan.Route{
				Destination: prefix.Masked(), Link: names[r.LinkIndex], Source: source.Unmap(),
				Host: host, OnLink: r.Scope == netlink.SCOPE_LINK,
			})
		}
	}
	return n
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	ip, ok := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), bits), ok
}

func (netlinkKernel) Add(a plan.Address, o addressOptions) error {
	link, err := netlink.LinkByName(a.Link)
	if err != nil {
		return fmt.Errorf("find %s: %w", a.Link, err)
	}
	address := toNetlink(a)
	// Without one given, the library would invent a broadcast address.
	address.Broadcast = net.IPv4zero
	if a.Broadcast.IsValid() {
		address.Broadcast = a.Broadcast.AsSlice()
	}
	if o.noDAD {
		address.Flags |= unix.IFA_F_NODAD
	}
	if o.noPrefixRoute {
		address.Flags |= unix.IFA_F_NOPREFIXROUTE
	}
	if o.preferred != math.MaxUint32 {
		address.ValidLft, address.PreferedLft = math.MaxUint32, int(o.preferred)
	}
	if err := netlink.AddrAdd(link, address); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add %s to %s: %w", a.Prefix, a.Link, err)
	}
	return nil
}

func (netlinkKernel) Remove(a plan.Address) error {
	link, err := netlink.LinkByName(a.Link)
	if notFound := (netlink.LinkNotFoundError{}); errors.As(err, &notFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("find %s: %w", a.Link, err)
	}
	if err := netlink.AddrDel(link, toNetlink(a)); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("remove %s from %s: %w", a.Prefix, a.Link, err)
	}
	return nil
}

func (netlinkKernel) SetUp(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

func toNetlink(a plan.Address) *netlink.Addr {
	scope := unix.RT_SCOPE_UNIVERSE
	if a.Prefix.Addr().IsLoopback() {
		scope = unix.RT_SCOPE_HOST // as ip(8) does; the kernel refuses two scopes in one subnet
	}
	return &netlink.Addr{
		Scope: scope,
		IPNet: &net.IPNet{IP: a.Prefix.Addr().AsSlice(), Mask: net.CIDRMask(a.Prefix.Bits(), a.Prefix.Addr().BitLen())},
		Label: a.Label,
	}
}
