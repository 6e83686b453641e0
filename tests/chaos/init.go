package main

import (
	"flag"
	"fmt"
	"io"
)

// parseInit parses the arguments of chaos init.
func parseInit(args []string, getenv func(string) string) (options, error) {
	var o options
	set := flag.NewFlagSet("chaos init", flag.ContinueOnError)
	secret := o.login(set)
	set.StringVar(&o.address, "address", "", "")
	if err := parseFlags(set, args); err != nil {
		return o, err
	}
	if set.NArg() > 0 {
		return o, usageError("unexpected argument %q: chaos init takes options only", set.Arg(0))
	}
	if err := o.checkAddress(); err != nil {
		return o, err
	}
	return o, o.finishLogin(secret, getenv)
}

// initialise is chaos init: make the table, and nothing else.
func initialise(opt options, stdout io.Writer, stop stops) error {
	server, err := opt.server(opt.address)
	if err != nil {
		return err
	}
	if err := prepare(stop.soft, server); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "the table writes is in the database %s\n", opt.database)
	return nil
}
