package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"holdfast/tests/lab"
)

func check(context.Context, invocation) error {
	if err := lab.CheckHost(); err != nil {
		return err
	}
	fmt.Println("this machine can run a lab")
	return nil
}

func up(ctx context.Context, inv invocation) error {
	_, err := lab.Start(ctx, lab.Options{State: inv.state, Debs: inv.debs, Replace: inv.replace, Progress: progress()})
	if err != nil {
		return err
	}
	fmt.Fprintln(progress(), "the lab is up (labctl status, labctl shell db1, labctl down)")
	return nil
}

func join(ctx context.Context, inv invocation) error {
	settings := map[string]string{}
	for _, s := range inv.settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return usageError(fmt.Sprintf("--set %q is not NAME=VALUE", s))
		}
		settings[name] = value
	}
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return l.Join(ctx, settings, progress())
}

func showStatus(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	report, err := l.Report(ctx)
	if err != nil {
		return err
	}
	if inv.output == "json" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return table(os.Stdout, report)
}

func shell(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return l.Become(ctx, inv.args[0], "bash", "--login")
}

func execute(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return l.Become(ctx, inv.args[0], inv.line...)
}

func client(_ context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return l.BecomeClient(inv.line...)
}

// timed does something that --time may be asked of. The time is printed also if it was
// done only in part.
func (inv invocation) timed(ctx context.Context, do func(context.Context) error) error {
	ctx, begun := lab.Timed(ctx)
	err := do(ctx)
	if inv.time && !begun.IsZero() {
		fmt.Println("at", begun.Format(time.RFC3339Nano))
	}
	return err
}

func powerCommand(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	node := inv.args[1]
	switch inv.args[0] {
	case "on":
		return l.PowerOn(ctx, node)
	case "off":
		return inv.timed(ctx, func(ctx context.Context) error { return l.PowerOff(ctx, node) })
	case "shutdown":
		return l.Shutdown(ctx, node)
	default:
		state, err := l.PowerState(ctx, node)
		if err == nil {
			fmt.Println(strings.ToLower(string(state)))
		}
		return err
	}
}

func cable(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	if inv.args[0] == "out" {
		return inv.timed(ctx, func(ctx context.Context) error { return l.CableOut(ctx, inv.args[1]) })
	}
	return l.CableIn(ctx, inv.args[1])
}

func freeze(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return inv.timed(ctx, func(ctx context.Context) error { return l.Freeze(ctx, inv.args[0]) })
}

func thaw(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return l.Thaw(ctx, inv.args[0])
}

func crash(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return l.Crash(ctx, inv.args[0])
}

func logs(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if err != nil {
		return err
	}
	return l.CollectLogs(ctx, inv.args[0])
}

// down also clears up after a lab that was killed, and is content when there is none.
func down(ctx context.Context, inv invocation) error {
	l, err := lab.Open(inv.state)
	if errors.Is(err, lab.ErrDown) {
		return lab.Sweep(ctx, inv.state)
	}
	if err != nil {
		return err
	}
	return l.Down(ctx)
}
