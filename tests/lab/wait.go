package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	waitInterval   = 100 * time.Millisecond
	bootTimeout    = 2 * time.Minute
	installTimeout = 5 * time.Minute
)

// Wait polls a condition until it holds or ctx ends. The condition says what it saw; when ctx ends, the error says what was waited for,
// for how long, and the last thing seen by a look that was not cut off.
func Wait(ctx context.Context, what string, condition func(context.Context) (seen string, ok bool)) error {
	begun, last := time.Now(), ""
	for {
		seen, ok := condition(ctx)
		if ok {
			return nil
		}
		if ctx.Err() == nil || last == "" {
			last = seen
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %.1f s for %s, last seen: %s: %w", time.Since(begun).Seconds(), what, last, context.Cause(ctx))
		case <-time.After(waitInterval):
		}
	}
}

// WaitFor is Wait with a deadline of its own.
func WaitFor(ctx context.Context, limit time.Duration, what string, condition func(context.Context) (seen string, ok bool)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return Wait(ctx, what, condition)
}

// WaitBooted returns when a node has finished booting, and the units that failed on the way. Failed units are no error: a fresh Debian
// machine may well have some.
func (l *Lab) WaitBooted(ctx context.Context, node string) (failed []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	err = Wait(ctx, node+" to finish booting", func(ctx context.Context) (string, bool) {
		// Before systemd listens this fails at once; after that it returns when the boot has ended, one way or the other.
		state, err := l.Exec(ctx, node, "systemctl", "is-system-running", "--wait")
		state = strings.TrimSpace(state)
		if state == "" && err != nil {
			state = err.Error()
		}
		return state, state == "running" || state == "degraded"
	})
	if err != nil {
		return nil, err
	}
	out, err := l.Exec(ctx, node, "systemctl", "list-units", "--failed", "--plain", "--no-legend")
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) > 0 {
			failed = append(failed, fields[0])
		}
	}
	return failed, err
}

// bringUp waits for the nodes to boot and installs packages, all nodes at once.
func (l *Lab) bringUp(ctx context.Context, debs []string) error {
	begun := time.Now()
	err := l.everyNode(ctx, func(ctx context.Context, node string) error {
		failed, err := l.WaitBooted(ctx, node)
		if err != nil {
			return errors.Join(err, l.consoleTail(node))
		}
		note := ""
		if len(failed) > 0 {
			note = "; failed units: " + strings.Join(failed, ", ")
		}
		fmt.Fprintf(l.progress, "%s booted (%.1f s)%s\n", node, time.Since(begun).Seconds(), note)
		if len(debs) == 0 {
			return nil
		}
		if err := l.Install(ctx, node, debs...); err != nil {
			return err
		}
		fmt.Fprintf(l.progress, "%s has %d packages installed (%.1f s)\n", node, len(debs), time.Since(begun).Seconds())
		return nil
	})
	if ctx.Err() != nil { // then it is no node's fault, and what they said last explains nothing
		return fmt.Errorf("bring the nodes up: %w", context.Cause(ctx))
	}
	return err
}

// everyNode runs do for all nodes at once and returns every failure.
func (l *Lab) everyNode(ctx context.Context, do func(ctx context.Context, node string) error) error {
	var group errgroup.Group // not WithContext: one node's failure must not hide what the others would have said
	errs := make([]error, len(Nodes()))
	for i, n := range Nodes() {
		group.Go(func() error {
			errs[i] = do(ctx, n.Name)
			return nil
		})
	}
	return errors.Join(group.Wait(), errors.Join(errs...))
}

// Install installs Debian packages in a node as an operator does: apt-get install ./package.deb.
func (l *Lab) Install(ctx context.Context, node string, debs ...string) error {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	const dir = "/var/tmp"
	args := []string{"env", "--chdir=" + dir, "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--quiet", "--reinstall"}
	for _, deb := range debs {
		if err := l.Put(ctx, node, deb, dir+"/"+filepath.Base(deb)); err != nil {
			return err
		}
		args = append(args, "./"+filepath.Base(deb))
	}
	if out, err := l.Exec(ctx, node, args...); err != nil {
		return fmt.Errorf("install %s: %w\n%s", strings.Join(debs, " "), err, lastLines(out, 20))
	}
	return nil
}

// Put copies a file of this machine into a node.
func (l *Lab) Put(ctx context.Context, node, from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("copy a file to %s: %w", node, err)
	}
	defer f.Close()
	return l.put(ctx, node, f, to)
}

func (l *Lab) put(ctx context.Context, node string, content io.Reader, to string) error {
	_, err := l.ExecInput(ctx, node, content, "sh", "-c", `mkdir -p "$(dirname "$1")" && cat > "$1"`, "sh", to)
	return err
}

// consoleTail is what a node said last, as an error that explains another one.
func (l *Lab) consoleTail(node string) error {
	content, err := os.ReadFile(filepath.Join(l.state, "logs", node+".console"))
	if err != nil {
		return err
	}
	return fmt.Errorf("console of %s:\n%s", node, lastLines(string(content), 15))
}
