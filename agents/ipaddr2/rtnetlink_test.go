package main

import (
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

// FuzzDescribe gives the readers whatever the kernel might send.
func FuzzDescribe(f *testing.F) {
	for _, request := range []int{syscall.RTM_GETLINK, syscall.RTM_GETADDR, syscall.RTM_GETROUTE} {
		messages, err := dumpOnce(request, syscall.AF_UNSPEC)
		if err != nil {
			f.Fatal(err)
		}
		for _, m := range messages {
			f.Add(m.Header.Type, m.Data)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint16, data []byte) {
		m := []syscall.NetlinkMessage{{Header: syscall.NlMsghdr{Type: kind, Len: uint32(syscall.NLMSG_HDRLEN + len(data))}, Data: data}}
		n := describeAddresses(m, m)
		for _, a := range n.Addresses {
			if !a.Prefix.IsValid() {
				t.Errorf("an address without a prefix: %v", a)
			}
		}
		for _, r := range describeRoutes(m, n.Links) {
			if !r.Destination.IsValid() || r.Destination != r.Destination.Masked() {
				t.Errorf("a route to %v", r.Destination)
			}
		}
	})
}

// TestReadsWhatIPShows is about the parts that only some links, addresses and routes have.
func TestReadsWhatIPShows(t *testing.T) {
	newCable(t)
	for _, command := range []string{
		"link property add dev eth0 altname a-name-longer-than-fifteen-letters",
		"link property add dev eth0 altname second",
		"addr add 10.1.1.1 peer 10.1.1.2/32 dev eth0 label eth0:peer",
		"route add 10.2.0.0/16 dev eth0 src 192.168.144.1",
		"route add 10.3.0.0/16 via 192.168.144.7",
		"route add 10.4.0.0/16 via inet6 2001:db8:1234::7",
		"route add 10.5.0.0/16 dev eth0 table 77",
	} {
		ip(t, command)
	}
	n, err := netlinkKernel{}.Network(t.Context(), netip.MustParseAddr("192.168.144.2"))
	if err != nil {
		t.Fatal(err)
	}
	eth0, ok := n.Link("a-name-longer-than-fifteen-letters")
	if !ok || eth0.Name != "eth0" || !slices.Equal(eth0.AltNames, []string{"a-name-longer-than-fifteen-letters", "second"}) {
		t.Errorf("the alternative names are %q", eth0.AltNames)
	}
	own := n.Having(netip.MustParseAddr("192.168.144.1"))
	if len(own) != 1 || own[0].Prefix.Bits() != 24 || own[0].Broadcast != netip.MustParseAddr("192.168.144.255") {
		t.Errorf("the node's own address is %v", own)
	}
	peer := n.Having(netip.MustParseAddr("10.1.1.1"))
	if len(peer) != 1 || peer[0].Prefix.Bits() != 32 || peer[0].Label != "eth0:peer" {
		t.Errorf("the address of a link between two is %v", peer)
	}
	var found []string
	for _, r := range n.Routes {
		if r.Destination.Addr().As4()[0] == 10 && !r.Host {
			found = append(found, r.Destination.String()+" "+r.Source.String())
		}
	}
	slices.Sort(found)
	if want := []string{"10.1.1.2/32 10.1.1.1", "10.2.0.0/16 192.168.144.1"}; !slices.Equal(found, want) {
		t.Errorf("the routes without a gateway in the main table are %q, not %q", found, want)
	}
}
