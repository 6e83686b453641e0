package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"holdfast/tests/lab"
)

// defaultState is in the checkout from whose top labctl is run.
const defaultState = "build/lab"

// command is one of labctl's commands.
type command struct {
	name, synopsis, help string
	// arguments says how many arguments the command takes and, for a fixed set of words, which: "out|in".
	arguments []string
	// runs is set for a command that takes another command line, after "--" or directly.
	runs bool
	run  func(context.Context, invocation) error
}

// invocation is a parsed command line.
type invocation struct {
	command  command
	state    string   // --state
	output   string   // --output
	debs     []string // --deb
	replace  bool     // --replace
	settings []string // --set
	time     bool     // --time
	args     []string
	line     []string // the command line to run
}

const anyNode = "NODE"

func commands() []command {
	return []command{
		{"check", "", "tell whether this machine can run a lab", nil, false, check},
		{"up", "[--deb FILE]... [--replace]", "boot the three nodes and install packages in them", nil, false, up},
		{"join", "[--set NAME=VALUE]...", "make a cluster of them with the cluster script", nil, false, join},
		{"status", "[--output json]", "show power, cable and system state of the nodes", nil, false, showStatus},
		{"shell", "NODE", "open a root shell in a node", []string{anyNode}, false, shell},
		{"exec", "NODE -- COMMAND...", "run a command in a node", []string{anyNode}, true, execute},
		{"client", "-- COMMAND...", "run a command outside the nodes, in the lab's network", nil, true, client},
		{"power", "[--time] on|off|shutdown|status NODE", "restore or cut a node's power, press its button, or ask",
			[]string{"on|off|shutdown|status", anyNode}, false, powerCommand},
		{"cable", "[--time] out|in NODE", "pull a node's network cable, or put it back", []string{"out|in", anyNode}, false, cable},
		{"freeze", "[--time] NODE", "stop every process of a node, as a hypervisor's pause does", []string{anyNode}, false, freeze},
		{"thaw", "NODE", "let a frozen node continue", []string{anyNode}, false, thaw},
		{"crash", "NODE", "end every process of a node at once, as a kernel's panic does; its power stays on", []string{anyNode}, false, crash},
		{"logs", "DIR", "collect the nodes' logs in a directory", []string{"DIR"}, false, logs},
		{"down", "", "end the lab; its logs stay in the state directory", nil, false, down},
	}
}

func usageText() string {
	var b strings.Builder
	b.WriteString("usage: labctl [--state DIR] COMMAND\n\nThe lab: three cluster nodes on this machine. Commands:\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-37s %s\n", c.name+" "+c.synopsis, c.help)
	}
	b.WriteString("\n  --time       print when it was truly done: at 2026-11-25T07:00:00.123456789Z\n")
	fmt.Fprintf(&b, "  --state DIR  where the lab keeps its disks and logs (default %s)\n", defaultState)
	b.WriteString("\nExit status: 0 success, 1 failure, 2 wrong usage, 3 no lab is up;\n" +
		"exec, shell and client end with the status of what they run.\n")
	return b.String()
}

// usageError is a command line that labctl does not understand.
type usageError string

func (e usageError) Error() string { return string(e) }

// errHelp says that the command line asked for help.
var errHelp = flag.ErrHelp

// parse reads a command line. Every failure is a usageError or errHelp.
func parse(args []string) (invocation, error) {
	inv := invocation{output: "table"}
	global := flagSet()
	global.StringVar(&inv.state, "state", defaultState, "")
	if err := parseFlags(global, args); err != nil {
		return inv, err
	}
	args = global.Args()
	if len(args) == 0 || args[0] == "help" {
		return inv, errHelp
	}
	i := slices.IndexFunc(commands(), func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return inv, usageError(fmt.Sprintf("there is no command %q", args[0]))
	}
	inv.command = commands()[i]
	args = args[1:]
	if inv.command.runs {
		args, inv.line = split(args, len(inv.command.arguments))
		if len(inv.line) == 0 {
			return inv, usageError(fmt.Sprintf("%s needs a command to run: labctl %s %s", inv.command.name, inv.command.name, inv.command.synopsis))
		}
	}
	own := inv.flags()
	if err := parseFlags(own, args); err != nil {
		return inv, err
	}
	inv.args = own.Args()
	return inv, inv.check()
}

// flags are the command's own.
func (inv *invocation) flags() *flag.FlagSet {
	f := flagSet()
	switch inv.command.name {
	case "up":
		f.Func("deb", "", func(file string) error { inv.debs = append(inv.debs, file); return nil })
		f.BoolVar(&inv.replace, "replace", false, "")
	case "power", "cable", "freeze":
		f.BoolVar(&inv.time, "time", false, "")
	case "join":
		f.Func("set", "", func(s string) error { inv.settings = append(inv.settings, s); return nil })
	case "status":
		f.StringVar(&inv.output, "output", "table", "")
	}
	return f
}

// check compares the arguments with what the command takes.
func (inv invocation) check() error {
	c := inv.command
	if len(inv.args) != len(c.arguments) {
		return usageError(fmt.Sprintf("usage: labctl %s %s", c.name, c.synopsis))
	}
	for i, want := range c.arguments {
		words := strings.Split(want, "|")
		if want == anyNode {
			words = nil
			for _, n := range lab.Nodes() {
				words = append(words, n.Name)
			}
		}
		if want != "DIR" && !slices.Contains(words, inv.args[i]) {
			return usageError(fmt.Sprintf("%s: %q is not one of %s", c.name, inv.args[i], strings.Join(words, ", ")))
		}
	}
	if inv.output != "table" && inv.output != "json" {
		return usageError(fmt.Sprintf("--output: %q is not one of table, json", inv.output))
	}
	return nil
}

// split takes a command line off the end of args: what follows "--" or, without it, what follows the first n arguments.
func split(args []string, n int) (own, line []string) {
	if i := slices.Index(args, "--"); i >= 0 && i <= n {
		return args[:i], args[i+1:]
	}
	n = min(n, len(args))
	return args[:n], args[n:]
}

func flagSet() *flag.FlagSet {
	f := flag.NewFlagSet("labctl", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

func parseFlags(f *flag.FlagSet, args []string) error {
	err := f.Parse(args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return err
	}
	return usageError(err.Error())
}

func progress() io.Writer { return os.Stderr }
