package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Where ip-netns(8) keeps namespaces by name.
const namespaceDirectory = "/run/netns"

// Enter keeps the goroutine on this thread for good: only the thread is in the
// namespace, and the agent ends with its one action.
func (netlinkKernel) Enter(namespace string) error {
	file, err := os.Open(filepath.Join(namespaceDirectory, namespace))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("network_namespace=%s: %w", namespace, errNoNamespace)
	} else if err != nil {
		return fmt.Errorf("open the network namespace %s: %w", namespace, err)
	}
	defer file.Close()
	runtime.LockOSThread()
	err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
	if errors.Is(err, unix.EINVAL) { // the file that was a mount point of one
		return fmt.Errorf("network_namespace=%s: %w", namespace, errNoNamespace)
	} else if err != nil {
		return fmt.Errorf("enter the network namespace %s: %w", namespace, err)
	}
	return nil
}

// The kernel's struct ifaddrlblmsg and its attributes (linux/if_addrlabel.h), which
// the library does not have.
const (
	labelAddress = 1 // IFAL_ADDRESS
	labelValue   = 2 // IFAL_LABEL
)

type labelMessage struct{ bits uint8 }

func (labelMessage) Len() int { return 12 }

func (m labelMessage) Serialize() []byte {
	raw := make([]byte, m.Len())
	raw[0], raw[2] = unix.AF_INET6, m.bits
	return raw
}

func (netlinkKernel) Label(ip netip.Addr, value uint32) error {
	err := addressLabel(unix.RTM_NEWADDRLABEL, unix.NLM_F_CREATE|unix.NLM_F_EXCL, ip, value)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("give %s the address label %d: %w", ip, value, err)
	}
	return nil
}

func (netlinkKernel) Unlabel(ip netip.Addr, value uint32) error {
	err := addressLabel(unix.RTM_DELADDRLABEL, 0, ip, value)
	if err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("take the address label %d from %s: %w", value, ip, err)
	}
	return nil
}

func addressLabel(message, flags int, ip netip.Addr, value uint32) error {
	request := nl.NewNetlinkRequest(message, flags|unix.NLM_F_ACK)
	request.AddData(labelMessage{bits: uint8(ip.BitLen())})
	request.AddData(nl.NewRtAttr(labelAddress, ip.AsSlice()))
	request.AddData(nl.NewRtAttr(labelValue, nl.Uint32Attr(value)))
	_, err := request.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// The kernel's TCP states (linux/tcp_states.h) that have nobody on the other side.
const (
	tcpTimeWait = 6
	tcpListen   = 10
)

// EndConnections looks at IPv6 sockets for an IPv4 address too: a server that listens
// on all addresses of both families has its IPv4 connections there.
func (netlinkKernel) EndConnections(ip netip.Addr) (int, error) {
	ended := 0
	var problems []error
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if family == unix.AF_INET && ip.Is6() {
			continue
		}
		sockets, err := netlink.SocketDiagTCP(family)
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			return ended, fmt.Errorf("list the connections of %s: %w", ip, err)
		}
		for _, s := range sockets {
			local, ok := netip.AddrFromSlice(s.ID.Source)
			if !ok || local.Unmap() != ip || s.State == tcpListen || s.State == tcpTimeWait {
				continue
			}
			if err := destroy(s); err == nil {
				ended++
			} else if !errors.Is(err, unix.ENOENT) { // it has ended by itself
				problems = append(problems, fmt.Errorf("end the connection of %s:%d with %s:%d: %w",
					ip, s.ID.SourcePort, s.ID.Destination, s.ID.DestinationPort, err))
			}
		}
	}
	return ended, errors.Join(problems...)
}

func destroy(s *netlink.Socket) error {
	request := nl.NewNetlinkRequest(nl.SOCK_DESTROY, unix.NLM_F_ACK)
	request.AddData(socketMessage{s})
	_, err := request.Execute(unix.NETLINK_INET_DIAG, 0)
	return err
}

// socketMessage is the kernel's struct inet_diag_req_v2 (linux/inet_diag.h) for one
// socket, told from a later one of the same addresses by its cookie.
type socketMessage struct{ s *netlink.Socket }

func (socketMessage) Len() int { return 56 }

func (m socketMessage) Serialize() []byte {
	raw := make([]byte, m.Len())
	raw[0], raw[1] = m.s.Family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(raw[4:], ^uint32(0)) // any state
	binary.BigEndian.PutUint16(raw[8:], m.s.ID.SourcePort)
	binary.BigEndian.PutUint16(raw[10:], m.s.ID.DestinationPort)
	copy(raw[12:28], inFamily(m.s.Family, m.s.ID.Source))
	copy(raw[28:44], inFamily(m.s.Family, m.s.ID.Destination))
	binary.NativeEndian.PutUint32(raw[44:], m.s.ID.Interface)
	binary.NativeEndian.PutUint32(raw[48:], m.s.ID.Cookie[0])
	binary.NativeEndian.PutUint32(raw[52:], m.s.ID.Cookie[1])
	return raw
}

func inFamily(family uint8, ip net.IP) net.IP {
	if family == unix.AF_INET {
		return ip.To4()
	}
	return ip.To16()
}
