package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"holdfast/agents/galera/wsrep"
)

// files are Galera's in the datadir, and the agent's in /run.
type files struct{ datadir string }

func (f *files) path(name string) string { return filepath.Join(f.datadir, name) }

// Grastate implements Files.
func (f *files) Grastate(ctx context.Context) ([]byte, error) {
	path := f.path("grastate.dat")
	return bounded(ctx, path, func() ([]byte, error) { return os.ReadFile(path) })
}

// MarkSafe implements Files.
func (f *files) MarkSafe(ctx context.Context, state wsrep.State) error {
	path := f.path("grastate.dat")
	_, err := bounded(ctx, path, func() (struct{}, error) { return struct{}{}, f.markSafe(path, state) })
	return err
}

// markSafe replaces the file in one step, and by one that is on disk before: a torn one would
// cost the node its position.
func (f *files) markSafe(path string, state wsrep.State) error {
	owner, mode, err := f.grastateOwner(path)
	if err != nil {
		return err
	}
	state.SafeToBootstrap = true
	temp, err := os.CreateTemp(f.datadir, ".grastate-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails after the rename, as it should
	_, err = temp.Write(state.Format())
	err = errors.Join(err, temp.Chmod(mode), temp.Chown(int(owner.Uid), int(owner.Gid)), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDirectory(f.datadir)
}

// grastateOwner is that of the file; if it was deleted, that of the datadir, and the
// mode that Galera gives it.
func (f *files) grastateOwner(path string) (*syscall.Stat_t, os.FileMode, error) {
	info, err := os.Stat(path)
	mode := os.FileMode(0o660)
	if err == nil {
		mode = info.Mode().Perm()
	} else if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(f.datadir)
	}
	if err != nil {
		return nil, 0, err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, 0, fmt.Errorf("owner of %s is not known", path)
	}
	return owner, mode, nil
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// DropTorn implements Files.
func (f *files) DropTorn(ctx context.Context) ([]string, error) {
	var dropped []string
	for _, file := range []struct {
		name string
		torn func([]byte) bool
	}{
		// Galera does not start with an empty one, or takes its cluster for smaller than it was
		// (codership/galera#354). A whole one says whom the server is to wait for.
		{"gvwstate.dat", func(data []byte) bool { return !wsrep.WholeView(data) }},
		// MariaDB makes it before it writes a header into it. Of one without, which a full disk leaves
		// behind, it says "Bad magic header in tc log" for ever (sql/log.cc, TC_LOG_MMAP::open).
		// Transactions are written behind the header.
		{"tc.log", func(data []byte) bool { return len(bytes.TrimLeft(data, "\x00")) == 0 }},
	} {
		path := f.path(file.name)
		did, err := bounded(ctx, path, func() (bool, error) { return dropIf(path, file.torn) })
		if err != nil {
			return dropped, fmt.Errorf("delete %s, which is torn: %w", file.name, err)
		}
		if did {
			dropped = append(dropped, file.name)
		}
	}
	return dropped, nil
}

// dropIf deletes a file if what is in it is torn.
func dropIf(path string, torn func([]byte) bool) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !torn(data) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, os.Remove(path)
}

// DropGrastate implements Files.
func (f *files) DropGrastate(ctx context.Context) error {
	path := f.path("grastate.dat")
	_, err := bounded(ctx, path, func() (struct{}, error) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return struct{}{}, err
		}
		return struct{}{}, syncDirectory(f.datadir)
	})
	return err
}

// Initialised implements Files, as ocf:heartbeat:galera asks it.
func (f *files) Initialised() bool {
	info, err := os.Stat(f.path("mysql"))
	return err == nil && info.IsDir()
}

// Size implements Files. What vanishes meanwhile does not count.
func (f *files) Size(ctx context.Context) (int64, error) {
	return bounded(ctx, f.datadir, func() (int64, error) { return f.size(), nil })
}

func (f *files) size() int64 {
	var size int64
	_ = filepath.WalkDir(f.datadir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a file of a transfer under way may vanish
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size
}

// Free implements Files. What the file system keeps for root is not the server's.
func (f *files) Free() (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(f.datadir, &st); err != nil {
		return 0, fmt.Errorf("ask for the free space of %s: %w", f.datadir, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// redoLog is InnoDB's, of which every commit writes a part (MariaDB's documentation, "InnoDB Redo Log").
const redoLog = "ib_logfile0"

// LastWrite implements Files. A log that innodb_log_group_home_dir puts elsewhere is not found.
func (f *files) LastWrite(ctx context.Context) (time.Time, error) {
	path := f.path(redoLog)
	return bounded(ctx, path, func() (time.Time, error) {
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}, err
		}
		return info.ModTime(), nil
	})
}

// Note implements Files.
func (f *files) Note(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(runDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// SaveNote implements Files.
func (f *files) SaveNote(name, text string) error {
	path := filepath.Join(runDir, name)
	if text == "" {
		return remove(path)
	}
	if err := makeRunDir(); err != nil {
		return err
	}
	return replaceFile(path, []byte(text+"\n"), 0o600)
}
