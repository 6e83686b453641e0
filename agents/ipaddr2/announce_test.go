package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
)

// TestAnnouncements looks at the packets on the other side of the cable: start sends
// a request and a reply, the monitor after it the rest, and the one after that nothing.
func TestAnnouncements(t *testing.T) {
	c := newCable(t)
	var wire *packet.Conn
	var err error
	c.atClient(t, func() { wire, err = packet.Listen(c.client, packet.Raw, 0x0806, nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	address := netip.MustParseAddr("192.168.144.2")
	eth0, err := net.InterfaceByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		action string
		pairs  int
	}{{"start", 1}, {"monitor", 2}, {"monitor", 0}} {
		c.want(t, 0, step.action, "ip="+address.String(), "arp_count=3", "arp_interval=20", "arp_late=3600")
		got := gratuitous(t, wire, address, eth0.HardwareAddr)
		if want := strings.Repeat("request reply ", step.pairs); got != want {
			t.Errorf("%s sent %q, not %q", step.action, got, want)
		}
	}
	c.want(t, 0, "monitor", "ip="+address.String(), "arp_count_refresh=1", "arp_interval=20")
	if got := gratuitous(t, wire, address, eth0.HardwareAddr); got != "request reply " {
		t.Errorf("the refresh sent %q", got)
	}
	c.want(t, 0, "stop", "ip="+address.String())
}

// gratuitous names the announcements of ip that have arrived, and checks each: RFC 5227
// section 3, sender and target are the address, sent to everybody.
func gratuitous(t *testing.T, wire *packet.Conn, ip netip.Addr, from net.HardwareAddr) string {
	t.Helper()
	var seen strings.Builder
	buffer := make([]byte, 1500)
	for {
		// What was sent before the agent ended is in the queue; nothing more will come.
		if err := wire.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, _, err := wire.ReadFrom(buffer)
		if err != nil {
			return seen.String()
		}
		frame := buffer[:n]
		if n < 42 || string(frame[28:32]) != string(ip.AsSlice()) {
			continue
		}
		sender, target := net.HardwareAddr(frame[22:28]), net.HardwareAddr(frame[32:38])
		if string(frame[38:42]) != string(ip.AsSlice()) || net.HardwareAddr(frame[:6]).String() != "ff:ff:ff:ff:ff:ff" || sender.String() != from.String() {
			t.Errorf("not an announcement of %s: % x", ip, frame[:42])
		}
		switch operation := binary.BigEndian.Uint16(frame[20:22]); operation {
		case 1:
			fmt.Fprint(&seen, "request ")
			if target.String() != "00:00:00:00:00:00" {
				t.Errorf("the request has the target %s", target)
			}
		case 2:
			fmt.Fprint(&seen, "reply ")
			if target.String() != from.String() {
				t.Errorf("the reply has the target %s", target)
			}
		default:
			t.Errorf("operation %d", operation)
		}
	}
}

// TestNeighbourTable is what announcing is for: a client that knows the address at
// another machine sends to this one as soon as it has started.
func TestNeighbourTable(t *testing.T) {
	c := newCable(t)
	c.atClient(t, func() {
		ip(t, "addr add 192.168.144.9/24 dev client")
		ip(t, "neigh add 192.168.144.2 lladdr 02:00:00:00:00:99 nud stale dev client")
	})
	c.want(t, 0, "start", "ip=192.168.144.2", "nic=eth0")
	eth0, err := net.InterfaceByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	c.atClient(t, func() {
		deadline := time.Now().Add(10 * time.Second)
		for !knows(t, c.client, "192.168.144.2", eth0.HardwareAddr) {
			if time.Now().After(deadline) {
				t.Fatalf("the client does not learn the new machine:\n%s", ip(t, "neigh show"))
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// knows says whether the interface's neighbour table has the address at the machine.
func knows(t *testing.T, on *net.Interface, address string, machine net.HardwareAddr) bool {
	t.Helper()
	neighbours, err := netlink.NeighList(on.Index, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range neighbours {
		if n.IP.String() == address && n.HardwareAddr.String() == machine.String() {
			return true
		}
	}
	return false
}
