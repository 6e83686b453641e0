package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// addressWatch is a netlink socket that hears of changes to IPv6 addresses
// (RTMGRP_IPV6_IFADDR in rtnetlink(7)). Here the runtime's poller is the cheap way: while a
// thread waits in a call of its own, the runtime keeps looking whether it has come back.
type addressWatch struct{ socket *os.File }

var _ watch = addressWatch{}

func (netlinkKernel) Watch() (watch, error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("watch the addresses: %w", os.NewSyscallError("socket", err))
	}
	group := &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_IPV6_IFADDR - 1)}
	if err := unix.Bind(socket, group); err != nil {
		unix.Close(socket)
		return nil, fmt.Errorf("watch the addresses: %w", os.NewSyscallError("bind", err))
	}
	return addressWatch{os.NewFile(uintptr(socket), "netlink")}, nil
}

// Wait forgets what it is told: the caller looks for itself. More than the socket could hold
// (ENOBUFS) is a change as well.
func (w addressWatch) Wait(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := w.socket.SetReadDeadline(deadline); err != nil {
			return fmt.Errorf("limit the wait: %w", err)
		}
	}
	_, err := w.socket.Read(make([]byte, os.Getpagesize()))
	switch {
	case err == nil, errors.Is(err, unix.ENOBUFS):
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return context.DeadlineExceeded
	default:
		return err
	}
}

func (w addressWatch) Close() error { return w.socket.Close() }
