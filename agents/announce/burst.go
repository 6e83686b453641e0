package main

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// noteDescriptor is where the agent leaves the note open for this program.
const noteDescriptor = 3

// burst is what is to be announced, and how often.
type burst struct {
	link     net.Interface
	ip       netip.Addr
	count    int
	interval time.Duration
	peers    []net.HardwareAddr
	begun    bool // the first announcement was sent by the agent
}

func (b *burst) run() (err error) {
	packets, err := open(&b.link, b.ip, b.peers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, packets.close()) }()
	for n := range b.count {
		if n > 0 || b.begun {
			sleep(b.interval)
		}
		if !b.mayGoOn() {
			return nil
		}
		if err := packets.send(); err != nil {
			return err
		}
	}
	return nil
}

// mayGoOn says whether nobody has stopped the address: neither the agent, nor a person
// who removed it by hand.
func (b *burst) mayGoOn() bool { return linked(noteDescriptor) && local(b.ip, b.link.Index) }

// linked says whether an open file still has a name.
func linked(descriptor int) bool {
	var info unix.Stat_t
	return unix.Fstat(descriptor, &info) == nil && info.Nlink > 0
}

// local says whether an address is one of this machine's: the kernel lets a socket have no
// other (ip(7)), unless ip_nonlocal_bind is set; then only the note is left to stop us.
func local(ip netip.Addr, link int) bool {
	var to unix.Sockaddr = &unix.SockaddrInet6{Addr: ip.As16(), ZoneId: uint32(link)}
	family := unix.AF_INET6
	if ip.Is4() {
		to, family = &unix.SockaddrInet4{Addr: ip.As4()}, unix.AF_INET
	}
	socket, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(socket)
	return unix.Bind(socket, to) == nil
}

// sleep is the kernel's.
func sleep(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for errors.Is(unix.Nanosleep(&left, &left), unix.EINTR) {
	}
}
