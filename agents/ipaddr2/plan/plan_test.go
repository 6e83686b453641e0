package plan

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machine has two interfaces: eth0 with 192.168.144.1/24 and 2001:db8:1234::1/64, and
// eth1 without an address.
func machine() Network {
	return Network{
		Links: []Link{
			{Index: 1, Name: "lo", Up: true, Carrier: true, Loopback: true},
			{Index: 2, Name: "eth0", AltNames: []string{"enp0s3"}, Up: true, Carrier: true},
			{Index: 3, Name: "eth1", Up: true, Carrier: true},
		},
		Addresses: []Address{
			{Prefix: netip.MustParsePrefix("127.0.0.1/8"), Link: "lo"},
			{Prefix: netip.MustParsePrefix("192.168.144.1/24"), Link: "eth0", Broadcast: netip.MustParseAddr("192.168.144.255")},
		},
		Routes: []Route{
			{Destination: netip.MustParsePrefix("127.0.0.0/8"), Link: "lo", Host: true},
			{Destination: netip.MustParsePrefix("127.0.0.3/32"), Link: "lo", Host: true},
			{Destination: netip.MustParsePrefix("192.168.144.0/24"), Link: "eth0", OnLink: true, Source: netip.MustParseAddr("192.168.144.1")},
			{Destination: netip.MustParsePrefix("2001:db8:1234::/64"), Link: "eth0"},
		},
	}
}

// TestFind has the cases of ocft's IPaddr2v4 and IPaddr2v6 and of tools/test-findif.sh
// in resource-agents, as far as they are about finding.
func TestFind(t *testing.T) {
	for _, test := range []struct {
		name      string
		wanted    Wanted
		link      string
		prefix    string
		broadcast string
		err       error
	}{
		{name: "by route", wanted: Wanted{}, link: "eth0", prefix: "192.168.144.2/24", broadcast: "192.168.144.255"},
		{name: "own interface", wanted: Wanted{Link: "eth0"}, link: "eth0", prefix: "192.168.144.2/24", broadcast: "192.168.144.255"},
		{name: "alternative name", wanted: Wanted{Link: "enp0s3"}, link: "eth0", prefix: "192.168.144.2/24", broadcast: "192.168.144.255"},
		{name: "narrower", wanted: Wanted{Bits: 28}, link: "eth0", prefix: "192.168.144.2/28", broadcast: "192.168.144.255"},
		{name: "wider than the route", wanted: Wanted{Bits: 16}, err: ErrNoRoute},
		{name: "other interface", wanted: Wanted{Link: "eth1"}, err: ErrNoRoute},
		{name: "other interface, all given", wanted: Wanted{Link: "eth1", Bits: 16}, link: "eth1", prefix: "192.168.144.2/16"},
		{name: "no such interface", wanted: Wanted{Link: "eth9", Bits: 16}, err: ErrNoLink},
		{name: "outside", wanted: Wanted{IP: netip.MustParseAddr("10.0.0.1")}, err: ErrNoRoute},
		{name: "loopback", wanted: Wanted{IP: netip.MustParseAddr("127.0.0.3")}, link: "lo", prefix: "127.0.0.3/8"},
		{name: "all host bits", wanted: Wanted{Broadcast: "+", Bits: 28}, link: "eth0", prefix: "192.168.144.2/28", broadcast: "192.168.144.15"},
		{name: "no host bits", wanted: Wanted{Broadcast: "-"}, link: "eth0", prefix: "192.168.144.2/24", broadcast: "192.168.144.0"},
		{name: "given broadcast", wanted: Wanted{Broadcast: "192.168.255.255"}, link: "eth0", prefix: "192.168.144.2/24", broadcast: "192.168.255.255"},
		{name: "IPv6", wanted: Wanted{IP: netip.MustParseAddr("2001:db8:1234::2")}, link: "eth0", prefix: "2001:db8:1234::2/64"},
		{name: "IPv6 wider", wanted: Wanted{IP: netip.MustParseAddr("2001:db8:1234::2"), Bits: 48}, err: ErrNoRoute},
		{name: "IPv6 outside", wanted: Wanted{IP: netip.MustParseAddr("2001:db8:5678::2")}, err: ErrNoRoute},
		{name: "link-local", wanted: Wanted{IP: netip.MustParseAddr("fe80::2"), Link: "eth1", Bits: 64}, link: "eth1", prefix: "fe80::2/64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !test.wanted.IP.IsValid() {
				test.wanted.IP = netip.MustParseAddr("192.168.144.2")
			}
			place, err := Find(test.wanted, machine())
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, not %v", err, test.err)
			}
			if test.err != nil {
				return
			}
			broadcast := ""
			if place.Broadcast.IsValid() {
				broadcast = place.Broadcast.String()
			}
			got := []string{place.Link.Name, place.Prefix.String(), broadcast}
			if diff := cmp.Diff([]string{test.link, test.prefix, test.broadcast}, got); diff != "" {
				t.Errorf("place (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindPrefersTheLongestAndThenTheLastRoute(t *testing.T) {
	n := machine()
	n.Routes = append(n.Routes,
		Route{Destination: netip.MustParsePrefix("192.168.0.0/16"), Link: "eth1", OnLink: true},
		Route{Destination: netip.MustParsePrefix("192.168.144.0/24"), Link: "eth1", OnLink: true},
		Route{Destination: netip.MustParsePrefix("0.0.0.0/0"), Link: "eth0", OnLink: true},
	)
	place, err := Find(Wanted{IP: netip.MustParseAddr("192.168.144.2")}, n)
	if err != nil || place.Link.Name != "eth1" {
		t.Errorf("%v %v", place, err)
	}
	if _, err := Find(Wanted{IP: netip.MustParseAddr("10.0.0.1")}, n); !errors.Is(err, ErrNoRoute) {
		t.Errorf("a default route says where nothing else is, not where an address belongs: %v", err)
	}
}

// TestStartAndStop carries the steps out on a copy of the network: after start the
// address is served, after stop it is nowhere, whatever was there before.
func TestStartAndStop(t *testing.T) {
	ip := netip.MustParseAddr("192.168.144.2")
	at := func(link, prefix string) Address { return Address{Prefix: netip.MustParsePrefix(prefix), Link: link} }
	failed := at("eth0", "192.168.144.2/24")
	failed.DADFailed = true
	for name, before := range map[string][]Address{
		"nothing":           nil,
		"there already":     {at("eth0", "192.168.144.2/24")},
		"another prefix":    {at("eth0", "192.168.144.2/32")},
		"another interface": {at("eth1", "192.168.144.2/24")},
		"a failed one":      {failed},
	} {
		t.Run(name, func(t *testing.T) {
			n := machine()
			n.Addresses = append(n.Addresses, before...)
			place, err := Find(Wanted{IP: ip}, n)
			if err != nil {
				t.Fatal(err)
			}
			n = carryOut(n, Start(place, "", n))
			if !Served(place, n) {
				t.Fatalf("not served after start: %v", n.Having(ip))
			}
			if again := Start(place, "", n); len(again) > 0 {
				t.Errorf("a second start would do %v", again)
			}
			if n = carryOut(n, Stop(ip, "", n)); len(n.Having(ip)) > 0 {
				t.Errorf("still there after stop: %v", n.Having(ip))
			}
		})
	}
}

func TestStopLeavesTheLoopbackAlone(t *testing.T) {
	ip := netip.MustParseAddr("192.168.144.2")
	n := machine()
	n.Addresses = append(n.Addresses, Address{Prefix: netip.PrefixFrom(ip, 32), Link: "lo"})
	if steps := Stop(ip, "", n); len(steps) > 0 {
		t.Errorf("a load balancer's address on lo would be taken away: %v", steps)
	}
	if steps := Stop(ip, "lo", n); len(steps) != 1 {
		t.Errorf("nic=lo names that interface, and its address stays: %v", steps)
	}
}

func carryOut(n Network, steps []Step) Network {
	for _, s := range steps {
		switch s.Kind {
		case Add:
			n.Addresses = append(n.Addresses, s.Address)
		case Remove:
			var left []Address
			for _, a := range n.Addresses {
				if a != s.Address {
					left = append(left, a)
				}
			}
			n.Addresses = left
		case SetUp:
		}
	}
	return n
}

func FuzzFind(f *testing.F) {
	f.Add("192.168.144.2", "eth0", 24, "+")
	f.Add("fe80::1", "", 0, "-")
	f.Fuzz(func(t *testing.T, ip, link string, bits int, broadcast string) {
		addr, err := netip.ParseAddr(ip)
		if err != nil || addr.Zone() != "" || bits < 0 || bits > addr.BitLen() {
			return // the agent's parameter table refuses these
		}
		place, err := Find(Wanted{IP: addr.Unmap(), Link: link, Bits: min(bits, addr.Unmap().BitLen()), Broadcast: broadcast}, machine())
		if err == nil && (place.Link.Name == "" || place.Prefix.Addr() != addr.Unmap() || place.Prefix.Bits() <= 0) {
			t.Errorf("found %v", place)
		}
	})
}
