package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

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

func (d runDirectory) SetPending(resource string, p pending) error {
	return d.write(d.file(resource, "announce"), p.String())
}

func (d runDirectory) TakePending(resource string) (pending, error) {
	file := d.file(resource, "announce")
	content, err := d.read(file)
	if err != nil || content == "" {
		return pending{}, err
	}
	return parsePending(content), d.forget(file)
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
