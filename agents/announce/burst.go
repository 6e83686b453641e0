package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// burst is what is to be announced, and how often.
type burst struct {
	link     net.Interface
	ip       netip.Addr
	count    int
	interval time.Duration
	note     string // path
	peers    []net.HardwareAddr
}

func (b *burst) run(say func(string)) (said bool, err error) {
	if err := b.claim(); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.release()) }()
	packets, err := open(&b.link, b.ip, b.peers)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, packets.close()) }()
	// The first is for an address that was added a moment ago.
	if err := packets.send(); err != nil {
		return false, err
	}
	say("ok")
	for range b.count - 1 {
		pause(b.interval)
		if !b.mayGoOn() {
			break
		}
		if err := packets.send(); err != nil {
			return true, err
		}
	}
	return true, nil
}

// pause is time.Sleep without the runtime's timers, which wake more than one thread.
func pause(d time.Duration) {
	left := unix.NsecToTimespec(d.Nanoseconds())
	for errors.Is(unix.Nanosleep(&left, &left), unix.EINTR) {
	}
}

// claim makes this process the one that announces.
func (b *burst) claim() error {
	if err := os.MkdirAll(filepath.Dir(b.note), 0o755); err != nil {
		return fmt.Errorf("make the directory of %s: %w", b.note, err)
	}
	if err := os.WriteFile(b.note, []byte(own()), 0o644); err != nil {
		return fmt.Errorf("note who announces %s: %w", b.ip, err)
	}
	return nil
}

func own() string { return strconv.Itoa(os.Getpid()) + "\n" }

func (b *burst) claimed() bool {
	text, err := os.ReadFile(b.note)
	return err == nil && string(text) == own()
}

// release takes the claim back, unless somebody else has it.
func (b *burst) release() error {
	if !b.claimed() {
		return nil
	}
	if err := os.Remove(b.note); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take back who announces %s: %w", b.ip, err)
	}
	return nil
}

// mayGoOn says whether nobody has stopped the address: neither the agent, nor a person
// who removed it by hand.
func (b *burst) mayGoOn() bool {
	if !b.claimed() {
		return false
	}
	addresses, err := b.link.Addrs()
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if text, _, _ := strings.Cut(a.String(), "/"); text == b.ip.String() {
			return true
		}
	}
	return false
}
