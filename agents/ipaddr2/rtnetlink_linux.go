package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"holdfast/agents/ipaddr2/plan"
)

// The network is read by the standard library's plain dump, and addresses are changed by a
// plain socket, and not by the netlink library, which the rest is left to: that one waits
// in the runtime's poller, whose threads cost a monitor a fifth of its CPU time.

// A dump that the kernel interrupts may be inconsistent, and another soon succeeds.
const dumpAttempts = 10

var errInterrupted = errors.New("the kernel's tables changed while they were read")

func (k netlinkKernel) Network(ctx context.Context, ip netip.Addr) (plan.Network, error) {
	n, err := k.Addresses(ctx, ip)
	if err != nil {
		return n, err
	}
	// Every table: the one for loopback addresses is not the main one.
	routes, err := dump(ctx, "routes", syscall.RTM_GETROUTE, family(ip))
	if err != nil {
		return n, err
	}
	n.Routes = describeRoutes(routes, n.Links)
	return n, nil
}

func (netlinkKernel) Addresses(ctx context.Context, ip netip.Addr) (plan.Network, error) {
	links, err := dump(ctx, "links", syscall.RTM_GETLINK, unix.AF_UNSPEC)
	if err != nil {
		return plan.Network{}, err
	}
	addresses, err := dump(ctx, "addresses", syscall.RTM_GETADDR, family(ip))
	if err != nil {
		return plan.Network{}, err
	}
	return describeAddresses(links, addresses), nil
}

func dump(ctx context.Context, what string, request, family int) ([]syscall.NetlinkMessage, error) {
	var messages []syscall.NetlinkMessage
	var err error
	for range dumpAttempts {
		if messages, err = dumpOnce(request, family); !errors.Is(err, errInterrupted) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	return messages, nil
}

func dumpOnce(request, family int) ([]syscall.NetlinkMessage, error) {
	raw, err := syscall.NetlinkRIB(request, family)
	if err != nil {
		return nil, os.NewSyscallError("netlink", err)
	}
	messages, err := syscall.ParseNetlinkMessage(raw)
	if err != nil {
		return nil, os.NewSyscallError("netlink", err)
	}
	for i := range messages {
		if messages[i].Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
			return nil, errInterrupted
		}
	}
	return messages, nil
}

// indexOf is a link's index; ENODEV if there is none of that name.
func indexOf(name string) (int, error) {
	messages, err := dumpOnce(syscall.RTM_GETLINK, unix.AF_UNSPEC)
	for i := range messages {
		if l, ok := readLink(&messages[i]); ok && l.Called(name) {
			return l.Index, nil
		}
	}
	if err == nil {
		err = unix.ENODEV
	}
	return 0, fmt.Errorf("find %s: %w", name, err)
}

// execute sends a request and returns what the kernel acknowledges it with (netlink(7)).
func execute(request *nl.NetlinkRequest) error {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(socket)
	if err := unix.Sendto(socket, request.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	buffer := make([]byte, os.Getpagesize())
	n, _, err := unix.Recvfrom(socket, buffer, 0) // the kernel has answered by now
	if err != nil {
		return os.NewSyscallError("recvfrom", err)
	}
	messages, err := syscall.ParseNetlinkMessage(buffer[:n])
	if err != nil || len(messages) == 0 || messages[0].Header.Type != unix.NLMSG_ERROR || len(messages[0].Data) < 4 {
		return fmt.Errorf("the kernel's answer makes no sense (%d bytes): %w", n, errors.Join(err, unix.EBADMSG))
	}
	if errno := -int32(binary.NativeEndian.Uint32(messages[0].Data)); errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}

// describeAddresses reads the messages of rtnetlink(7). One that makes no sense is left
// out, as ip(8) leaves it out.
func describeAddresses(links, addresses []syscall.NetlinkMessage) plan.Network {
	var n plan.Network
	for i := range links {
		if l, ok := readLink(&links[i]); ok {
			n.Links = append(n.Links, l)
		}
	}
	names := namesOf(n.Links)
	for i := range addresses {
		if a, ok := readAddress(&addresses[i], names); ok {
			n.Addresses = append(n.Addresses, a)
		}
	}
	return n
}

func describeRoutes(messages []syscall.NetlinkMessage, links []plan.Link) []plan.Route {
	names := namesOf(links)
	var routes []plan.Route
	for i := range messages {
		if r, ok := readRoute(&messages[i], names); ok {
			routes = append(routes, r)
		}
	}
	return routes
}

func namesOf(links []plan.Link) map[int]string {
	names := make(map[int]string, len(links))
	for _, l := range links {
		names[l.Index] = l.Name
	}
	return names
}

// readLink reads a struct ifinfomsg with the attributes of linux/if_link.h.
func readLink(m *syscall.NetlinkMessage) (plan.Link, bool) {
	attributes, ok := attributesOf(m, syscall.RTM_NEWLINK, unix.SizeofIfInfomsg)
	if !ok {
		return plan.Link{}, false
	}
	flags := binary.NativeEndian.Uint32(m.Data[8:])
	l := plan.Link{
		Index:    int(int32(binary.NativeEndian.Uint32(m.Data[4:]))),
		Up:       flags&unix.IFF_UP != 0,
		Carrier:  true,
		Loopback: flags&unix.IFF_LOOPBACK != 0,
		NoARP:    flags&unix.IFF_NOARP != 0,
	}
	for kind, value := range attributes {
		switch kind {
		case unix.IFLA_IFNAME:
			l.Name = text(value)
		case unix.IFLA_ADDRESS:
			l.HardwareAddr = value
		case unix.IFLA_OPERSTATE:
			const down, lowerLayerDown = 2, 3 // IF_OPER_DOWN, IF_OPER_LOWERLAYERDOWN of linux/if.h
			l.Carrier = len(value) == 0 || value[0] != down && value[0] != lowerLayerDown
		case unix.IFLA_PROP_LIST:
			for kind, value := range walk(value) {
				if kind == unix.IFLA_ALT_IFNAME {
					l.AltNames = append(l.AltNames, text(value))
				}
			}
		}
	}
	return l, l.Name != ""
}

// readAddress reads a struct ifaddrmsg with the attributes of linux/if_addr.h.
func readAddress(m *syscall.NetlinkMessage, links map[int]string) (plan.Address, bool) {
	attributes, ok := attributesOf(m, syscall.RTM_NEWADDR, unix.SizeofIfAddrmsg)
	if !ok {
		return plan.Address{}, false
	}
	address := plan.Address{Link: links[int(binary.NativeEndian.Uint32(m.Data[4:]))]}
	var local, peer netip.Addr
	flags := uint32(m.Data[2])
	for kind, value := range attributes {
		switch kind {
		case unix.IFA_LOCAL:
			local = ipOf(value)
		case unix.IFA_ADDRESS: // on a link between two, the other one's
			peer = ipOf(value)
		case unix.IFA_BROADCAST:
			address.Broadcast = ipOf(value)
		case unix.IFA_LABEL:
			address.Label = text(value)
		case unix.IFA_FLAGS: // those that the header has no room for, too
			flags = number(value)
		}
	}
	if !local.IsValid() {
		local = peer
	}
	address.Prefix = netip.PrefixFrom(local, int(m.Data[1]))
	address.Tentative = flags&unix.IFA_F_TENTATIVE != 0
	address.DADFailed = flags&unix.IFA_F_DADFAILED != 0
	return address, address.Prefix.IsValid()
}

// readRoute reads a struct rtmsg with the attributes of linux/rtnetlink.h, of routes that
// say where an address belongs.
func readRoute(m *syscall.NetlinkMessage, links map[int]string) (plan.Route, bool) {
	attributes, ok := attributesOf(m, syscall.RTM_NEWROUTE, unix.SizeofRtMsg)
	if !ok || binary.NativeEndian.Uint32(m.Data[8:])&unix.RTM_F_CLONED != 0 {
		return plan.Route{}, false
	}
	table, scope := uint32(m.Data[4]), m.Data[6]
	destination := netip.IPv4Unspecified() // the default route has no attribute
	if m.Data[0] == unix.AF_INET6 {
		destination = netip.IPv6Unspecified()
	}
	var r plan.Route
	for kind, value := range attributes {
		switch kind {
		case unix.RTA_DST:
			destination = ipOf(value)
		case unix.RTA_OIF:
			r.Link = links[int(number(value))]
		case unix.RTA_PREFSRC:
			r.Source = ipOf(value)
		case unix.RTA_TABLE:
			table = number(value)
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			return plan.Route{}, false
		}
	}
	r.Host = table == unix.RT_TABLE_LOCAL && scope == unix.RT_SCOPE_HOST
	r.OnLink = scope == unix.RT_SCOPE_LINK
	r.Destination = netip.PrefixFrom(destination, int(m.Data[1])).Masked()
	return r, r.Destination.IsValid() && (r.Host || table == unix.RT_TABLE_MAIN)
}

// attributesOf are those of a message of the given type whose header has the given size.
func attributesOf(m *syscall.NetlinkMessage, kind uint16, header int) (iter.Seq2[uint16, []byte], bool) {
	if m.Header.Type != kind || len(m.Data) < header {
		return nil, false
	}
	return walk(m.Data[header:]), true
}

// attributeType is what is the type in an attribute's type: NLA_TYPE_MASK of linux/netlink.h.
const attributeType = 0x3fff

// walk yields the types and values of attributes, as far as they are whole. The standard
// library's own reader panics if the last one is not padded.
func walk(list []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(list) >= unix.SizeofRtAttr {
			length := int(binary.NativeEndian.Uint16(list))
			if length < unix.SizeofRtAttr || length > len(list) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(list[2:])&attributeType, list[unix.SizeofRtAttr:length]) {
				return
			}
			list = list[min((length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1), len(list)):]
		}
	}
}

func ipOf(raw []byte) netip.Addr {
	ip, _ := netip.AddrFromSlice(raw)
	return ip.Unmap()
}

func number(raw []byte) uint32 {
	if len(raw) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(raw)
}

func text(raw []byte) string { return strings.TrimRight(string(raw), "\x00") }
