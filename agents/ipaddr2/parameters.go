package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"holdfast/ocf"
)

// parameters are those of Debian 12's ocf:heartbeat:IPaddr2, with their defaults.
func parameters() []ocf.Parameter {
	return slices.Concat(addressParameters(), announceParameters(), specialParameters(), clusterIPParameters())
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
			Name: "arp_late", Type: ocf.Integer, Default: "5", Min: ocf.AtLeast(0),
			Short: "Seconds until the second burst of announcements",
			Long: `The first monitor that runs this many seconds after a start, or later, announces the address arp_count times again: for
switches that were relearning their tables when it moved, and dropped the first announcements. 0 for never.`,
		},
		{
			Name: "arp_peers", Type: ocf.String,
			Short: "Machines that are told directly",
			Long: `Addresses of machines in the same network, separated by commas, that get each announcement of an IPv4 address also
addressed to themselves: for routers that ignore broadcast gratuitous ARP. A machine that this node has not talked to
lately is left out.`,
			Check: func(s string) error { _, err := parsePeers(s); return err },
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

// specialParameters are for networks that are built in an uncommon way.
func specialParameters() []ocf.Parameter {
	return []ocf.Parameter{
		{
			Name: "network_namespace", Type: ocf.String,
			Short: "Network namespace",
			Long:  "The name of the network namespace (ip netns) in which the address is brought up; everything else is looked for there too.",
			Check: checkNamespace,
		},
		{
			Name: "unique_clone_address", Type: ocf.Boolean, Default: "false",
			Short: "Every clone instance has its own address",
			Long: `In a globally unique clone, instance number N has the address ip plus N, so that a pool of addresses is spread over
the nodes.`,
		},
		{
			Name: "lvs_support", Type: ocf.Boolean, Default: "false",
			Short: "The node is also a real server of a Linux virtual server",
			Long: `Before an IPv4 address is brought up, the same address with 32 bits on a loopback interface, which a real server
needs, is taken away; stop brings it back.`,
		},
		{
			Name: "lvs_ipv6_addrlabel", Type: ocf.Boolean, Default: "false",
			Short: "An address label for IPv6",
			Long: `Gives the IPv6 address the label lvs_ipv6_addrlabel_value, so that it does not become the source address of the
node's own connections (ip addrlabel).`,
		},
		{
			Name: "lvs_ipv6_addrlabel_value", Type: ocf.Integer, Default: "99", Min: ocf.AtLeast(0),
			Short: "Value of the IPv6 address label",
			Long:  "The label of lvs_ipv6_addrlabel.",
		},
		{
			Name: "metric", Type: ocf.Integer, Default: "0", Min: ocf.AtLeast(0),
			Short: "Metric of the route for the address's prefix",
			Long: `The metric of the route that the kernel makes for the prefix of the address; 0 leaves it to the kernel. A higher one
than that of the node's own address keeps the floating address out of the choice of route. Without effect on an IPv4 address whose
prefix the node has already, because the kernel makes no second route.`,
		},
		{
			Name: "proto", Type: ocf.Integer, Default: "0", Min: ocf.AtLeast(0),
			Short: "Protocol of the address",
			Long: `A number from 0 to 255 that marks the address as Pacemaker's, shown by ip address (kernel 5.18 or newer), so that other
programs leave it alone.`,
			Check: checkProto,
		},
		{
			Name: "end_connections", Type: ocf.Boolean, Default: "false",
			Short: "End the connections of the address on stop",
			Long: `After the address is gone, stop ends this node's TCP connections of it with a reset. Without it, clients that were
connected when the address moved notice only when they next send, and a database session stays open until its timeout.`,
		},
	}
}

// clusterIPParameters are those of iptables' CLUSTERIP target, which Linux dropped in
// 2023. Ignoring mac silently would give an address on one node where one on all is meant.
func clusterIPParameters() []ocf.Parameter {
	return []ocf.Parameter{
		{
			Name: "mac", Type: ocf.String,
			Short: "Cluster address MAC",
			Long:  "Refused: " + noClusterIP + ".",
			Check: func(string) error { return errors.New(noClusterIP) },
		},
		{
			Name: "clusterip_hash", Type: ocf.String, Default: "sourceip-sourceport",
			Choices: []string{"sourceip", "sourceip-sourceport", "sourceip-sourceport-destport"},
			Short:   "Cluster address hash",
			Long:    "Accepted and without effect: " + noClusterIP + ".",
		},
	}
}

const noClusterIP = "the kernel has no CLUSTERIP any more; use unique_clone_address=true with globally-unique=true, or a load balancer"

func checkNamespace(s string) error {
	const longest = 255 // NAME_MAX: it is a file's name
	if strings.ContainsRune(s, '/') || s == "." || s == ".." || len(s) > longest {
		return errors.New("this is no name of a network namespace; set one that ip netns list shows")
	}
	return nil
}

func checkProto(s string) error {
	var n uint8
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil {
		return errors.New("this is no protocol number; set 0 to 255")
	}
	return nil
}

// parsePeers takes addresses that are separated by commas or spaces.
func parsePeers(s string) ([]netip.Addr, error) {
	var peers []netip.Addr
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		peer, err := parseIP(word)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", word, err)
		}
		peers = append(peers, peer)
	}
	return peers, nil
}
