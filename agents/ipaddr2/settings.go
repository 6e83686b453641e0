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

// settings are the parameters, understood.
type settings struct {
	wanted         plan.Wanted
	label          string // the whole label, with the interface's name; "" for none
	options        addressOptions
	announce       announcements
	probe          bool
	carrier        bool
	namespace      string // "" for the one we are in
	realServer     bool   // the node has the address on a loopback interface while it is not here
	addressLabel   bool
	labelValue     uint32
	endConnections bool
}

// announcements are how the network is told.
type announcements struct {
	count    int
	refresh  int
	interval time.Duration
	late     time.Duration // from start to the second burst; 0 for none
	peers    []netip.Addr
}

// settingsOf reads the parameters; values with a problem have their defaults. With an
// error, the settings have what could be understood: a stop needs no more than ip.
func settingsOf(v ocf.Values, meta ocf.Meta) (settings, error) {
	ip, err := addressOf(v, meta)
	if err != nil {
		return settings{}, err
	}
	bits, _ := parseBits(v.String("cidr_netmask"))           // ocf.ParseValues told of problems
	preferred, _ := parseLifetime(v.String("preferred_lft")) // likewise
	peers, _ := parsePeers(v.String("arp_peers"))            // likewise
	nic, oldLabel, _ := strings.Cut(v.String("nic"), ":")    // nic=eth0:label
	s := settings{
		wanted: plan.Wanted{IP: ip, Link: nic, Bits: bits, Broadcast: v.String("broadcast")},
		label:  v.String("iflabel"),
		options: addressOptions{
			noDAD: v.Bool("nodad"), noPrefixRoute: v.Bool("noprefixroute"), preferred: preferred,
			metric: uint32(v.Int("metric")), proto: uint8(v.Int("proto")),
		},
		announce: announcements{
			count: v.Int("arp_count"), refresh: v.Int("arp_count_refresh"), interval: v.Milliseconds("arp_interval"),
			late: time.Duration(v.Int("arp_late")) * time.Second, peers: peers,
		},
		probe:          v.Bool("run_arping"),
		carrier:        v.Bool("check_link_status"),
		namespace:      v.String("network_namespace"),
		realServer:     v.Bool("lvs_support"),
		addressLabel:   v.Bool("lvs_ipv6_addrlabel"),
		labelValue:     uint32(v.Int("lvs_ipv6_addrlabel_value")),
		endConnections: v.Bool("end_connections"),
	}
	if oldLabel != "" { // it overrides iflabel in the heartbeat agent
		s.label = oldLabel
	}
	if bits > ip.BitLen() {
		return s, ocf.Errorf(ocf.ErrConfigured, "cidr_netmask=%s is too long for %s; set 1 to %d", v.String("cidr_netmask"), ip, ip.BitLen())
	}
	return s, s.contradiction(meta, v.Bool("unique_clone_address"))
}

// addressOf is ip, or in a clone whose instances have addresses of their own, the
// instance's.
func addressOf(v ocf.Values, meta ocf.Meta) (netip.Addr, error) {
	ip, err := parseIP(v.String("ip"))
	if err != nil {
		return ip, &ocf.Error{Code: ocf.ErrConfigured, Reason: "ip is not set, or no IP address: " + err.Error(), Err: err}
	}
	if !v.Bool("unique_clone_address") || meta.Clone() == 0 {
		return ip, nil
	}
	own, ok := plan.Offset(ip, meta.Clone())
	if !ok {
		return netip.Addr{}, ocf.Errorf(ocf.ErrConfigured, "ip=%s leaves no address for clone instance %d; set a lower one", ip, meta.Clone())
	}
	return own, nil
}

// contradiction is what the heartbeat agent refuses too, with the same status.
func (s settings) contradiction(meta ocf.Meta, unique bool) error {
	ip := s.wanted.IP
	switch {
	case s.realServer && ip.Is6():
		return ocf.Errorf(ocf.ErrConfigured, "lvs_support=true is for IPv4, and %s is IPv6; use lvs_ipv6_addrlabel", ip)
	case s.addressLabel && ip.Is4():
		return ocf.Errorf(ocf.ErrConfigured, "lvs_ipv6_addrlabel=true is for IPv6, and %s is IPv4; use lvs_support", ip)
	case s.realServer && meta.CloneMax() > 1:
		return ocf.Errorf(ocf.ErrConfigured, "lvs_support=true does not go with a clone; remove one of them")
	case unique && !meta.GloballyUnique():
		return ocf.Errorf(ocf.ErrConfigured, "unique_clone_address=true needs a globally unique clone; set the clone's globally-unique=true")
	case !unique && meta.CloneMax() > 1:
		return ocf.Errorf(ocf.ErrConfigured, "a cloned address needs CLUSTERIP, which the kernel no longer has; remove the clone, or set unique_clone_address=true")
	}
	return nil
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
