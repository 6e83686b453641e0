package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/ndp"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// packets is one announcement, ready to be sent as often as wanted.
type packets struct {
	socket int
	link   int // index
	frames []frame
}

// frame is an Ethernet frame and to whom it goes.
type frame struct {
	to  net.HardwareAddr
	raw []byte
}

func open(link *net.Interface, ip netip.Addr, peers []net.HardwareAddr) (packets, error) {
	framesOf := neighbourFrames
	if ip.Is4() {
		framesOf = arpFrames
	}
	frames, err := framesOf(link, ip, peers)
	if err != nil {
		return packets{}, fmt.Errorf("make an announcement of %s: %w", ip, err)
	}
	// A plain socket (packet(7)): a few frames are not worth the runtime's poller.
	const nothing = 0 // is to be received
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, nothing)
	if err != nil {
		return packets{}, fmt.Errorf("open %s: %w", link.Name, err)
	}
	return packets{socket: socket, link: link.Index, frames: frames}, nil
}

func (p packets) send() error {
	for _, f := range p.frames {
		to := &unix.SockaddrLinklayer{Ifindex: p.link, Halen: uint8(len(f.to))}
		copy(to.Addr[:], f.to)
		if err := unix.Sendto(p.socket, f.raw, 0, to); err != nil {
			return fmt.Errorf("send an announcement to %s: %w", f.to, err)
		}
	}
	return nil
}

func (p packets) close() error { return unix.Close(p.socket) }

// arpFrames are a gratuitous request and a gratuitous reply, as those of send_arp in
// resource-agents: some machines learn from the one, some only from the other.
func arpFrames(link *net.Interface, ip netip.Addr, peers []net.HardwareAddr) ([]frame, error) {
	zero := net.HardwareAddr{0, 0, 0, 0, 0, 0}
	request, err := arp.NewPacket(arp.OperationRequest, link.HardwareAddr, ip, zero, ip)
	if err != nil {
		return nil, err
	}
	reply, err := arp.NewPacket(arp.OperationReply, link.HardwareAddr, ip, link.HardwareAddr, ip)
	if err != nil {
		return nil, err
	}
	var frames []frame
	for _, p := range []*arp.Packet{request, reply} {
		for _, to := range append([]net.HardwareAddr{ethernet.Broadcast}, peers...) {
			raw, err := inEthernet(link.HardwareAddr, to, ethernet.EtherTypeARP, p.MarshalBinary)
			if err != nil {
				return nil, err
			}
			frames = append(frames, frame{to, raw})
		}
	}
	return frames, nil
}

// neighbourFrames are one unsolicited neighbour advertisement to all nodes (RFC 4861,
// section 7.2.6), which routers hear too. The router flag must tell the truth, or hosts drop
// their routes through this machine.
func neighbourFrames(link *net.Interface, ip netip.Addr, _ []net.HardwareAddr) ([]frame, error) {
	all := netip.IPv6LinkLocalAllNodes()
	advertisement := &ndp.NeighborAdvertisement{
		Router:        forwards(link.Name),
		Override:      true,
		TargetAddress: ip,
		Options:       []ndp.Option{&ndp.LinkLayerAddress{Direction: ndp.Target, Addr: link.HardwareAddr}},
	}
	message, err := ndp.MarshalMessageChecksum(advertisement, ip, all)
	if err != nil {
		return nil, err
	}
	to := net.HardwareAddr{0x33, 0x33, 0, 0, 0, 1} // RFC 2464, section 7
	raw, err := inEthernet(link.HardwareAddr, to, ethernet.EtherTypeIPv6, func() ([]byte, error) {
		return append(ipv6Header(ip, all, len(message)), message...), nil
	})
	return []frame{{to, raw}}, err
}

// ipv6Header is that of RFC 8200, section 3, for an ICMPv6 message.
func ipv6Header(from, to netip.Addr, length int) []byte {
	const version, icmpv6, hopLimit = 6 << 4, 58, 255 // RFC 4861, section 7.1.2: no router has passed it on
	header := []byte{version, 0, 0, 0, byte(length >> 8), byte(length), icmpv6, hopLimit}
	return append(append(header, from.AsSlice()...), to.AsSlice()...)
}

func inEthernet(from, to net.HardwareAddr, kind ethernet.EtherType, payload func() ([]byte, error)) ([]byte, error) {
	content, err := payload()
	if err != nil {
		return nil, err
	}
	f := ethernet.Frame{Destination: to, Source: from, EtherType: kind, Payload: content}
	return f.MarshalBinary()
}

// forwards reads the kernel's setting with plain calls: a few bytes are not worth the
// runtime's poller either.
func forwards(link string) bool {
	file, err := unix.Open("/proc/sys/net/ipv6/conf/"+link+"/forwarding", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(file)
	var setting [1]byte
	n, err := unix.Read(file, setting[:])
	return err == nil && n == 1 && setting[0] != '0'
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
	return inEthernet(own, ethernet.Broadcast, ethernet.EtherTypeARP, p.MarshalBinary)
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
