package main

import (
	"strings"
	"testing"
	"time"

	"holdfast/ocf/ocftest"
)

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
		{[]string{"ip=2001:db8:1234::2", "lvs_support=true"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "lvs_ipv6_addrlabel=true"}, 6, 7, 0},
		{[]string{"ip=2001:db8:1234::2", "lvs_ipv6_addrlabel_value=-1"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "lvs_support=true", "CRM_meta_clone_max=3"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "unique_clone_address=true"}, 6, 7, 0},
		{[]string{"ip=192.168.144.254", "unique_clone_address=true", "CRM_meta_clone=1", "CRM_meta_globally_unique=true"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "network_namespace=nowhere"}, 5, 7, 0}, // 255 there, which means nothing
		{[]string{"ip=192.168.144.2", "network_namespace=../proc/1/ns/net"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "proto=256"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "arp_peers=192.168.144.9,router"}, 6, 7, 0},
		{[]string{"ip=192.168.144.2", "clusterip_hash=bogus"}, 6, 7, 0},
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
	waitNotUp(t, "eth0")
	if r := c.want(t, 7, "monitor", "ip=192.168.144.2"); !strings.Contains(r.Reason(), "eth0") {
		t.Errorf("the reason does not name the interface: %s", r.Reason())
	}
	c.want(t, 0, "monitor", "ip=192.168.144.2", "check_link_status=false")
}

// waitNotUp waits for the kernel to have noticed that the wire is dead, which it does in
// its own time (net/core/link_watch.c).
func waitNotUp(t *testing.T, link string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); strings.Contains(ip(t, "-o link show dev "+link), "state UP"); {
		if time.Now().After(deadline) {
			t.Fatalf("%s is still up", link)
		}
		time.Sleep(5 * time.Millisecond)
	}
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
