package chassis

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

const bridgeName = "br0"

// makeBridge makes the lab's network in the chassis's network namespace: a bridge, the outside's address on it, and loopback.
func makeBridge(sc SwitchConfig) error {
	ip := net.ParseIP(sc.Address)
	if ip == nil {
		return fmt.Errorf("the address %q of the lab's outside is not an IP address", sc.Address)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring loopback up: %w", err)
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.NewLinkAttrs()}
	bridge.Name = bridgeName
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("make the bridge: %w", err)
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(sc.Prefix, 32)}}
	if err := netlink.AddrAdd(bridge, address); err != nil {
		return fmt.Errorf("give the bridge the address %s: %w", sc.Address, err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("bring the bridge up: %w", err)
	}
	return nil
}

// portName is the bridge's side of a node's cable, as nspawn names it.
func portName(node string) string { return "vb-" + node }

// plug connects or disconnects the bridge's side of a node's cable. A node without power has no port: its cable is remembered.
func plug(node string, cable Cable) error {
	port, err := netlink.LinkByName(portName(node))
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the bridge port of %s: %w", node, err)
	}
	set := netlink.LinkSetUp
	if cable == CableOut {
		set = netlink.LinkSetDown
	}
	if err := set(port); err != nil {
		return fmt.Errorf("plug the cable of %s %s: %w", node, cable, err)
	}
	return nil
}

// silence lets nothing pass between a node and the bridge, without the node seeing its link go: a machine that stands still answers
// nothing, whereas here its share of the kernel would go on answering ARP and accepting connections.
func silence(node string, silent bool) error {
	port, err := netlink.LinkByName(portName(node))
	if err != nil {
		return fmt.Errorf("find the bridge port of %s: %w", node, err)
	}
	state := byte(stpForwarding)
	if silent {
		state = stpDisabled // not blocking, which a bridge without spanning tree takes back at once
	}
	msg := nl.NewIfInfomsg(unix.AF_BRIDGE)
	msg.Index = int32(port.Attrs().Index)
	attributes := nl.NewRtAttr(unix.IFLA_PROTINFO|unix.NLA_F_NESTED, nil)
	attributes.AddRtAttr(nl.IFLA_BRPORT_STATE, []byte{state})
	request := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
	request.AddData(msg)
	request.AddData(attributes)
	_, err = request.Execute(unix.NETLINK_ROUTE, 0)
	if errors.Is(err, unix.ENETDOWN) { // its cable is out: silent already, and forwarding when it is put in again
		return nil
	}
	if err != nil {
		return fmt.Errorf("block or open the bridge port of %s: %w", node, err)
	}
	return nil
}

// States of a bridge port (linux/if_bridge.h).
const (
	stpDisabled   = 0
	stpForwarding = 3
)

// removePort removes what is left of a node's cable: the kernel takes a dead node's network away in its own time, and until then the
// name is taken.
func removePort(node string) error {
	port, err := netlink.LinkByName(portName(node))
	if err == nil {
		err = netlink.LinkDel(port)
	}
	// Either call may find that the kernel was faster.
	if _, lookErr := netlink.LinkByName(portName(node)); errors.As(lookErr, &netlink.LinkNotFoundError{}) {
		return nil
	}
	return fmt.Errorf("remove the bridge port of %s: %w", node, err)
}
