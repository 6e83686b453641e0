package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/wait"
)

// Target is the commands that reach the nodes. In every argument {node} becomes
// the node's name and {login} how to log in to it.
type Target struct {
	Name   string   // lab or ssh
	shell  []string // runs the script on its standard input as root
	verbs  map[fault.Verb][]string
	logins map[string]string
}

// Lab is the lab whose labctl is given, with the options that it needs.
func Lab(labctl ...string) Target {
	with := func(args ...string) []string { return append(append([]string{}, labctl...), args...) }
	return Target{
		Name:  "lab",
		shell: with("exec", "{node}", "--", "sh", "-e"),
		verbs: map[fault.Verb][]string{
			fault.PowerOff: with("power", "--time", "off", "{node}"), fault.PowerOn: with("power", "on", "{node}"),
			fault.CableOut: with("cable", "--time", "out", "{node}"), fault.CableIn: with("cable", "in", "{node}"),
			fault.Freeze: with("freeze", "--time", "{node}"), fault.Thaw: with("thaw", "{node}"),
			// The nodes share the kernel of this machine: a node's own can only be said to panic.
			fault.Crash: with("crash", "{node}"),
		},
	}
}

// Cannot says why a fault cannot be done here, or nothing when it can.
func (t Target) Cannot(f fault.Fault) string {
	for _, verb := range f.Needs() {
		if t.verbs[verb] == nil && builtin(verb) == "" {
			return fmt.Sprintf("the inventory does not say how to do %s: add %s", verb, setting(verb))
		}
	}
	return ""
}

// Run runs a script on a node and returns what it printed.
func (t Target) Run(ctx context.Context, node, script string) (string, error) {
	return t.command(ctx, node, t.shell, script)
}

// Do does one action. How long the command may take is ctx's business.
func (t Target) Do(ctx context.Context, a fault.Action) error {
	_, err := t.print(ctx, a)
	return err
}

// print does an action and returns what its command printed.
func (t Target) print(ctx context.Context, a fault.Action) (string, error) {
	script, args := a.Script, t.shell
	if a.Verb != fault.Script {
		script = builtin(a.Verb)
		if beside := t.verbs[a.Verb]; beside != nil || script == "" {
			script, args = "", beside
		}
	}
	if args == nil {
		return "", fmt.Errorf("%s cannot be done on %s", a.Verb, a.Node)
	}
	printed, err := t.command(ctx, a.Node, args, script)
	if err != nil {
		return printed, fmt.Errorf("%s on %s: %w", a.Verb, a.Node, err)
	}
	return printed, nil
}

// killAfter is how long a command that was told to end may take.
const killAfter = 2 * time.Second

func (t Target) command(ctx context.Context, node string, template []string, input string) (string, error) {
	args := make([]string, len(template))
	for i, word := range template {
		args[i] = strings.NewReplacer("{node}", node, "{login}", t.logins[node]).Replace(word)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	// A Ctrl-C at the terminal must not end a command in the middle of its work.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = killAfter
	err := cmd.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
	}
	if said := lastLine(stderr.String()); said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return stdout.String(), fmt.Errorf("%s: %w", args[0], err)
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// The directory of the database, and the file that fills its file system.
const (
	datadir = `d=$(mariadbd --print-defaults 2>/dev/null | tr ' ' '\n' | sed -n 's/^--datadir=//p' | tail -n 1); d=${d:-/var/lib/mysql}; `
	filler  = `"$d/holdfast-chaos.fill"`
)

// builtin is a verb that a machine can do to itself, as a script; empty for the
// other verbs. A target may have a better way, among its own verbs.
func builtin(v fault.Verb) string {
	switch v {
	case fault.Crash:
		// In the background and a moment later, so that the login ends in order.
		return `echo 1 > /proc/sys/kernel/sysrq; (sleep 0.2; echo c > /proc/sysrq-trigger) > /dev/null 2>&1 &`
	case fault.DiskFull:
		// The second one takes what the first could not have in one piece.
		return datadir + `fallocate -l "$(df --output=avail -B1 "$d" | tail -n 1)" ` + filler + ` || dd if=/dev/zero of=` + filler + ` bs=1M oflag=append conv=notrunc 2>/dev/null || true`
	case fault.DiskHold:
		return datadir + `mountpoint -q "$d" || { echo "$d is not a file system of its own: freezing it would freeze the machine" >&2; exit 1; }; date -u +'at %FT%T.%NZ'; fsfreeze --freeze "$d"`
	case fault.DiskFree:
		return datadir + `if mountpoint -q "$d"; then fsfreeze --unfreeze "$d" 2>/dev/null || true; fi; rm -f ` + filler
	default:
		return ""
	}
}

// All does actions in order, those that belong together at the same time. After a
// failure it begins no more: what is done to the next node is meant for a cluster in
// which the one before went well. It returns when each node was struck first, as far
// as the commands tell.
func (t Target) All(ctx context.Context, actions []fault.Action) ([]fault.Struck, error) {
	type done struct {
		fault.Struck
		known bool
		err   error
	}
	var struck []fault.Struck
	for len(actions) > 0 {
		together := 1
		for together < len(actions) && actions[together].Along {
			together++
		}
		if !wait.For(ctx, actions[0].Pause) {
			return struck, context.Cause(ctx)
		}
		results := make(chan done, together)
		var failures []error
		for _, a := range actions[:together] {
			go func() {
				begun := time.Now()
				printed, err := t.print(ctx, a)
				at, known := fault.StruckAt(printed, begun, time.Now())
				results <- done{fault.Struck{Node: a.Node, At: at}, known, err}
			}()
		}
		for range together {
			d := <-results
			failures = append(failures, d.err)
			if d.known && !slices.ContainsFunc(struck, func(s fault.Struck) bool { return s.Node == d.Node }) {
				struck = append(struck, d.Struck)
			}
		}
		if err := errors.Join(failures...); err != nil {
			return struck, err
		}
		actions = actions[together:]
	}
	return struck, nil
}

// Again is how long Undo waits between two attempts.
const again = 500 * time.Millisecond

// Undo does every action, each again and again until it succeeds: a machine that
// is just being restarted cannot be told anything yet. It returns what could not
// be undone before ctx ended.
func (t Target) Undo(ctx context.Context, actions []fault.Action) error {
	results := make(chan error, len(actions))
	for _, a := range actions {
		go func() {
			for {
				err := t.Do(ctx, a)
				if err == nil || !wait.For(ctx, again) {
					results <- err
					return
				}
			}
		}()
	}
	var failures []error
	for range actions {
		failures = append(failures, <-results)
	}
	return errors.Join(failures...)
}
