package plan

import (
	"errors"
	"fmt"
	"net/netip"
)

// Wanted is what the operator asked for.
type Wanted struct {
	IP        netip.Addr
	Link      string // interface; "" to find it
	Bits      int    // prefix length; 0 to find it
	Broadcast string // an address, "+" (all host bits 1), "-" (all 0), or "" to find it
}

// Complete says whether link and prefix are given, so that no route is needed to find
// them. The broadcast address, which only start is about, may still need one.
func (w Wanted) Complete() bool { return w.Link != "" && w.Bits > 0 }

// Place is where the address belongs.
type Place struct {
	Link      Link
	Prefix    netip.Prefix
	Broadcast netip.Addr // invalid for none
}

// Errors of [Find] that callers tell apart: a missing interface is this node's
// matter, a missing route may be.
var (
	ErrNoLink  = errors.New("no such interface on this node")
	ErrNoRoute = errors.New("no route on this node leads to the address")
)

// Find finds the interface and the prefix of the wanted address, as findif.sh does:
// what is given counts; for the rest the route with the longest prefix that contains
// the address decides, among equals the last. Without either, nothing is guessed.
func Find(w Wanted, n Network) (Place, error) {
	var link Link
	if w.Link != "" {
		var ok bool
		if link, ok = n.Link(w.Link); !ok {
			return Place{}, fmt.Errorf("nic=%s: %w", w.Link, ErrNoLink)
		}
	} else if w.IP.Is6() && w.IP.IsLinkLocalUnicast() {
		return Place{}, fmt.Errorf("ip=%s is link-local, and such an address says nothing without its interface; set nic", w.IP)
	}
	route, found := match(w, link.Name, n.Routes)
	if !found && (w.Link == "" || w.Bits == 0) {
		return Place{}, fmt.Errorf("ip=%s: %w; set nic and cidr_netmask, or correct the node's own address", w.IP, ErrNoRoute)
	}
	bits := w.Bits
	if bits == 0 {
		bits = route.Destination.Bits()
	}
	if w.Link == "" {
		var ok bool
		if link, ok = n.Link(route.Link); !ok {
			return Place{}, fmt.Errorf("interface %s of the route to %s: %w", route.Link, w.IP, ErrNoLink)
		}
	}
	place := Place{Link: link, Prefix: netip.PrefixFrom(w.IP, bits)}
	broadcast, err := broadcastOf(w, place, route, n.Addresses)
	if err != nil {
		return Place{}, err
	}
	place.Broadcast = broadcast
	return place, nil
}

func match(w Wanted, link string, routes []Route) (best Route, found bool) {
	want := netip.PrefixFrom(w.IP, w.IP.BitLen())
	if w.Bits > 0 {
		want = netip.PrefixFrom(w.IP, w.Bits).Masked()
	}
	pick := func(eligible func(Route) bool) {
		for _, r := range routes {
			if !eligible(r) || link != "" && r.Link != link || r.Destination.Bits() == 0 || !contains(r.Destination, want) {
				continue
			}
			if !found || r.Destination.Bits() >= best.Destination.Bits() {
				best, found = r, true
			}
		}
	}
	if w.IP.Is4() {
		pick(func(r Route) bool { return r.OnLink && !r.Host })
		if !found && w.IP.IsLoopback() { // 127.* stands in no other table, and each address has a route of its own there
			pick(func(r Route) bool { return r.Host && !r.Destination.IsSingleIP() })
		}
		return best, found
	}
	pick(func(r Route) bool { return !r.Host })
	return best, found
}

// contains says whether every address of inner is one of outer.
func contains(outer, inner netip.Prefix) bool {
	return outer.Addr().BitLen() == inner.Addr().BitLen() && outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// broadcastOf is the broadcast address to set: the one given, else that of the
// node's own address in the same network. findif.sh looks that one up by the route's
// preferred source.
func broadcastOf(w Wanted, place Place, route Route, addresses []Address) (netip.Addr, error) {
	if w.IP.Is6() {
		return netip.Addr{}, nil
	}
	switch w.Broadcast {
	case "+", "-":
		return hostBits(place.Prefix, w.Broadcast == "+"), nil
	case "":
		for _, a := range addresses {
			if route.Source.IsValid() && a.Prefix.Addr() == route.Source && a.Link == route.Link {
				return a.Broadcast, nil
			}
		}
		return netip.Addr{}, nil
	}
	b, err := netip.ParseAddr(w.Broadcast)
	if err != nil || !b.Is4() {
		return netip.Addr{}, fmt.Errorf("broadcast=%s is no IPv4 address; set one, or + or -", w.Broadcast)
	}
	return b, nil
}

func hostBits(p netip.Prefix, ones bool) netip.Addr {
	raw := p.Masked().Addr().As4()
	for bit := p.Bits(); ones && bit < 32; bit++ {
		raw[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(raw)
}
