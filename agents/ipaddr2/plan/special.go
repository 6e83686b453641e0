package plan

import "net/netip"

// Offset is the address n above ip, as unique_clone_address of the heartbeat agent
// counts: in the last byte of an IPv4 address, in the last two of an IPv6 address.
// It does not exist if it would overflow them, or be the highest of an IPv4 network
// of 256, which is nobody's.
func Offset(ip netip.Addr, n int) (netip.Addr, bool) {
	if n < 0 {
		return netip.Addr{}, false
	}
	raw := ip.AsSlice()
	last := len(raw) - 1
	if ip.Is4() {
		if n > 254-int(raw[last]) {
			return netip.Addr{}, false
		}
		raw[last] += byte(n)
		return netip.AddrFrom4([4]byte(raw)), true
	}
	sum := int(raw[last-1])<<8 | int(raw[last])
	if n > 0xffff-sum {
		return netip.Addr{}, false
	}
	sum += n
	raw[last-1], raw[last] = byte(sum>>8), byte(sum)
	return netip.AddrFrom16([16]byte(raw)), true
}

// LoopbackHosts are the copies of the IPv4 address on loopback links with 32 bits: what
// a real server of a Linux virtual server has, and what must be away while the
// address itself is here.
func LoopbackHosts(ip netip.Addr, n Network) []Address {
	var found []Address
	for _, a := range n.Having(ip) {
		if l, ok := n.Link(a.Link); ok && l.Loopback && a.Prefix.IsSingleIP() {
			found = append(found, a)
		}
	}
	return found
}
