package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what the command line says; all are checked.
type options struct {
	address    string
	user       string
	password   string
	database   string
	nodes      []nodeOption
	ledger     string
	output     string
	verifyWait time.Duration

	// chaos run
	interval        time.Duration
	timeout         time.Duration
	threshold       time.Duration
	before          time.Duration
	after           time.Duration
	limit           time.Duration
	duration        time.Duration
	maxInterruption time.Duration
	noVerify        bool
	fault           []string

	// chaos run FAULT...
	faults    []string
	campaign  campaignOptions
	direct    time.Duration
	sample    time.Duration
	arp       time.Duration
	heal      time.Duration
	doubled   time.Duration
	resource  string
	outDir    string
	undoFile  string
	objective string
	window    string

	// chaos verify
	runName string
}

// nodeOption is one --node NAME=ADDRESS.
type nodeOption struct{ name, address string }

// parseRun parses the arguments of chaos run: options and names of faults, or
// options and, behind --, a command.
func parseRun(args []string, getenv func(string) string) (options, error) {
	var o options
	set := flag.NewFlagSet("chaos run", flag.ContinueOnError)
	secret := o.common(set)
	o.schedule(set, 10*time.Millisecond, 100*time.Millisecond)
	set.DurationVar(&o.before, "before", 3*time.Second, "")
	set.DurationVar(&o.after, "after", 5*time.Second, "")
	set.DurationVar(&o.limit, "limit", time.Minute, "")
	set.DurationVar(&o.duration, "duration", 0, "")
	set.BoolVar(&o.noVerify, "no-verify", false, "")
	o.campaignFlags(set)
	if i := slices.Index(args, "--"); i >= 0 {
		args, o.fault = args[:i], args[i+1:]
	}
	names, err := parseMixed(set, args)
	if err != nil {
		return o, err
	}
	o.faults = names
	if err := o.checkRun(); err != nil {
		return o, err
	}
	if err := o.checkCampaign(); err != nil {
		return o, err
	}
	return o, o.finish(secret, getenv)
}

// schedule defines the options of everything that writes through the address.
func (o *options) schedule(set *flag.FlagSet, interval, threshold time.Duration) {
	set.StringVar(&o.address, "address", "", "")
	set.DurationVar(&o.interval, "interval", interval, "")
	set.DurationVar(&o.timeout, "timeout", 250*time.Millisecond, "")
	set.DurationVar(&o.threshold, "threshold", threshold, "")
	set.DurationVar(&o.maxInterruption, "max-interruption", 0, "")
}

// parseMixed parses options with other arguments between them, and returns those.
func parseMixed(set *flag.FlagSet, args []string) ([]string, error) {
	var others []string
	for {
		if err := parseFlags(set, args); err != nil {
			return nil, err
		}
		if set.NArg() == 0 {
			return others, nil
		}
		others, args = append(others, set.Arg(0)), set.Args()[1:]
	}
}

// parseVerify parses the arguments of chaos verify.
func parseVerify(args []string, getenv func(string) string) (options, error) {
	var o options
	set := flag.NewFlagSet("chaos verify", flag.ContinueOnError)
	secret := o.common(set)
	set.StringVar(&o.runName, "run", "", "")
	if err := parseFlags(set, args); err != nil {
		return o, err
	}
	switch {
	case set.NArg() > 0:
		return o, usageError("unexpected argument %q: chaos verify takes options only", set.Arg(0))
	case o.ledger == "":
		return o, usageError("--ledger is missing: name the file that chaos run --ledger wrote")
	case len(o.nodes) == 0:
		return o, usageError("--node is missing: give --node NAME=ADDRESS once for every node")
	}
	return o, o.finish(secret, getenv)
}

// login defines the options of every command that logs in to a server. It returns where
// --password-file will be.
func (o *options) login(set *flag.FlagSet) *string {
	set.StringVar(&o.user, "user", "chaos", "")
	set.StringVar(&o.database, "database", "chaos", "")
	return set.String("password-file", "", "")
}

// outputFlag defines --output.
func (o *options) outputFlag(set *flag.FlagSet) {
	set.StringVar(&o.output, "output", "text", "")
}

// common defines the options of the commands that look at the nodes as well.
func (o *options) common(set *flag.FlagSet) *string {
	set.Func("node", "", func(value string) error {
		node, err := parseNode(value)
		if err == nil {
			o.nodes = append(o.nodes, node)
		}
		return err
	})
	set.StringVar(&o.ledger, "ledger", "", "")
	set.DurationVar(&o.verifyWait, "verify-wait", 3*time.Minute, "")
	o.outputFlag(set)
	return o.login(set)
}

func parseFlags(set *flag.FlagSet, args []string) error {
	set.SetOutput(io.Discard)
	err := set.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return usageError("%w; chaos help lists the options", err)
	}
	return err
}

// parseNode parses NAME=HOST[:PORT].
func parseNode(value string) (nodeOption, error) {
	name, address, found := strings.Cut(value, "=")
	if !found || !isHostname(name) || address == "" {
		return nodeOption{}, errors.New("want NAME=HOST[:PORT], like db1=192.168.205.71")
	}
	address, err := withPort(address)
	return nodeOption{name: name, address: address}, err
}

// withPort adds MariaDB's port to an address without one.
func withPort(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), "3306"
	}
	_, noIP := netip.ParseAddr(host)
	_, noPort := strconv.ParseUint(port, 10, 16)
	if noIP != nil && !isHostname(host) || noPort != nil {
		return "", fmt.Errorf("%q is not HOST[:PORT]", address)
	}
	return net.JoinHostPort(host, port), nil
}

// isHostname accepts what a hostname may consist of (RFC 1123), and with it what
// may safely replace {node} in a command.
func isHostname(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
	return name != "" && strings.Trim(name, allowed) == "" && !strings.HasPrefix(name, "-")
}

// checkAddress completes --address.
func (o *options) checkAddress() error {
	if o.address == "" {
		return usageError("--address is missing: give the floating address, like --address 192.168.205.70")
	}
	address, err := withPort(o.address)
	if err != nil {
		return usageError("--address: %w", err)
	}
	o.address = address
	return nil
}

func (o *options) checkRun() error {
	if err := o.checkAddress(); err != nil {
		return err
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"interval", o.interval}, {"timeout", o.timeout}, {"threshold", o.threshold},
		{"before", o.before}, {"after", o.after}, {"limit", o.limit},
	} {
		if d.value <= 0 {
			return usageError("--%s is %v: give a duration above zero, like 250ms or 5s", d.name, d.value)
		}
	}
	switch {
	case o.interval < time.Millisecond:
		return usageError("--interval is %v: a new connection per write needs at least 1ms", o.interval)
	case o.threshold < 2*o.interval:
		return usageError("--threshold is %v: two intervals (%v) are ordinary, give more", o.threshold, 2*o.interval)
	case o.duration < 0 || o.maxInterruption < 0:
		return usageError("--duration and --max-interruption cannot be negative")
	case o.duration > 0 && len(o.fault) > 0:
		return usageError("--duration and a fault command exclude each other: with a command, --before, --after and --limit say how long to write")
	case o.limit <= max(o.before, o.after):
		return usageError("--limit is %v: give more than --before (%v) and --after (%v)", o.limit, o.before, o.after)
	case len(o.nodes) == 0 && !o.noVerify:
		return usageError("--node is missing: give --node NAME=ADDRESS once for every node, or --no-verify")
	}
	return nil
}

// finish checks what belongs to the nodes, and then the login.
func (o *options) finish(passwordFile *string, getenv func(string) string) error {
	seen := map[string]bool{}
	for _, n := range o.nodes {
		if seen[n.name] || seen[n.address] {
			return usageError("--node %s=%s repeats a name or an address: give each node once", n.name, n.address)
		}
		seen[n.name], seen[n.address] = true, true
	}
	if o.verifyWait <= 0 {
		return usageError("--verify-wait is %v: give a duration above zero, like 180s", o.verifyWait)
	}
	if err := o.checkOutput(); err != nil {
		return err
	}
	return o.finishLogin(passwordFile, getenv)
}

func (o *options) checkOutput() error {
	if o.output != "text" && o.output != "json" {
		return usageError("--output is %q: give text or json", o.output)
	}
	return nil
}

// finishLogin checks the database's name and reads the password.
func (o *options) finishLogin(passwordFile *string, getenv func(string) string) error {
	if o.database == "" || strings.ContainsAny(o.database, "`\x00") {
		return usageError("--database is %q: give a plain database name, like chaos", o.database)
	}
	if *passwordFile == "" {
		if o.password = getenv("CHAOS_PASSWORD"); o.password == "" {
			return usageError("no password: give --password-file FILE or set CHAOS_PASSWORD")
		}
		return nil
	}
	content, err := os.ReadFile(*passwordFile)
	if err != nil {
		return usageError("--password-file: %w", err)
	}
	o.password, _, _ = strings.Cut(string(content), "\n")
	return nil
}
