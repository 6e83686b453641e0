package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
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

// Add makes the request by itself: the library has no attributes for metric and proto,
// and invents a broadcast address where none is given.
func (netlinkKernel) Add(a plan.Address, o addressOptions) error {
	link, err := netlink.LinkByName(a.Link)
	if err != nil {
		return fmt.Errorf("find %s: %w", a.Link, err)
	}
	ip := a.Prefix.Addr()
	message := nl.NewIfAddrmsg(family(ip))
	message.Index = uint32(link.Attrs().Index)
	message.Prefixlen = uint8(a.Prefix.Bits())
	message.Scope = uint8(scope(ip))
	request := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	request.AddData(message)
	for _, attribute := range attributes(a, o) {
		request.AddData(attribute)
	}
	if _, err := request.Execute(unix.NETLINK_ROUTE, 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add %s to %s: %w", a.Prefix, a.Link, err)
	}
	return nil
}

// attributes are those of rtnetlink(7) and linux/if_addr.h.
func attributes(a plan.Address, o addressOptions) []*nl.RtAttr {
	ip := a.Prefix.Addr().AsSlice()
	list := []*nl.RtAttr{nl.NewRtAttr(unix.IFA_LOCAL, ip), nl.NewRtAttr(unix.IFA_ADDRESS, ip)}
	if a.Broadcast.IsValid() {
		list = append(list, nl.NewRtAttr(unix.IFA_BROADCAST, a.Broadcast.AsSlice()))
	}
	if a.Label != "" {
		list = append(list, nl.NewRtAttr(unix.IFA_LABEL, nl.ZeroTerminated(a.Label)))
	}
	var flags uint32
	if o.noDAD {
		flags |= unix.IFA_F_NODAD
	}
	if o.noPrefixRoute {
		flags |= unix.IFA_F_NOPREFIXROUTE
	}
	if flags != 0 {
		list = append(list, nl.NewRtAttr(unix.IFA_FLAGS, nl.Uint32Attr(flags)))
	}
	if o.preferred != math.MaxUint32 {
		lifetimes := nl.IfaCacheInfo{IfaCacheinfo: unix.IfaCacheinfo{Valid: math.MaxUint32, Prefered: o.preferred}} //nolint:misspell // the kernel's spelling
		list = append(list, nl.NewRtAttr(unix.IFA_CACHEINFO, lifetimes.Serialize()))
	}
	if o.metric != 0 {
		list = append(list, nl.NewRtAttr(unix.IFA_RT_PRIORITY, nl.Uint32Attr(o.metric)))
	}
	if o.proto != 0 {
		const addressProto = 11 // IFA_PROTO
		list = append(list, nl.NewRtAttr(addressProto, []byte{o.proto}))
	}
	return list
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

// scope is that of ip(8): the kernel refuses two scopes in one subnet.
func scope(ip netip.Addr) int {
	if ip.IsLoopback() {
		return unix.RT_SCOPE_HOST
	}
	return unix.RT_SCOPE_UNIVERSE
}

func toNetlink(a plan.Address) *netlink.Addr {
	return &netlink.Addr{
		Scope: scope(a.Prefix.Addr()),
		IPNet: &net.IPNet{IP: a.Prefix.Addr().AsSlice(), Mask: net.CIDRMask(a.Prefix.Bits(), a.Prefix.Addr().BitLen())},
		Label: a.Label,
	}
}

func (netlinkKernel) Neighbours(ctx context.Context, link string, peers []netip.Addr) ([]net.HardwareAddr, error) {
	if len(peers) == 0 {
		return nil, nil
	}
	at, err := netlink.LinkByName(link)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", link, err)
	}
	known, err := dump(ctx, "neighbours", func() ([]netlink.Neigh, error) {
		return netlink.NeighList(at.Attrs().Index, netlink.FAMILY_V4)
	})
	if err != nil {
		return nil, err
	}
	var found []net.HardwareAddr
	for _, n := range known {
		ip, ok := netip.AddrFromSlice(n.IP)
		for _, peer := range peers {
			if ok && ip.Unmap() == peer && len(n.HardwareAddr) == 6 {
				found = append(found, n.HardwareAddr)
			}
		}
	}
	return found, nil
}
