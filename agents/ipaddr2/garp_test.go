package main

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
)

// What is built by hand is what the library makes.
func TestAnnouncementFrame(t *testing.T) {
	own, zero := net.HardwareAddr{2, 0, 0, 0, 0, 7}, net.HardwareAddr{0, 0, 0, 0, 0, 0}
	ip := netip.MustParseAddr("192.168.205.70")
	for operation, target := range map[byte]net.HardwareAddr{arpRequest: zero, arpReply: own} {
		for _, to := range []net.HardwareAddr{ethernet.Broadcast, {2, 0, 0, 0, 0, 9}} {
			p, err := arp.NewPacket(arp.Operation(operation), own, ip, target, ip)
			if err != nil {
				t.Fatal(err)
			}
			content, err := p.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			want, err := (&ethernet.Frame{Destination: to, Source: own, EtherType: ethernet.EtherTypeARP, Payload: content}).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if got := announcementFrame(operation, own, to, ip); !bytes.Equal(got, want) {
				t.Errorf("operation %d to %v:\ngot  %x\nwant %x", operation, to, got, want)
			}
		}
	}
}
