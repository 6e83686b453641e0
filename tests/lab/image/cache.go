package image

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// CacheDir is where images outlive the checkout.
const CacheDir = "/var/cache/holdfast"

const (
	prefix       = "image-"
	buildTimeout = 20 * time.Minute
)

// Ensure returns the tree of recipe's image below cacheDir, building it first when it is not there. A build that is interrupted never
// becomes an image: it happens in a directory of its own, which is renamed when it is whole. Concurrent callers build once. Images of
// other recipes are removed, unless a lab stands on them.
func Ensure(ctx context.Context, cacheDir string, recipe Recipe, progress io.Writer) (string, error) {
	tree := filepath.Join(cacheDir, prefix+recipe.Key())
	if exists(tree) {
		return tree, nil
	}
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return "", fmt.Errorf("make the image cache: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(cacheDir, "lock"), progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(tree) {
		return tree, nil
	}
	if err := removeOthers(cacheDir); err != nil {
		return "", err
	}
	return tree, build(ctx, tree, recipe, progress)
}

// Use marks tree as in use for as long as the returned file is open, in this process or one that inherited it.
func Use(tree string) (*os.File, error) {
	dir, err := os.Open(tree)
	if err != nil {
		return nil, fmt.Errorf("open the node image: %w", err)
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_SH); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the node image %s: %w", tree, err), dir.Close())
	}
	return dir, nil
}

func build(ctx context.Context, tree string, recipe Recipe, progress io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	work, err := os.MkdirTemp(filepath.Dir(tree), "building-")
	if err != nil {
		return fmt.Errorf("make a directory for the image build: %w", err)
	}
	defer os.RemoveAll(work)
	started := time.Now()
	fmt.Fprintf(progress, "building the node image %s (once; about a minute and 1 GB)\n", tree)

	root := filepath.Join(work, "root")
	args := recipe.command(root, hostSources(recipe.Suite), proxyOptions(ctx))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	// mmdebstrap takes its helpers and mounts down itself when it is interrupted, and cannot when it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Env = append(os.Environ(), "TMPDIR="+work)
	// In a mount namespace of its own, what it mounts ends with it, and it ends with this process, however that ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	if err := runShowingSteps(cmd, progress); err != nil {
		return fmt.Errorf("build the node image with mmdebstrap: %w", err)
	}
	if err := os.Rename(root, tree); err != nil {
		return fmt.Errorf("put the node image in place: %w", err)
	}
	fmt.Fprintf(progress, "node image built in %.0f s\n", time.Since(started).Seconds())
	return nil
}

// runShowingSteps shows mmdebstrap's "I:" lines as they come and, on failure, the last lines of everything it said.
func runShowingSteps(cmd *exec.Cmd, progress io.Writer) error {
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // Pdeathsig means the death of the thread that started the process
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	const keep = 15
	var tail []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		if step, ok := strings.CutPrefix(line, "I: "); ok {
			fmt.Fprintln(progress, "  "+step)
		}
		tail = append(tail, line)
		tail = tail[max(0, len(tail)-keep):]
	}
	_, _ = io.Copy(io.Discard, out) // a line longer than the scanner takes must not block the build
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w; it said last:\n%s", err, strings.Join(tail, "\n"))
	}
	return nil
}

// lock takes the cache's lock, saying so when another builder holds it.
func lock(ctx context.Context, path string, progress io.Writer) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the image cache's lock: %w", err)
	}
	said := false
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock the image cache: %w", err), f.Close())
		}
		if !said {
			fmt.Fprintln(progress, "waiting for another process that builds the node image")
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another builder of the node image: %w", ctx.Err()), f.Close())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// removeOthers removes what crashed builds and older recipes left in cacheDir. The caller holds the cache's lock.
func removeOthers(cacheDir string) error {
	entries, err := os.ReadDir(cacheDir)
	if err != nil {
		return fmt.Errorf("read the image cache: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(cacheDir, e.Name())
		stale := strings.HasPrefix(e.Name(), "building-") || strings.HasPrefix(e.Name(), prefix) && !inUse(path)
		if !stale {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove an old node image: %w", err)
		}
	}
	return nil
}

func inUse(tree string) bool {
	dir, err := os.Open(tree)
	if err != nil {
		return false
	}
	defer dir.Close()
	return syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}

// hostSources lists the host's apt source files that serve suite, so that a machine with a mirror of its own builds from it.
func hostSources(suite string) []string {
	candidates, _ := filepath.Glob("/etc/apt/sources.list.d/*.sources") // the pattern is constant and valid
	candidates = append([]string{"/etc/apt/sources.list"}, candidates...)
	var files []string
	for _, f := range candidates {
		content, err := os.ReadFile(f)
		if err == nil && servesDebian(string(content), suite) {
			files = append(files, f)
		}
	}
	return files
}

// servesDebian tells whether an apt source file (sources.list(5), both formats) offers suite from a Debian archive. Files of other
// vendors may name the same suite, with keys that the image does not have.
func servesDebian(content, suite string) bool {
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		isSource := strings.HasPrefix(line, "deb ") || strings.HasPrefix(line, "Suites:")
		if isSource && strings.Contains(line+" ", " "+suite+" ") && strings.Contains(content, "/debian") {
			return true
		}
	}
	return false
}

// proxyOptions passes the host's apt proxy on, which a mirror file does not carry.
func proxyOptions(ctx context.Context) []string {
	var options []string
	for _, key := range []string{"Acquire::http::Proxy", "Acquire::https::Proxy"} {
		out, err := exec.CommandContext(ctx, "apt-config", "shell", "V", key).Output()
		value := strings.Trim(strings.TrimPrefix(strings.TrimSpace(string(out)), "V="), "'")
		if err == nil && value != "" {
			options = append(options, fmt.Sprintf("%s %q", key, value))
		}
	}
	return options
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
