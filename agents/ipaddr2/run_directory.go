package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/agents/ipaddr2/plan"
)

// runDirectory keeps small files for each resource. It is on a tmpfs: what it holds
// means nothing after a reboot.
type runDirectory struct{ path string }

var _ notes = runDirectory{}

func (d runDirectory) file(resource, what string) string {
	return filepath.Join(d.path, "IPaddr2-"+filepath.Base(resource)+"."+what)
}

func (d runDirectory) write(file, content string) error {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", d.path, err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		return fmt.Errorf("note what is still to be done: %w", err)
	}
	return nil
}

func (d runDirectory) read(file string) (string, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read what is still to be done: %w", err)
	}
	return string(content), nil
}

func (d runDirectory) forget(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what is done: %w", err)
	}
	return nil
}

// claim makes a new note for who announces, who ends when it has no name any more, and
// opens it. An older one's has none from now on.
func (d runDirectory) claim(resource, kind string) (descriptor int, err error) {
	file := d.file(resource, kind)
	if err := errors.Join(os.MkdirAll(d.path, 0o755), d.forget(file)); err != nil {
		return 0, err
	}
	descriptor, err = unix.Open(file, unix.O_CREAT|unix.O_EXCL|unix.O_RDONLY|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return 0, fmt.Errorf("make %s: %w", file, err)
	}
	return descriptor, nil
}

// Silence deletes the notes of those who announce.
func (d runDirectory) Silence(resource string) error {
	var errs []error
	for _, note := range []string{afterStart, refresh, late} {
		errs = append(errs, d.forget(d.file(resource, note)))
	}
	return errors.Join(errs...)
}

// late is the name of a note that is due at its modification time: nothing need be read,
// which would start the runtime's poller in each monitor.
const late = "late"

// SetLate leaves, if it is cut off in the middle, a note that is due at once: one
// announcement too many does no harm.
func (d runDirectory) SetLate(resource string, at time.Time) error {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", d.path, err)
	}
	file := d.file(resource, late)
	descriptor, err := unix.Open(file, unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("make %s: %w", file, err)
	}
	if err := errors.Join(unix.Close(descriptor), os.Chtimes(file, at, at)); err != nil {
		return fmt.Errorf("date %s: %w", file, err)
	}
	return nil
}

func (d runDirectory) TakeLate(resource string, now time.Time) (bool, error) {
	file := d.file(resource, late)
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now.Before(info.ModTime()) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what is still to be done: %w", err)
	}
	return true, d.forget(file)
}

func (d runDirectory) SetLoopbacks(resource string, addresses []plan.Address) error {
	var lines strings.Builder
	for _, a := range addresses {
		fmt.Fprintf(&lines, "%s %s %s\n", a.Link, a.Prefix, a.Label)
	}
	return d.write(d.file(resource, "loopback"), lines.String())
}

func (d runDirectory) Loopbacks(resource string) ([]plan.Address, error) {
	content, err := d.read(d.file(resource, "loopback"))
	if err != nil {
		return nil, err
	}
	var addresses []plan.Address
	for line := range strings.Lines(content) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue // torn
		}
		prefix, err := netip.ParsePrefix(words[1])
		if err != nil {
			continue // torn
		}
		a := plan.Address{Link: words[0], Prefix: prefix}
		if len(words) > 2 {
			a.Label = words[2]
		}
		addresses = append(addresses, a)
	}
	return addresses, nil
}

func (d runDirectory) ForgetLoopbacks(resource string) error {
	return d.forget(d.file(resource, "loopback"))
}
