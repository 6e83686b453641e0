package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"holdfast/ocf/ocftest"
)

// cable is a network of this test's own: eth0 with addresses of its own, and beyond
// its cable a client's interface.
type cable struct {
	agent     string
	client    *net.Interface
	near, far netns.NsHandle // the agent's machine, the client's machine
}

// newCable enters a network namespace that is gone when the test ends; the client's
// interface is in another.
func newCable(t *testing.T) cable {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("run this test as root: it makes network namespaces")
	}
	agent := filepath.Join(t.TempDir(), "IPaddr2")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", agent, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	runtime.LockOSThread() // a namespace belongs to a thread; this one ends with the test
	home, far, near := namespaces(t)
	t.Cleanup(func() {
		if err := netns.Set(home); err != nil {
			t.Error(err)
		}
		for _, ns := range []netns.NsHandle{home, far, near} {
			ns.Close()
		}
		runtime.UnlockOSThread()
	})
	for _, command := range []string{
		"link set lo up",
		"link add eth0 type veth peer name client",
		"addr add 192.168.144.1/24 brd + dev eth0",
		"link set eth0 up",
	} {
		ip(t, command)
	}
	peer, err := netlink.LinkByName("client")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetNsFd(peer, int(far)); err != nil {
		t.Fatal(err)
	}
	c := cable{agent: agent, near: near, far: far}
	c.atClient(t, func() {
		ip(t, "link set client up")
		if c.client, err = net.InterfaceByName("client"); err != nil {
			t.Fatal(err)
		}
	})
	ip(t, "-6 addr add 2001:db8:1234::1/64 dev eth0 nodad")
	return c
}

// namespaces makes two, and leaves the thread in the second.
func namespaces(t *testing.T) (home, far, near netns.NsHandle) {
	t.Helper()
	home, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	if far, err = netns.New(); err != nil {
		t.Fatal(err)
	}
	if near, err = netns.New(); err != nil {
		t.Fatal(err)
	}
	return home, far, near
}

// atClient does something on the client's machine.
func (c cable) atClient(t *testing.T, do func()) {
	t.Helper()
	if err := netns.Set(c.far); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := netns.Set(c.near); err != nil {
			t.Error(err)
		}
	}()
	do()
}

func ip(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(command)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", command, err, out)
	}
	return string(out)
}

// run runs the agent; a recurring monitor unless the action says otherwise.
func (c cable) run(t *testing.T, action string, params ...string) ocftest.Result {
	t.Helper()
	env := map[string]string{"OCF_RESKEY_CRM_meta_timeout": "20000", "OCF_RESKEY_CRM_meta_interval": "10000", "OCF_RESOURCE_INSTANCE": t.Name()}
	if action == "probe" {
		action, env["OCF_RESKEY_CRM_meta_interval"] = "monitor", "0"
	}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		env["OCF_RESKEY_"+name] = value
	}
	// The child must be forked by the thread that is in the namespace, and is.
	return ocftest.Call(t, c.agent, env, &syscall.SysProcAttr{}, action)
}

func (c cable) want(t *testing.T, code int, action string, params ...string) ocftest.Result {
	t.Helper()
	r := c.run(t, action, params...)
	if r.Code != code {
		t.Errorf("%s %v: status %d, not %d: %s", action, params, r.Code, code, r.Stderr)
	}
	return r
}

func on(t *testing.T, link, prefix string) bool {
	t.Helper()
	return strings.Contains(ip(t, "-o addr show dev "+link), " "+prefix+" ")
}

func TestRules(t *testing.T) {
	c := newCable(t)
	ocftest.Run(t, ocftest.Agent{Binary: c.agent, Params: map[string]string{"ip": "192.168.144.2"}})
}

func TestLifeOfAnAddress(t *testing.T) {
	for _, test := range []struct{ name, ip, prefix string }{
		{"IPv4", "192.168.144.2", "192.168.144.2/24"},
		{"IPv6", "2001:db8:1234::2", "2001:db8:1234::2/64"},
		{"loopback", "127.0.0.3", "127.0.0.3/8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCable(t)
			link := "eth0"
			if test.name == "loopback" {
				link = "lo"
			}
			p := "ip=" + test.ip
			c.want(t, 7, "monitor", p)
			c.want(t, 0, "validate-all", p)
			c.want(t, 0, "start", p)
			if !on(t, link, test.prefix) {
				t.Fatalf("no %s on %s", test.prefix, link)
			}
			c.want(t, 0, "monitor", p)
			c.want(t, 0, "start", p)
			c.want(t, 0, "probe", p)
			c.want(t, 0, "stop", p)
			if on(t, link, test.prefix) {
				t.Fatalf("%s is still there", test.prefix)
			}
			c.want(t, 0, "stop", p)
			c.want(t, 7, "probe", p)
		})
	}
}

// TestExitStatus follows the matrix of Debian 12's agent; where it differs, the
// reason stands beside.
func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		params             []string
		start, probe, stop int
	}{
		{[]string{}, 6, 7, 0},
		{[]string{"ip=not_ip"}, 6, 7, 0},
		{[]string{"ip=0.0.0.0"}, 6, 7, 0},
		{[]string{"ip=256.1.1.1"}, 6, 7, 0},
		{[]string{"ip=10.9.9.9"}, 1, 7, 0},
		{[]string{"ip=192.168.144.2", "nic=eth9"}, 5, 7, 0}, // 6 there: one node without the interface bans all
		{[]string{"ip=192.168.144.2", "nic=eth9", "cidr_netmask=24"}, 5, 7, 0},
		{[]string{"ip=192.168.144.2", "cidr_netmask=33"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "cidr_netmask=0"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "cidr_netmask=255.255.255.0"}, 0, 7, 0},
		{[]string{"ip=192.168.144.2", "netmask=24"}, 0, 7, 0},
		{[]string{"ip=192.168.144.2", "cidr_netmask=28"}, 0, 7, 0},
		{[]string{"ip=192.168.144.2", "cidr_netmask=16"}, 1, 7, 0},
		{[]string{"ip=192.168.144.2", "broadcast=+"}, 0, 7, 0},
		{[]string{"ip=192.168.144.2", "broadcast=bad"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "iflabel=much-too-long-a-label"}, 6, 7, 0}, // stop 6 there: the node gets fenced
		{[]string{"ip=192.168.144.2", "arp_count=0"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "arp_interval=abc"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "arp_sender=bogus"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "preferred_lft=xyz"}, 6, 7, 0},
		{[]string{"ip=fe80::2"}, 6, 7, 0},
		{[]string{"ip=fe80::2", "nic=eth0"}, 0, 7, 0},
		{[]string{"ip=2001:db8:5678::2"}, 1, 7, 0},
		{[]string{"ip=192.168.144.2", "CRM_meta_clone_max=3"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "lvs_support=true"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "mac=01:02:03:04:05:06"}, 6, 7, 0},
	} {
		t.Run(strings.Join(test.params, " "), func(t *testing.T) {
			c := newCable(t)
			c.want(t, test.probe, "probe", test.params...)
			r := c.want(t, test.start, "start", test.params...)
			if test.start != 0 && r.Reason() == "" {
				t.Error("no reason is given")
			}
			c.want(t, test.stop, "stop", test.params...)
			if on(t, "eth0", "192.168.144.2/24") {
				t.Error("the address is still there")
			}
		})
	}
}

func TestLabel(t *testing.T) {
	for _, params := range [][]string{{"nic=eth0:web"}, {"nic=eth0", "iflabel=web"}, {"iflabel=web"}} {
		c := newCable(t)
		params = append(params, "ip=192.168.144.2")
		c.want(t, 0, "start", params...)
		if got := ip(t, "-o addr show dev eth0"); !strings.Contains(got, " eth0:web") {
			t.Errorf("%v: no label in %s", params, got)
		}
		c.want(t, 0, "monitor", params...)
		c.want(t, 0, "stop", params...)
	}
}

// TestStopWithoutARoute is the heartbeat agent's worst: when the interface is down it
// finds no route, says 0, and the address is back with the link, now on two machines.
func TestStopWithoutARoute(t *testing.T) {
	c := newCable(t)
	c.want(t, 0, "start", "ip=192.168.144.2")
	ip(t, "link set eth0 down")
	c.want(t, 0, "stop", "ip=192.168.144.2")
	if on(t, "eth0", "192.168.144.2/24") {
		t.Error("the address is still there")
	}
}

func TestStopFindsTheAddressElsewhere(t *testing.T) {
	c := newCable(t)
	ip(t, "link add eth1 type veth peer name unused")
	ip(t, "addr add 192.168.144.2/32 dev eth1")
	c.want(t, 0, "stop", "ip=192.168.144.2", "nic=eth0", "cidr_netmask=junk")
	if on(t, "eth1", "192.168.144.2/32") {
		t.Error("the address is still on another interface")
	}
}

func TestMonitorNoticesALostCable(t *testing.T) {
	c := newCable(t)
	c.want(t, 0, "start", "ip=192.168.144.2")
	c.atClient(t, func() { ip(t, "link set client down") })
	if r := c.want(t, 7, "monitor", "ip=192.168.144.2"); !strings.Contains(r.Reason(), "eth0") {
		t.Errorf("the reason does not name the interface: %s", r.Reason())
	}
	c.want(t, 0, "monitor", "ip=192.168.144.2", "check_link_status=false")
}

// TestDuplicateIPv6 has another machine on the wire that owns the address.
func TestDuplicateIPv6(t *testing.T) {
	c := newCable(t)
	c.atClient(t, func() { ip(t, "-6 addr add 2001:db8:1234::2/64 dev client nodad") })
	r := c.want(t, 1, "start", "ip=2001:db8:1234::2", "nic=eth0")
	if !strings.Contains(r.Reason(), "another machine has 2001:db8:1234::2") {
		t.Errorf("the reason is %q", r.Reason())
	}
	if on(t, "eth0", "2001:db8:1234::2/64") {
		t.Error("the address was kept")
	}
}

func TestProbeForAnotherHolder(t *testing.T) {
	c := newCable(t)
	c.atClient(t, func() { ip(t, "addr add 192.168.144.2/24 dev client") })
	r := c.want(t, 1, "start", "ip=192.168.144.2", "nic=eth0", "run_arping=true")
	if !strings.Contains(r.Reason(), c.client.HardwareAddr.String()) {
		t.Errorf("the reason does not name the holder: %q", r.Reason())
	}
}

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
		c.want(t, 0, step.action, "ip="+address.String(), "arp_count=3", "arp_interval=20")
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
