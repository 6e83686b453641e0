package kernel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// ErrLost is a subscription that the kernel ended, as when it had more to say than it
// may keep: whatever happened since is unknown. Subscribe again.
var ErrLost = errors.New("the kernel's messages were lost")

// receiveBuffer is how many bytes of messages may wait, some thousand addresses.
const receiveBuffer = 1 << 20

// Address is an address that came or went.
type Address struct {
	Received time.Time
	Address  netip.Prefix
	// Interface is its index: the name is somebody else's question, and may be gone.
	Interface int
	Present   bool
}

// Addresses is a subscription to the addresses of this machine, IPv4 and IPv6.
type Addresses struct {
	updates chan netlink.AddrUpdate
	done    chan struct{}
	close   func()

	mu  sync.Mutex
	err error
}

// FollowAddresses subscribes. Next gives what changes from then on; a change may be told
// twice. Those that are there already: CurrentAddresses, asked afterwards.
func FollowAddresses() (*Addresses, error) {
	a := &Addresses{updates: make(chan netlink.AddrUpdate, 64), done: make(chan struct{})}
	err := netlink.AddrSubscribeWithOptions(a.updates, a.done, netlink.AddrSubscribeOptions{
		ReceiveBufferSize: receiveBuffer, ErrorCallback: a.failed,
	})
	if err != nil {
		close(a.done)
		return nil, fmt.Errorf("subscribe to the kernel's addresses: %w", err)
	}
	a.close = sync.OnceFunc(func() {
		close(a.done)
		for range a.updates { // its goroutine must not wait for us
		}
	})
	return a, nil
}

func (a *Addresses) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = err
	}
}

// reason is the first error that the subscription reported.
func (a *Addresses) reason() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// Next waits for the next change, until ctx ends or the subscription is lost (ErrLost).
func (a *Addresses) Next(ctx context.Context) (Address, error) {
	for {
		select {
		case u, ok := <-a.updates:
			// A message that cannot be read is a lost one.
			if err := a.reason(); !ok || err != nil {
				return Address{}, fmt.Errorf("follow the addresses: %w: %w", ErrLost, orClosed(err))
			}
			if prefix, ok := prefixOf(&u.LinkAddress); ok {
				return Address{Received: time.Now(), Address: prefix, Interface: u.LinkIndex, Present: u.NewAddr}, nil
			}
		case <-ctx.Done():
			return Address{}, context.Cause(ctx)
		}
	}
}

// CurrentAddresses are the addresses that this machine has.
func CurrentAddresses() ([]Address, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the addresses: %w", err)
	}
	var all []Address
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list the addresses of %s: %w", i.Name, err)
		}
		for _, a := range addresses {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			if prefix, ok := prefixOf(n); ok {
				all = append(all, Address{Received: time.Now(), Address: prefix, Interface: i.Index, Present: true})
			}
		}
	}
	return all, nil
}

// Close ends the subscription.
func (a *Addresses) Close() { a.close() }

func orClosed(err error) error {
	if err == nil {
		return net.ErrClosed
	}
	return err
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	ip, ok := netip.AddrFromSlice(n.IP)
	if !ok {
		return netip.Prefix{}, false
	}
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), ones), true
}
