package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"github.com/mdlayher/packet"
)

// packets is one announcement, ready to be sent as often as wanted.
type packets struct {
	io.Closer
	link *net.Interface
	send func() error
}

func open(link string, ip netip.Addr, peers []net.HardwareAddr) (packets, error) {
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return packets{}, fmt.Errorf("find %s: %w", link, err)
	}
	if ip.Is4() {
		return openARP(ifi, ip, peers)
	}
	return openNDP(ifi, ip)
}

// openARP makes a gratuitous request and a gratuitous reply, as send_arp of
// resource-agents does: some machines learn from the one, some only from the other.
func openARP(ifi *net.Interface, ip netip.Addr, peers []net.HardwareAddr) (packets, error) {
	zero := net.HardwareAddr{0, 0, 0, 0, 0, 0}
	request, err := arp.NewPacket(arp.OperationRequest, ifi.HardwareAddr, ip, zero, ip)
	if err != nil {
		return packets{}, fmt.Errorf("make an ARP request for %s: %w", ip, err)
	}
	reply, err := arp.NewPacket(arp.OperationReply, ifi.HardwareAddr, ip, ifi.HardwareAddr, ip)
	if err != nil {
		return packets{}, fmt.Errorf("make an ARP reply for %s: %w", ip, err)
	}
	client, err := arp.Dial(ifi)
	if err != nil {
		return packets{}, fmt.Errorf("open %s for ARP: %w", ifi.Name, err)
	}
	return packets{Closer: client, link: ifi, send: func() error {
		for _, p := range []*arp.Packet{request, reply} {
			for _, to := range append([]net.HardwareAddr{ethernet.Broadcast}, peers...) {
				if err := client.WriteTo(p, to); err != nil {
					return fmt.Errorf("send ARP for %s on %s to %s: %w", ip, ifi.Name, to, err)
				}
			}
		}
		return nil
	}}, nil
}

// openNDP makes an unsolicited neighbour advertisement to all nodes (RFC 4861,
// section 7.2.6). The router flag must tell the truth, or hosts drop their routes
// through this machine.
func openNDP(ifi *net.Interface, ip netip.Addr) (packets, error) {
	advertisement := &ndp.NeighborAdvertisement{
		Router:        forwards(ifi.Name),
		Override:      true,
		TargetAddress: ip,
		Options:       []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: ifi.HardwareAddr}},
	}
	conn, _, err := ndp.Listen(ifi, ndp.Addr(ip.String()))
	if err != nil {
		return packets{}, fmt.Errorf("open %s for neighbour discovery: %w", ifi.Name, err)
	}
	return packets{Closer: conn, link: ifi, send: func() error {
		if err := conn.WriteTo(advertisement, nil, netip.IPv6LinkLocalAllNodes()); err != nil {
			return fmt.Errorf("send a neighbour advertisement for %s on %s: %w", ip, ifi.Name, err)
		}
		return nil
	}}, nil
}

func forwards(link string) bool {
	setting, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + link + "/forwarding")
	return err == nil && len(setting) > 0 && setting[0] != '0'
}

// holder sends an address probe, which has no sender address (RFC 5227, section 2.1.1),
// and listens for another machine that says it has ip: its hardware address, or "".
func holder(link string, ip netip.Addr, wait time.Duration) (string, error) {
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", link, err)
	}
	const protocolARP = 0x0806
	conn, err := packet.Listen(ifi, packet.Raw, protocolARP, nil)
	if err != nil {
		return "", fmt.Errorf("open %s for ARP: %w", link, err)
	}
	defer conn.Close()
	probe, err := arpFrame(ifi.HardwareAddr, ip)
	if err != nil {
		return "", err
	}
	if _, err := conn.WriteTo(probe, &packet.Addr{HardwareAddr: ethernet.Broadcast}); err != nil {
		return "", fmt.Errorf("send an ARP probe for %s on %s: %w", ip, link, err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return "", fmt.Errorf("limit the wait for ARP on %s: %w", link, err)
	}
	return listen(conn, ip, ifi.HardwareAddr)
}

func arpFrame(own net.HardwareAddr, ip netip.Addr) ([]byte, error) {
	zero := net.HardwareAddr{0, 0, 0, 0, 0, 0}
	p, err := arp.NewPacket(arp.OperationRequest, own, netip.IPv4Unspecified(), zero, ip)
	if err != nil {
		return nil, fmt.Errorf("make an ARP probe for %s: %w", ip, err)
	}
	payload, err := p.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("make an ARP probe for %s: %w", ip, err)
	}
	frame := ethernet.Frame{Destination: ethernet.Broadcast, Source: own, EtherType: ethernet.EtherTypeARP, Payload: payload}
	return frame.MarshalBinary()
}

func listen(conn net.PacketConn, ip netip.Addr, own net.HardwareAddr) (string, error) {
	buffer := make([]byte, 1500)
	for {
		n, _, err := conn.ReadFrom(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("listen for ARP: %w", err)
		}
		var frame ethernet.Frame
		var p arp.Packet
		if frame.UnmarshalBinary(buffer[:n]) != nil || p.UnmarshalBinary(frame.Payload) != nil {
			continue // somebody's malformed packet is no answer
		}
		if p.SenderIP == ip && p.SenderHardwareAddr.String() != own.String() {
			return p.SenderHardwareAddr.String(), nil
		}
	}
}
