package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec" //nolint:depguard // the name service has no other road than libc and getent
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// host looks at this machine.
type host struct{}

// Executable implements Host; a name without a slash is looked for in PATH.
func (host) Executable(path string) bool {
	if strings.Contains(path, "/") {
		return executable(path)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if executable(filepath.Join(dir, path)) {
			return true
		}
	}
	return false
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// RegularFile implements Host.
func (host) RegularFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Directory implements Host.
func (host) Directory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// User implements Host.
func (host) User(name string) bool { _, err := userID(name); return err == nil }

// Group implements Host.
func (host) Group(name string) bool { _, err := groupID(name); return err == nil }

// PrepareDirectory implements Host.
func (host) PrepareDirectory(path, userName, groupName string) error {
	uid, gid, err := account(userName, groupName)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.Join(os.MkdirAll(path, 0o755), os.Chown(path, uid, gid))
		if err != nil {
			return fmt.Errorf("directory %s is missing and cannot be made: %w", path, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at directory %s: %w", path, err)
	}
	if !writable(info, uid, gid) {
		return fmt.Errorf("user %s cannot write in %s; run: chown %s:%s %s", userName, path, userName, groupName, path)
	}
	return nil
}

func writable(info os.FileInfo, uid, gid int) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || uid == 0 {
		return ok
	}
	switch mode := info.Mode().Perm(); {
	case int(owner.Uid) == uid:
		return mode&0o200 != 0
	case int(owner.Gid) == gid:
		return mode&0o020 != 0
	default:
		return mode&0o002 != 0
	}
}

func account(userName, groupName string) (uid, gid int, err error) {
	uid, userErr := userID(userName)
	gid, groupErr := groupID(groupName)
	return uid, gid, errors.Join(userErr, groupErr)
}

func userID(name string) (int, error) {
	if u, err := user.Lookup(name); err == nil {
		return strconv.Atoi(u.Uid)
	}
	return getent("passwd", name)
}

func groupID(name string) (int, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return strconv.Atoi(g.Gid)
	}
	return getent("group", name)
}

// directoryTime is what a directory service may take to know an account.
const directoryTime = 3 * time.Second

// getent asks the name service for an account that is in none of the machine's own
// files: without cgo, os/user reads only those. The number is the third field of both
// databases (passwd(5), group(5)).
func getent(database, name string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), directoryTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "getent", "--", database, name).Output()
	if err != nil {
		return 0, fmt.Errorf("%q is not in the %s database: %w", name, database, err)
	}
	fields := strings.Split(strings.TrimSpace(string(out)), ":")
	if len(fields) < 3 {
		return 0, fmt.Errorf("getent %s %s answers %q", database, name, out)
	}
	return strconv.Atoi(fields[2])
}

// clock is the real time.
type clock struct{}

// Now implements Clock.
func (clock) Now() time.Time { return time.Now() }

// During implements Clock. What is answered at once costs no goroutine. A panic of look is one of During:
// the dispatcher cannot catch it in another goroutine.
func (clock) During(every time.Duration, look, do func()) {
	var looking sync.Mutex
	var over bool
	var panicked any
	var timer *time.Timer
	looking.Lock() // until timer is set
	timer = time.AfterFunc(every, func() {
		looking.Lock()
		defer looking.Unlock()
		defer func() { panicked = recover() }()
		if !over {
			look()
			timer.Reset(every)
		}
	})
	looking.Unlock()
	do()
	looking.Lock()
	defer looking.Unlock()
	over = true
	timer.Stop()
	if panicked != nil {
		panic(panicked)
	}
}

// Sleep implements Clock.
func (clock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
