package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// runDirectory keeps one small file per resource. It is on a tmpfs: what it holds
// means nothing after a reboot.
type runDirectory struct{ path string }

var _ burst = runDirectory{}

func (d runDirectory) file(resource string) string {
	return filepath.Join(d.path, "IPaddr2-"+filepath.Base(resource)+".announce")
}

func (d runDirectory) Set(resource string, left int) error {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", d.path, err)
	}
	if err := os.WriteFile(d.file(resource), []byte(strconv.Itoa(left)+"\n"), 0o644); err != nil {
		return fmt.Errorf("note the announcements to be sent: %w", err)
	}
	return nil
}

func (d runDirectory) Take(resource string) (int, error) {
	content, err := os.ReadFile(d.file(resource))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the announcements to be sent: %w", err)
	}
	if err := os.Remove(d.file(resource)); err != nil {
		return 0, fmt.Errorf("forget the announcements to be sent: %w", err)
	}
	// A file torn by a crash reads as 0: the announcements are lost, nothing else.
	left, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return max(left, 0), nil
}
