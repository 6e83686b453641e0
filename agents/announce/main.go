package main

import (
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		complain(err)
		os.Exit(1)
	}
}

// complain tells the journal: the agent has ended long since. If that fails too, there is
// nobody left to tell.
func complain(err error) {
	if log, dialErr := syslog.New(syslog.LOG_DAEMON|syslog.LOG_WARNING, "holdfast-announce"); dialErr == nil {
		_ = log.Warning("the address is not announced: " + err.Error())
	}
}

var errUsage = errors.New("usage: announce send|resend LINK INDEX OWN-HARDWARE-ADDRESS IP COUNT INTERVAL [HARDWARE-ADDRESS...] | holder LINK IP WAIT")

// run does what the arguments say.
func run(args []string, stdout io.Writer) error {
	switch {
	case len(args) >= 7 && (args[0] == "send" || args[0] == "resend"):
		b, err := parseBurst(args[1:])
		if err != nil {
			return err
		}
		b.begun = args[0] == "resend"
		return b.run()
	case len(args) == 4 && args[0] == "holder":
		machine, err := askHolder(args[1], args[2], args[3])
		if err != nil {
			fmt.Fprintln(stdout, "error", err)
			return err
		}
		fmt.Fprintln(stdout, "ok", machine)
		return nil
	}
	return errUsage
}

func askHolder(link, address, limit string) (string, error) {
	ip, ipErr := netip.ParseAddr(address)
	wait, waitErr := time.ParseDuration(limit)
	if err := errors.Join(ipErr, waitErr); err != nil {
		return "", err
	}
	return holder(link, ip, wait)
}

func parseBurst(args []string) (burst, error) {
	b := burst{link: net.Interface{Name: args[0]}}
	var errs [5]error
	b.link.Index, errs[0] = strconv.Atoi(args[1])
	b.link.HardwareAddr, errs[1] = net.ParseMAC(args[2])
	b.ip, errs[2] = netip.ParseAddr(args[3])
	b.count, errs[3] = strconv.Atoi(args[4])
	b.interval, errs[4] = time.ParseDuration(args[5])
	if err := errors.Join(errs[:]...); err != nil {
		return b, err
	}
	for _, text := range args[6:] {
		peer, err := net.ParseMAC(text)
		if err != nil {
			return b, err
		}
		b.peers = append(b.peers, peer)
	}
	return b, nil
}
