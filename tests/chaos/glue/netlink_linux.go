package glue

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What marks our traffic, in numbers that nobody else is likely to use.
const (
	mark  = 0x486f6c64
	table = 20570
)

// gateway is the next hop. It is nobody's: the network is for documentation only
// (RFC 5737).
func gateway() net.IP { return net.IPv4(192, 0, 2, 1) }

// Path is the way of the marked sockets to one address.
type Path struct {
	link int
}

// Open makes a way to the address over the interface, from the local address. It
// leads nowhere before [Path.To]. A way that a process before left behind is
// removed first; there can be one at a time.
func Open(address netip.Addr, ifi *net.Interface, local netip.Addr) (*Path, error) {
	if err := Clear(); err != nil {
		return nil, err
	}
	route := &netlink.Route{
		LinkIndex: ifi.Index, Table: table, Gw: gateway(), Flags: int(netlink.FLAG_ONLINK),
		Dst: netlink.NewIPNet(address.AsSlice()), Src: local.AsSlice(),
	}
	rule := netlink.NewRule()
	rule.Family, rule.Mark, rule.Table = netlink.FAMILY_V4, mark, table
	err := netlink.RouteAdd(route)
	if err == nil {
		err = netlink.RuleAdd(rule)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a way of its own to %s (it needs root or CAP_NET_ADMIN): %w", address, err), Clear())
	}
	return &Path{link: ifi.Index}, nil
}

// To lets the way end at a hardware address, from the next packet on.
func (p *Path) To(hardware net.HardwareAddr) error {
	err := netlink.NeighSet(&netlink.Neigh{LinkIndex: p.link, Family: netlink.FAMILY_V4, State: netlink.NUD_PERMANENT, IP: gateway(), HardwareAddr: hardware})
	if err != nil {
		return fmt.Errorf("lead the way to %s: %w", hardware, err)
	}
	return nil
}

// Control marks a socket; it is a net.Dialer's.
func (p *Path) Control(_, _ string, conn syscall.RawConn) error {
	var marked error
	err := conn.Control(func(fd uintptr) { marked = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, mark) })
	if err := errors.Join(err, marked); err != nil {
		return fmt.Errorf("mark a socket: %w", err)
	}
	return nil
}

// Close removes the way.
func (p *Path) Close() error { return Clear() }

// Clear removes the way, whichever process made it. Where there is none it needs
// no permission.
func Clear() error {
	routes, err := routesOfTable()
	if err != nil {
		return fmt.Errorf("look for a way to remove: %w", err)
	}
	rules, err := rulesOfMark()
	if err != nil {
		return fmt.Errorf("look for a rule to remove: %w", err)
	}
	var failures []error
	for i := range rules {
		failures = append(failures, gone(netlink.RuleDel(&rules[i])))
	}
	for i := range routes {
		failures = append(failures, gone(netlink.RouteDel(&routes[i])),
			gone(netlink.NeighDel(&netlink.Neigh{LinkIndex: routes[i].LinkIndex, Family: netlink.FAMILY_V4, IP: gateway()})))
	}
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("remove the way of the glued client: %w", err)
	}
	return nil
}

// gone forgives that something is gone already.
func gone(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

func routesOfTable() ([]netlink.Route, error) {
	for {
		routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return routes, err
		}
	}
}

func rulesOfMark() ([]netlink.Rule, error) {
	for {
		rules, err := netlink.RuleListFiltered(netlink.FAMILY_V4, &netlink.Rule{Table: table, Mark: mark}, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_MARK)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return rules, err
		}
	}
}
