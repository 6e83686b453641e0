package main

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// TestNetworkNamespace has the interface in a namespace of its own, and none of that
// name outside.
func TestNetworkNamespace(t *testing.T) {
	c := newCable(t)
	ip(t, "netns add inner")
	ip(t, "link set eth0 netns inner")
	ip(t, "-n inner addr add 192.168.144.1/24 dev eth0")
	ip(t, "-n inner link set eth0 up")
	params := []string{"ip=192.168.144.2", "network_namespace=inner"}
	c.want(t, 7, "monitor", params...)
	c.want(t, 0, "validate-all", params...)
	c.want(t, 0, "start", params...)
	if got := ip(t, "-n inner -o addr show dev eth0"); !strings.Contains(got, " 192.168.144.2/24 ") {
		t.Fatalf("no address in the namespace: %s", got)
	}
	c.want(t, 0, "monitor", params...)
	c.want(t, 0, "stop", params...)
	if got := ip(t, "-n inner -o addr show dev eth0"); strings.Contains(got, " 192.168.144.2/24 ") {
		t.Errorf("the address is still in the namespace: %s", got)
	}
	c.want(t, 0, "start", params...)
	ip(t, "netns del inner")
	c.want(t, 7, "monitor", params...)
	c.want(t, 0, "stop", params...)
}

func TestUniqueCloneAddress(t *testing.T) {
	c := newCable(t)
	third := []string{"ip=192.168.144.20", "unique_clone_address=true", "CRM_meta_globally_unique=true", "CRM_meta_clone_max=3", "CRM_meta_clone=2"}
	c.want(t, 0, "start", third...)
	if !on(t, "eth0", "192.168.144.22/24") {
		t.Error("the third instance does not have the third address")
	}
	c.want(t, 0, "monitor", third...)
	c.want(t, 0, "stop", third...)
	if on(t, "eth0", "192.168.144.22/24") {
		t.Error("the address is still there")
	}
}

// TestRealServer: the copy on lo is away exactly while the address is here, and comes
// back whatever the parameters of the stop are.
func TestRealServer(t *testing.T) {
	for _, stop := range [][]string{{"lvs_support=true"}, {"cidr_netmask=junk"}} {
		c := newCable(t)
		ip(t, "addr add 192.168.144.2/32 dev lo")
		c.want(t, 7, "probe", "ip=192.168.144.2", "lvs_support=true")
		c.want(t, 0, "start", "ip=192.168.144.2", "lvs_support=true")
		if on(t, "lo", "192.168.144.2/32") || !on(t, "eth0", "192.168.144.2/24") {
			t.Errorf("after start:\n%s", ip(t, "addr"))
		}
		c.want(t, 0, "stop", append(stop, "ip=192.168.144.2")...)
		if !on(t, "lo", "192.168.144.2/32") || on(t, "eth0", "192.168.144.2/24") {
			t.Errorf("after stop with %v:\n%s", stop, ip(t, "addr"))
		}
		ip(t, "addr del 192.168.144.2/32 dev lo")
		c.want(t, 0, "stop", "ip=192.168.144.2")
		if on(t, "lo", "192.168.144.2/32") {
			t.Error("a second stop brings back what is none of its business")
		}
	}
}

func TestAddressLabel(t *testing.T) {
	c := newCable(t)
	params := []string{"ip=2001:db8:1234::2", "nodad=true", "lvs_ipv6_addrlabel=true", "lvs_ipv6_addrlabel_value=77"}
	c.want(t, 0, "start", params...)
	if got := ip(t, "addrlabel list"); !strings.Contains(got, "2001:db8:1234::2/128 label 77") {
		t.Errorf("no label in\n%s", got)
	}
	c.want(t, 0, "stop", params...)
	if got := ip(t, "addrlabel list"); strings.Contains(got, "2001:db8:1234::2") {
		t.Errorf("the label stays:\n%s", got)
	}
}

func TestMetricAndProtocol(t *testing.T) {
	for _, test := range []struct{ ip, bits, route string }{
		// A second IPv4 address of a prefix gets no route; this one is the first of its own.
		{"192.168.144.2", "28", "-4 route show 192.168.144.0/28"},
		{"2001:db8:1234::2", "64", "-6 route show 2001:db8:1234::/64"},
	} {
		c := newCable(t)
		c.want(t, 0, "start", "ip="+test.ip, "cidr_netmask="+test.bits, "metric=700", "proto=99", "nodad=true")
		if got := protocolOf(t, netip.MustParseAddr(test.ip)); got != 99 {
			t.Errorf("%s has the protocol %d", test.ip, got)
		}
		if got := ip(t, test.route); !strings.Contains(got, "metric 700") {
			t.Errorf("no route with the metric: %s", got)
		}
		c.want(t, 0, "monitor", "ip="+test.ip, "cidr_netmask="+test.bits, "metric=700", "proto=99")
		c.want(t, 0, "stop", "ip="+test.ip)
	}
}

// protocolOf asks the kernel: ip(8) of Debian 12 does not show it.
func protocolOf(t *testing.T, ip netip.Addr) int {
	t.Helper()
	request := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	messages, err := request.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWADDR)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		attributes, err := nl.ParseRouteAttr(m[unix.SizeofIfAddrmsg:])
		if err != nil {
			t.Fatal(err)
		}
		protocol, ours := 0, false
		for _, a := range attributes {
			switch a.Attr.Type {
			case unix.IFA_ADDRESS:
				ours = string(a.Value) == string(ip.AsSlice())
			case 11: // IFA_PROTO
				protocol = int(a.Value[0])
			}
		}
		if ours {
			return protocol
		}
	}
	t.Fatalf("the kernel does not have %s", ip)
	return 0
}

// TestEndConnections has a client connected, to a server that listens on all addresses
// of both families as mariadbd does.
func TestEndConnections(t *testing.T) {
	c := newCable(t)
	c.want(t, 0, "start", "ip=192.168.144.2")
	server, err := net.Listen("tcp", "[::]:3306")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var client net.Conn
	c.atClient(t, func() {
		ip(t, "addr add 192.168.144.9/24 dev client")
		client, err = net.DialTimeout("tcp", "192.168.144.2:3306", 5*time.Second)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	c.want(t, 0, "stop", "ip=192.168.144.2", "end_connections=true")
	if err := client.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the client was not told: %v", err)
	}
}

// TestPeersAreToldDirectly: each frame comes once to everybody and once to the peer.
func TestPeersAreToldDirectly(t *testing.T) {
	c := newCable(t)
	c.atClient(t, func() { ip(t, "addr add 192.168.144.9/24 dev client") })
	ip(t, "neigh add 192.168.144.9 lladdr "+c.client.HardwareAddr.String()+" dev eth0")
	wire := c.listen(t)
	c.want(t, 0, "start", "ip=192.168.144.2", "arp_peers=192.168.144.9, 192.168.144.77", "arp_count=1", "arp_late=0")
	c.waitNobody(t)
	direct, all := 0, 0
	address := netip.MustParseAddr("192.168.144.2")
	buffer := make([]byte, 1500)
	for {
		if err := wire.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, _, err := wire.ReadFrom(buffer)
		if err != nil {
			break
		}
		if n < 42 || string(buffer[28:32]) != string(address.AsSlice()) {
			continue
		}
		switch net.HardwareAddr(buffer[:6]).String() {
		case c.client.HardwareAddr.String():
			direct++
		case "ff:ff:ff:ff:ff:ff":
			all++
		}
	}
	if direct != 2 || all != 2 {
		t.Errorf("%d frames to the peer and %d to everybody, not 2 and 2", direct, all)
	}
}

// TestAfterStopNothingIsNoted: a later start of another address must not find anything.
func TestAfterStopNothingIsNoted(t *testing.T) {
	c := newCable(t)
	ip(t, "addr add 192.168.144.2/32 dev lo")
	c.want(t, 0, "start", "ip=192.168.144.2", "lvs_support=true")
	c.want(t, 0, "stop", "ip=192.168.144.2")
	left, err := filepath.Glob("/run/holdfast/*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if _, err := os.Stat("/run/holdfast"); err != nil {
		t.Errorf("the notes are somewhere else: %v", err)
	}
}
