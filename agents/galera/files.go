package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"holdfast/agents/galera/wsrep"
)

// files are Galera's in the datadir, and the agent's in /run.
type files struct{ datadir string }

func (f *files) path(name string) string { return filepath.Join(f.datadir, name) }

// Grastate implements Files.
func (f *files) Grastate() ([]byte, error) { return os.ReadFile(f.path("grastate.dat")) }

// MarkSafe implements Files. A torn grastate.dat would cost the node its position,
// so the new one replaces the old one in one step and is on disk before it does.
func (f *files) MarkSafe(state wsrep.State) error {
	path := f.path("grastate.dat")
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("owner of %s is not known", path)
	}
	state.SafeToBootstrap = true
	temp, err := os.CreateTemp(f.datadir, ".grastate-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails after the rename, as it should
	_, err = temp.Write(state.Format())
	err = errors.Join(err, temp.Chmod(info.Mode().Perm()), temp.Chown(int(owner.Uid), int(owner.Gid)), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDirectory(f.datadir)
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// DropEmptyView implements Files.
func (f *files) DropEmptyView() (bool, error) {
	path := f.path("gvwstate.dat")
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() > 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, os.Remove(path)
}

// Recovered implements Files.
func (f *files) Recovered() (string, error) {
	text, err := os.ReadFile(recoveredFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// SaveRecovered implements Files.
func (f *files) SaveRecovered(text string) error {
	if text == "" {
		return remove(recoveredFile)
	}
	if err := makeRunDir(); err != nil {
		return err
	}
	return replaceFile(recoveredFile, []byte(text+"\n"), 0o600)
}
