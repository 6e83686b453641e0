package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
)

// TestAnnouncements looks at the packets on the other side of the cable: start makes for
// a burst of requests and replies, one later monitor for another, any other for none
// unless it is told to.
func TestAnnouncements(t *testing.T) {
	c := newCable(t)
	wire := c.listen(t)
	address := netip.MustParseAddr("192.168.144.2")
	eth0, err := net.InterfaceByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	params := []string{"ip=" + address.String(), "arp_count=3", "arp_interval=20", "arp_late=1000"}
	pair := "request reply "
	for _, step := range []struct {
		action string
		extra  string
		pairs  int
	}{
		{"start", "", 3},
		{"monitor", "", 0},
		{"monitor", "arp_count_refresh=1", 1},
	} {
		c.want(t, 0, step.action, append(params, step.extra)...)
		if got, want := gratuitous(t, wire, address, eth0.HardwareAddr, step.pairs*len(pair)), strings.Repeat(pair, step.pairs); got != want {
			t.Errorf("%s with %q sent %q, not %q", step.action, step.extra, got, want)
		}
		c.waitNobody(t)
	}
	if err := (runDirectory{"/run/holdfast"}).SetLate(t.Name(), time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, pairs := range []int{3, 0} {
		c.want(t, 0, "monitor", params...)
		if got, want := gratuitous(t, wire, address, eth0.HardwareAddr, pairs*len(pair)), strings.Repeat(pair, pairs); got != want {
			t.Errorf("a monitor after arp_late sent %q, not %q", got, want)
		}
		c.waitNobody(t)
	}
	c.want(t, 0, "stop", "ip="+address.String())
}

// TestStopSilences: what goes on in the background ends with stop, and also when somebody
// removes the address by hand.
func TestStopSilences(t *testing.T) {
	const address = "192.168.144.2"
	for _, test := range []struct {
		name string
		end  func(*testing.T, cable)
	}{
		{"stop", func(t *testing.T, c cable) { c.want(t, 0, "stop", "ip="+address) }},
		{"by hand", func(t *testing.T, _ cable) { ip(t, "addr del "+address+"/24 dev eth0") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCable(t)
			wire := c.listen(t)
			eth0, err := net.InterfaceByName("eth0")
			if err != nil {
				t.Fatal(err)
			}
			const first = "request reply "
			c.want(t, 0, "start", "ip="+address, "arp_count=2", "arp_interval=3000", "arp_late=0")
			if got := gratuitous(t, wire, netip.MustParseAddr(address), eth0.HardwareAddr, len(first)); got != first {
				t.Errorf("start sent %q", got)
			}
			test.end(t, c)
			c.waitNobody(t)
			if got := gratuitous(t, wire, netip.MustParseAddr(address), eth0.HardwareAddr, 0); got != "" {
				t.Errorf("after the end the wire saw %q", got)
			}
		})
	}
}

// waitNobody waits until no process of the program that announces is left.
func (c cable) waitNobody(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); len(c.announcers(t)) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the announcing does not end")
		}
	}
}

// announcers are the processes of this test's program that announces.
func (c cable) announcers(t *testing.T) []*os.Process {
	t.Helper()
	running, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var found []*os.Process
	for _, exe := range running {
		if path, err := os.Readlink(exe); err != nil || path != c.announce {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(exe)))
		if err != nil {
			t.Fatal(err)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, p)
	}
	return found
}

// listen hears the ARP packets that reach the client, from now on.
func (c cable) listen(t *testing.T) *packet.Conn {
	t.Helper()
	var wire *packet.Conn
	var err error
	c.atClient(t, func() { wire, err = packet.Listen(c.client, packet.Raw, 0x0806, nil) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wire.Close() })
	return wire
}

// gratuitous names the announcements of ip that have arrived, and checks each: RFC 5227
// section 3, sender and target are the address, sent to everybody. It waits for as many
// characters, and then only for what is in the queue already.
func gratuitous(t *testing.T, wire *packet.Conn, ip netip.Addr, from net.HardwareAddr, wait int) string {
	t.Helper()
	var seen strings.Builder
	buffer := make([]byte, 1500)
	for {
		patience := time.Minute
		if seen.Len() >= wait {
			patience = 100 * time.Millisecond
		}
		if err := wire.SetReadDeadline(time.Now().Add(patience)); err != nil {
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
	for _, test := range []struct {
		name, address, own string
		family             int
	}{
		{"IPv4", "192.168.144.2", "192.168.144.9/24", netlink.FAMILY_V4},
		{"IPv6", "2001:db8:1234::2", "2001:db8:1234::9/64", netlink.FAMILY_V6},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCable(t)
			c.atClient(t, func() {
				options := ""
				if test.family == netlink.FAMILY_V6 {
					options = " nodad"
				}
				ip(t, "addr add "+test.own+" dev client"+options)
				ip(t, "neigh add "+test.address+" lladdr 02:00:00:00:00:99 nud stale dev client")
			})
			c.want(t, 0, "start", "ip="+test.address, "nic=eth0")
			eth0, err := net.InterfaceByName("eth0")
			if err != nil {
				t.Fatal(err)
			}
			c.atClient(t, func() {
				for deadline := time.Now().Add(10 * time.Second); !knows(t, c.client, test.family, test.address, eth0.HardwareAddr); time.Sleep(10 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("the client does not learn the new machine:\n%s", ip(t, "neigh show"))
					}
				}
			})
		})
	}
}

// knows says whether the interface's neighbour table has the address at the machine.
func knows(t *testing.T, on *net.Interface, family int, address string, machine net.HardwareAddr) bool {
	t.Helper()
	neighbours, err := netlink.NeighList(on.Index, family)
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
