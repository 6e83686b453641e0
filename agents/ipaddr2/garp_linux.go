package main

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A client that still sends to the machine which had the address loses whatever it sends until it
// is told. The program that announces begins some milliseconds after the agent has started it,
// and on a busy machine a tenth of a second. So the agent itself sends the first announcement of
// an IPv4 address. It builds the frames by hand: linking mdlayher/arp, as the program does, would
// make every monitor dearer.

// announcementFrame is an ARP packet in which a machine tells of itself (RFC 826; RFC 5227, section 3),
// padded to the shortest frame that Ethernet has.
func announcementFrame(operation byte, own, to net.HardwareAddr, ip netip.Addr) []byte {
	target := make(net.HardwareAddr, 6) // of a request: nobody
	if operation == arpReply {
		target = own
	}
	address := ip.As4()
	const shortest = 60
	frame := make([]byte, 0, shortest)
	frame = append(append(frame, to...), own...)
	// EtherType ARP; Ethernet, IPv4, and the lengths of their addresses.
	frame = append(frame, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, operation)
	frame = append(append(frame, own...), address[:]...)
	frame = append(append(frame, target...), address[:]...)
	return frame[:shortest]
}

// The operations of ARP.
const (
	arpRequest = 1
	arpReply   = 2
)

// sayOnce sends one announcement: a request and a reply, for some machines learn from the one and
// some only from the other, to all and to each of peers.
func sayOnce(a announcement) (err error) {
	const nothing = 0 // is to be received
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, nothing)
	if err != nil {
		return fmt.Errorf("open %s: %w", a.link.Name, err)
	}
	defer unix.Close(socket)
	own := net.HardwareAddr(a.link.HardwareAddr)
	broadcast := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for _, operation := range []byte{arpRequest, arpReply} {
		for _, to := range append([]net.HardwareAddr{broadcast}, a.peers...) {
			target := &unix.SockaddrLinklayer{Ifindex: a.link.Index, Halen: uint8(len(to))}
			copy(target.Addr[:], to)
			if err := unix.Sendto(socket, announcementFrame(operation, own, to, a.ip), 0, target); err != nil {
				return fmt.Errorf("send an announcement of %s to %s: %w", a.ip, to, err)
			}
		}
	}
	return nil
}
