package kernel

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

const patience = 10 * time.Second

// ownNetwork gives the test a network of its own, on a thread of its own.
func ownNetwork(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("a network of its own needs root: run this test with sudo")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	before, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(netns.Set(before), ns.Close(), before.Close()); err != nil {
			t.Error(err)
		}
	})
}

func TestAddressesComeAndGo(t *testing.T) {
	ownNetwork(t)
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	early := &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(192, 0, 2, 1), Mask: net.CIDRMask(24, 32)}}
	if err := netlink.AddrAdd(lo, early); err != nil {
		t.Fatal(err)
	}
	a, err := FollowAddresses()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	now, err := CurrentAddresses()
	if err != nil || !slices.ContainsFunc(now, func(a Address) bool { return a.Present && a.Address.String() == "192.0.2.1/24" }) {
		t.Errorf("%+v, %v", now, err)
	}
	late := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP("2001:db8::1"), Mask: net.CIDRMask(64, 128)}}
	if err := netlink.AddrAdd(lo, late); err != nil {
		t.Fatal(err)
	}
	expect(t, a, "2001:db8::1/64", true)
	if err := netlink.AddrDel(lo, early); err != nil {
		t.Fatal(err)
	}
	expect(t, a, "192.0.2.1/24", false)
	a.Close()
	if _, err := a.Next(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("after the end: %v", err)
	}
}

func expect(t *testing.T, a *Addresses, address string, present bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		got, err := a.Next(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", address, err)
		}
		if got.Address == netip.MustParsePrefix(address) && got.Present == present {
			return
		}
	}
}

func TestAddressesEndWithTheContext(t *testing.T) {
	ownNetwork(t)
	a, err := FollowAddresses()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	for err == nil {
		_, err = a.Next(ctx)
	}
	if err.Error() != "enough" {
		t.Error(err)
	}
}

func TestClockIsRead(t *testing.T) {
	c, err := ReadClock()
	if err != nil || c.MaxError < 0 || c.Error < 0 {
		t.Errorf("%+v, %v", c, err)
	}
	first, err1 := Uptime()
	second, err2 := Uptime()
	if err1 != nil || err2 != nil || second < first || first == 0 {
		t.Errorf("up for %v, then %v; %v, %v", first, second, err1, err2)
	}
}

// TestStepsWait cannot set this machine's clock; it sees that the timer is accepted, and
// waits without an end of its own.
func TestStepsWait(t *testing.T) {
	s, err := FollowSteps()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if step, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v, %v", step, err)
	}
}
