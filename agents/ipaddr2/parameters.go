package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"holdfast/agents/ipaddr2/plan"
	"holdfast/ocf"
)

// The kernel's IFNAMSIZ less the closing zero: a label is an interface name to it.
const labelLimit = 15

// parameters are those of Debian 12's ocf:heartbeat:IPaddr2, with their defaults.
func parameters() []ocf.Parameter {
	return append(addressParameters(), append(announceParameters(), refusedParameters()...)...)
}

func addressParameters() []ocf.Parameter {
	return []ocf.Parameter{
		{
			Name: "ip", Type: ocf.String, Required: true, Unique: true,
			Short: "IPv4 or IPv6 address",
			Long:  "The floating address, in dotted quad or colon notation, such as 192.168.205.70 or fd00::70.",
			Check: func(s string) error { _, err := parseIP(s); return err },
		},
		{
			Name: "nic", Type: ocf.String,
			Short: "Network interface",
			Long: `The interface on which the address is brought up. If it is not given, it is the one of the route that leads to
the address, so that interfaces may be called differently on each node. The form eth0:label is understood, iflabel is better.`,
		},
		{
			Name: "cidr_netmask", Type: ocf.String, Aliases: []string{"netmask"},
			Short: "Prefix length of the address",
			Long: `The prefix length, such as 24, or for IPv4 a netmask such as 255.255.255.0. If it is not given, it is that of the
route that leads to the address.`,
			Check: func(s string) error { _, err := parseBits(s); return err },
		},
		{
			Name: "broadcast", Type: ocf.String,
			Short: "Broadcast address",
			Long: `The broadcast address of an IPv4 address; + sets all host bits, - clears them. If it is not given, it is that of
the node's own address in the same network.`,
			Check: checkBroadcast,
		},
		{
			Name: "iflabel", Type: ocf.String,
			Short: "Interface label",
			Long:  "An IPv4 address is labelled with the interface's name, a colon and this, 15 characters at most in all.",
		},
		{
			Name: "nodad", Type: ocf.Boolean, Default: "false",
			Short: "No duplicate address detection for IPv6",
			Long: `Uses an IPv6 address at once, without waiting about a second for the kernel to find out whether another machine has
it. Safe where fencing guarantees that no other machine does.`,
		},
		{
			Name: "noprefixroute", Type: ocf.Boolean, Default: "false",
			Short: "No route for the address's prefix",
			Long:  "Keeps the kernel from making a route for the prefix of the address.",
		},
		{
			Name: "preferred_lft", Type: ocf.String, Default: "forever",
			Short: "IPv6 preferred lifetime",
			Long: `For how many seconds an IPv6 address may be the source address of new connections, or forever. With 0 it never is
unless a program asks for it.`,
			Check: func(s string) error { _, err := parseLifetime(s); return err },
		},
		{
			Name: "flush_routes", Type: ocf.Boolean, Default: "false",
			Short: "Flush the route cache on stop",
			Long:  "Accepted and without effect: Linux has had no route cache since 3.6.",
		},
		{
			Name: "check_link_status", Type: ocf.Boolean, Default: "true",
			Short: "Notice an interface that is down",
			Long:  "The monitor fails when the address's interface is down or has no carrier, so that the address moves.",
		},
		{
			Name: "run_arping", Type: ocf.Boolean, Default: "false",
			Short: "Look for another machine with the address before taking it",
			Long:  "Start asks the network for two seconds whether another machine has the IPv4 address, and fails if one has.",
		},
	}
}

func announceParameters() []ocf.Parameter {
	return []ocf.Parameter{
		{
			Name: "arp_count", Type: ocf.Integer, Default: "5", Min: ocf.AtLeast(1),
			Short: "Announcements after start",
			Long: `How often the address is announced after start: for IPv4 by a gratuitous ARP request and a reply each, for IPv6 by
an unsolicited neighbour advertisement. The first is sent by start, the others by the monitor after it.`,
		},
		{
			Name: "arp_interval", Type: ocf.Integer, Default: "200", Min: ocf.AtLeast(1),
			Short: "Milliseconds between announcements",
			Long:  "Milliseconds between two announcements.",
		},
		{
			Name: "arp_count_refresh", Type: ocf.Integer, Default: "0", Min: ocf.AtLeast(0),
			Short: "Announcements at each monitor",
			Long: `How often each monitor announces the address again, for switches and routers that forget or learn wrongly. IPv4 and
IPv6 alike.`,
		},
		{
			Name: "arp_bg", Type: ocf.String,
			Short: "Announce in the background",
			Long:  "Accepted and without effect: announcing never delays a start.",
		},
		{
			Name: "arp_sender", Type: ocf.String, Choices: []string{"send_arp", "iputils_arping", "libnet_arping", "ipoibarping"},
			Short: "Program that announces",
			Long:  "Accepted and without effect: the agent announces by itself, with a request and a reply each, which serves all.",
		},
		{
			Name: "send_arp_opts", Type: ocf.String,
			Short: "Options of the program that announces",
			Long:  "Accepted and without effect: no program is run.",
		},
	}
}

// refusedParameters are accepted by the heartbeat agent. Ignoring them silently would
// be worse than refusing them.
func refusedParameters() []ocf.Parameter {
	refuse := func(why string) func(string) error {
		return func(s string) error {
			if s == "false" || s == "0" || s == "no" || s == "off" {
				return nil
			}
			return errors.New(why)
		}
	}
	const clusterIP = "the kernel has no CLUSTERIP any more; use one address resource per node, or a load balancer"
	later := "this agent cannot do that yet; keep ocf:heartbeat:IPaddr2 for this address"
	return []ocf.Parameter{
		{Name: "lvs_support", Type: ocf.Boolean, Default: "false", Check: refuse(later), Short: "Real server of a load balancer", Long: "Not supported yet; only false is accepted."},
		{Name: "lvs_ipv6_addrlabel", Type: ocf.Boolean, Default: "false", Check: refuse(later), Short: "IPv6 address label", Long: "Not supported yet; only false is accepted."},
		{Name: "lvs_ipv6_addrlabel_value", Type: ocf.Integer, Default: "99", Min: ocf.AtLeast(0), Short: "Value of the IPv6 address label", Long: "Accepted and without effect while lvs_ipv6_addrlabel is false."},
		{Name: "unique_clone_address", Type: ocf.Boolean, Default: "false", Check: refuse(later), Short: "Every clone instance has its own address", Long: "Not supported yet; only false is accepted."},
		{Name: "network_namespace", Type: ocf.String, Check: refuse(later), Short: "Network namespace", Long: "Not supported yet; only an empty value is accepted."},
		{Name: "mac", Type: ocf.String, Check: refuse(clusterIP), Short: "Cluster address MAC", Long: "Refused: " + clusterIP + "."},
		{Name: "clusterip_hash", Type: ocf.String, Default: "sourceip-sourceport", Short: "Cluster address hash", Long: "Accepted and without effect: " + clusterIP + "."},
	}
}

// settings are the parameters, understood.
type settings struct {
	wanted   plan.Wanted
	label    string // the whole label, with the interface's name; "" for none
	options  addressOptions
	count    int
	refresh  int
	interval time.Duration
	probe    bool
	carrier  bool
}

// settingsOf reads the parameters; values with a problem have their defaults.
func settingsOf(v ocf.Values) (settings, error) {
	ip, err := parseIP(v.String("ip"))
	if err != nil {
		return settings{}, &ocf.Error{Code: ocf.ErrConfigured, Reason: "ip is not set, or no IP address: " + err.Error(), Err: err}
	}
	bits, _ := parseBits(v.String("cidr_netmask"))           // ocf.ParseValues told of problems
	preferred, _ := parseLifetime(v.String("preferred_lft")) // likewise
	nic, oldLabel, _ := strings.Cut(v.String("nic"), ":")    // nic=eth0:label
	s := settings{
		wanted:   plan.Wanted{IP: ip, Link: nic, Bits: bits, Broadcast: v.String("broadcast")},
		label:    v.String("iflabel"),
		options:  addressOptions{noDAD: v.Bool("nodad"), noPrefixRoute: v.Bool("noprefixroute"), preferred: preferred},
		count:    v.Int("arp_count"),
		refresh:  v.Int("arp_count_refresh"),
		interval: v.Milliseconds("arp_interval"),
		probe:    v.Bool("run_arping"),
		carrier:  v.Bool("check_link_status"),
	}
	if oldLabel != "" { // it overrides iflabel in the heartbeat agent
		s.label = oldLabel
	}
	if bits > ip.BitLen() {
		return s, ocf.Errorf(ocf.ErrConfigured, "cidr_netmask=%s is too long for %s; set 1 to %d", v.String("cidr_netmask"), ip, ip.BitLen())
	}
	return s, nil
}

// fullLabel is the label on a link, checked for what the kernel can hold.
func (s settings) fullLabel(link string) (string, error) {
	if s.label == "" || s.wanted.IP.Is6() {
		return "", nil
	}
	full := link + ":" + s.label
	if len(full) > labelLimit {
		return "", ocf.Errorf(ocf.ErrConfigured, "iflabel=%s makes the label %s, longer than %d characters; shorten it", s.label, full, labelLimit)
	}
	return full, nil
}

func parseIP(s string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}, errors.New("this is no IP address; set one such as 192.168.205.70 or fd00::70")
	}
	ip = ip.Unmap()
	if ip.IsUnspecified() || ip.Is4() && ip.As4()[0] == 0 || ip.IsMulticast() {
		return netip.Addr{}, errors.New("no machine can have this address; set one such as 192.168.205.70 or fd00::70")
	}
	return ip, nil
}

// parseBits takes a prefix length or an IPv4 netmask; 0 for an empty one.
func parseBits(s string) (int, error) {
	wrong := errors.New("this is no prefix length; set one such as 24")
	if s == "" {
		return 0, nil
	}
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > 128 {
			return 0, wrong
		}
		return n, nil
	}
	mask, err := netip.ParseAddr(s)
	if err != nil || !mask.Is4() {
		return 0, wrong
	}
	ones, size := net.IPMask(mask.AsSlice()).Size()
	if size == 0 || ones == 0 {
		return 0, wrong
	}
	return ones, nil
}

func checkBroadcast(s string) error {
	if s == "+" || s == "-" {
		return nil
	}
	if b, err := netip.ParseAddr(s); err != nil || !b.Is4() {
		return errors.New("this is no IPv4 address; set one, or + or -")
	}
	return nil
}

// parseLifetime takes seconds or forever, the kernel's all ones.
func parseLifetime(s string) (uint32, error) {
	if s == "forever" {
		return math.MaxUint32, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("this is no lifetime; set seconds, or forever")
	}
	return uint32(n), nil
}
