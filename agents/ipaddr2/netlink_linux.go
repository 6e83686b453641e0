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

func family(ip netip.Addr) int {
	if ip.Is4() {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}

// Add makes the request by itself: the library has no attributes for metric and proto,
// and invents a broadcast address where none is given.
func (netlinkKernel) Add(a plan.Address, o addressOptions) error {
	err := change(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, a, attributes(a, o))
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add %s to %s: %w", a.Prefix, a.Link, err)
	}
	return nil
}

// change makes one request about an address.
func change(kind, flags int, a plan.Address, attributes []*nl.RtAttr) error {
	index, err := indexOf(a.Link)
	if err != nil {
		return err
	}
	message := nl.NewIfAddrmsg(family(a.Prefix.Addr()))
	message.Index = uint32(index)
	message.Prefixlen = uint8(a.Prefix.Bits())
	message.Scope = uint8(scope(a.Prefix.Addr()))
	request := nl.NewNetlinkRequest(kind, flags|unix.NLM_F_ACK)
	request.AddData(message)
	for _, attribute := range attributes {
		request.AddData(attribute)
	}
	return execute(request)
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
	ip := nl.NewRtAttr(unix.IFA_LOCAL, a.Prefix.Addr().AsSlice())
	err := change(unix.RTM_DELADDR, 0, a, []*nl.RtAttr{ip})
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.ENODEV) {
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

func (netlinkKernel) Neighbours(ctx context.Context, link string, peers []netip.Addr) ([]net.HardwareAddr, error) {
	if len(peers) == 0 {
		return nil, nil
	}
	at, err := netlink.LinkByName(link)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", link, err)
	}
	known, err := netlink.NeighList(at.Attrs().Index, netlink.FAMILY_V4)
	if err != nil && (!errors.Is(err, netlink.ErrDumpInterrupted) || ctx.Err() != nil) {
		return nil, fmt.Errorf("list the neighbours on %s: %w", link, err)
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
