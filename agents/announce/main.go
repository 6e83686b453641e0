package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
)

func main() {
	said, err := run(os.Args[1:], func(line string) {
		fmt.Println(line)
		os.Stdout.Close() // the agent reads to the end
	})
	if err == nil {
		return
	}
	if !said {
		fmt.Println("error", err)
	}
	os.Exit(1)
}

var errUsage = errors.New("usage: announce send LINK INDEX OWN-HARDWARE-ADDRESS IP COUNT INTERVAL NOTE [HARDWARE-ADDRESS...] | holder LINK IP WAIT")

// run does what the arguments say. It says at most one line, and whether it has.
func run(args []string, say func(string)) (said bool, err error) {
	switch {
	case len(args) >= 8 && args[0] == "send":
		b, err := parseBurst(args[1:])
		if err != nil {
			return false, err
		}
		return b.run(say)
	case len(args) == 4 && args[0] == "holder":
		ip, ipErr := netip.ParseAddr(args[2])
		wait, waitErr := time.ParseDuration(args[3])
		if err := errors.Join(ipErr, waitErr); err != nil {
			return false, err
		}
		machine, err := holder(args[1], ip, wait)
		if err != nil {
			return false, err
		}
		say("ok " + machine)
		return true, nil
	}
	return false, errUsage
}

func parseBurst(args []string) (burst, error) {
	b := burst{link: net.Interface{Name: args[0]}, note: args[6]}
	var errs [5]error
	b.link.Index, errs[0] = strconv.Atoi(args[1])
	b.link.HardwareAddr, errs[1] = net.ParseMAC(args[2])
	b.ip, errs[2] = netip.ParseAddr(args[3])
	b.count, errs[3] = strconv.Atoi(args[4])
	b.interval, errs[4] = time.ParseDuration(args[5])
	if err := errors.Join(errs[:]...); err != nil {
		return b, err
	}
	for _, text := range args[7:] {
		peer, err := net.ParseMAC(text)
		if err != nil {
			return b, err
		}
		b.peers = append(b.peers, peer)
	}
	return b, nil
}
