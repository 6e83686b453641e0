package plan

import "net/netip"

// Link is a network interface.
type Link struct {
	Index    int
	Name     string
	AltNames []string
	Up       bool // administratively
	Carrier  bool // operational: not DOWN, not LOWERLAYERDOWN
	Loopback bool
	NoARP    bool
	// HardwareAddr is its address on the wire.
	HardwareAddr []byte
}

// Called says whether the link has the name, or the alternative name.
func (l Link) Called(name string) bool {
	if l.Name == name {
		return true
	}
	for _, alt := range l.AltNames {
		if alt == name {
			return true
		}
	}
	return false
}

// Address is an address on a link.
type Address struct {
	Prefix    netip.Prefix // the address itself with its prefix length
	Link      string
	Label     string
	Broadcast netip.Addr // invalid if there is none
	Tentative bool       // IPv6: duplicate address detection goes on
	DADFailed bool       // IPv6: somebody else has the address
}

// Route is a route of the main table without a gateway, or one of the local table
// with host scope.
type Route struct {
	Destination netip.Prefix
	Link        string
	Source      netip.Addr // preferred source, invalid if there is none
	Host        bool       // scope host, table local
	OnLink      bool       // scope link
}

// Network is what there is on this machine.
type Network struct {
	Links     []Link
	Addresses []Address
	Routes    []Route
}

// Link finds a link by its name or an alternative name.
func (n Network) Link(name string) (Link, bool) {
	for _, l := range n.Links {
		if l.Called(name) {
			return l, true
		}
	}
	return Link{}, false
}

// Having returns where ip is, with any prefix.
func (n Network) Having(ip netip.Addr) []Address {
	var found []Address
	for _, a := range n.Addresses {
		if a.Prefix.Addr() == ip {
			found = append(found, a)
		}
	}
	return found
}
