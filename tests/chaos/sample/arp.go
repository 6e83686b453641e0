package sample

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/mdlayher/arp"
	"github.com/mdlayher/ethernet"
	"github.com/mdlayher/packet"
)

const protocolARP = 0x0806

// Answered is one ARP answer for the floating address.
type Answered struct {
	Node     string // whose hardware address it was; the hardware address itself when it is no node's
	Hardware net.HardwareAddr
	At       time.Duration
}

// ARP asks the network who has the floating address. Make it with [ListenARP].
type ARP struct {
	client  *arp.Client
	conn    *packet.Conn
	source  net.HardwareAddr // nobody's, so that no table of neighbours learns from the answers
	address netip.Addr
	ifi     *net.Interface
	local   netip.Addr
	nodes   map[netip.Addr]string
	names   map[string]string // of the nodes, by hardware address
}

// ListenARP opens a packet socket on the interface that leads to the address. It
// needs CAP_NET_RAW, and the address in a network that this machine is part of.
func ListenARP(address string, nodes []Node) (*ARP, error) {
	ip, err := netip.ParseAddr(host(address))
	if err != nil || !ip.Is4() {
		return nil, fmt.Errorf("%s is not an IPv4 address: who answers for it is not seen", host(address))
	}
	ifi, local, err := wayTo(ip)
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(ifi, packet.Raw, protocolARP, nil)
	if err != nil {
		return nil, fmt.Errorf("listen for ARP on %s (it needs root or CAP_NET_RAW): %w", ifi.Name, err)
	}
	// The answers go to an address that the interface does not have.
	err = conn.SetPromiscuous(true)
	var client *arp.Client
	if err == nil {
		client, err = arp.New(ifi, conn)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for ARP on %s: %w", ifi.Name, err), conn.Close())
	}
	a := &ARP{client: client, conn: conn, source: make(net.HardwareAddr, 6), address: ip, ifi: ifi, local: local,
		nodes: map[netip.Addr]string{}, names: map[string]string{}}
	_, _ = rand.Read(a.source)           // it never fails (crypto/rand)
	a.source[0] = a.source[0]&^0x01 | 02 // unicast, locally administered (IEEE 802, clause 8.2)
	for _, n := range nodes {
		if ip, err := netip.ParseAddr(host(n.Server.Address())); err == nil {
			a.nodes[ip] = n.Name
		}
	}
	return a, nil
}

// Way is how the kernel reaches the floating address: its interface and the local
// address there.
func (a *ARP) Way() (address netip.Addr, ifi *net.Interface, local netip.Addr) {
	return a.address, a.ifi, a.local
}

// wayTo finds the interface over which the kernel reaches the address directly,
// and the local address that it uses.
func wayTo(ip netip.Addr) (*net.Interface, netip.Addr, error) {
	none := netip.Addr{}
	conn, err := net.Dial("udp4", netip.AddrPortFrom(ip, 9).String()) // sends nothing
	if err != nil {
		return nil, none, fmt.Errorf("find the way to %s: %w", ip, err)
	}
	defer conn.Close()
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, none, fmt.Errorf("find the way to %s: %w", ip, err)
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, none, fmt.Errorf("list the interfaces: %w", err)
	}
	for _, ifi := range all {
		addresses, err := ifi.Addrs()
		if err != nil {
			return nil, none, fmt.Errorf("list the addresses of %s: %w", ifi.Name, err)
		}
		for _, a := range addresses {
			prefix, err := netip.ParsePrefix(a.String())
			if err == nil && prefix.Addr() == local.Addr() && prefix.Contains(ip) {
				return &ifi, local.Addr(), nil
			}
		}
	}
	return nil, none, fmt.Errorf("%s is not in a network of this machine: who answers ARP for it is not seen", ip)
}

// Run asks for the floating address once per interval, and for every node's own
// now and then, until ctx is done; it then closes out and the socket.
func (a *ARP) Run(ctx context.Context, origin time.Time, interval time.Duration, out chan<- Answered) {
	defer close(out)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		a.ask(asking, interval)
		_ = a.conn.Close() // wakes the reader; what it would still have read is past the end
	}()
	for {
		answer, _, err := a.client.Read()
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		case err != nil || answer.Operation != arp.OperationReply || answer.TargetHardwareAddr.String() != a.source.String():
			continue // others' questions and answers, or a malformed frame
		}
		hardware := answer.SenderHardwareAddr.String()
		if node, known := a.nodes[answer.SenderIP]; known {
			a.names[hardware] = node
		}
		if answer.SenderIP != a.address {
			continue
		}
		name := hardware
		if node, known := a.names[hardware]; known {
			name = node
		}
		out <- Answered{Node: name, Hardware: answer.SenderHardwareAddr, At: time.Since(origin)}
	}
}

// nodesEvery is how often the nodes' own addresses are asked for, in intervals:
// a machine that comes back may have another card.
const nodesEvery = 50

func (a *ARP) ask(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 0; ; n++ {
		if n%nodesEvery == 0 {
			for ip := range a.nodes {
				a.request(ip)
			}
		}
		a.request(a.address)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// request sends a probe: without a sender address, so that it claims none
// (RFC 5227, section 1.1). A probe that cannot be sent is a probe without answer.
func (a *ARP) request(ip netip.Addr) {
	probe, err := arp.NewPacket(arp.OperationRequest, a.source, netip.IPv4Unspecified(), ethernet.Broadcast, ip)
	if err == nil {
		_ = a.client.WriteTo(probe, ethernet.Broadcast)
	}
}
