package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// addressWatch is a netlink socket that hears of changes to IPv6 addresses
// (RTMGRP_IPV6_IFADDR in rtnetlink(7)). It is waited for with a plain poll(2): see the
// head of rtnetlink_linux.go.
type addressWatch struct{ socket int }

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
	return addressWatch{socket}, nil
}

func (w addressWatch) Wait(ctx context.Context) error {
	// With a processor to spare, the runtime looks some sixty times in 10 ms whether this
	// thread has come back; without one it sleeps. Nothing else is to be done meanwhile.
	runtime.GOMAXPROCS(1)
	for {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(w.socket), Events: unix.POLLIN}}, untilDeadline(ctx))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return os.NewSyscallError("poll", err)
		case ready > 0:
			return w.drain()
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// drain forgets what was told: it is looked at anew. More than the socket could hold
// (ENOBUFS) is a change as well.
func (w addressWatch) drain() error {
	buffer := make([]byte, os.Getpagesize())
	for {
		_, _, err := unix.Recvfrom(w.socket, buffer, 0)
		switch {
		case err == nil, errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOBUFS):
		case errors.Is(err, unix.EAGAIN):
			return nil
		default:
			return os.NewSyscallError("recvfrom", err)
		}
	}
}

func (w addressWatch) Close() error { return unix.Close(w.socket) }

// untilDeadline is in milliseconds, rounded up; -1, poll's word for ever, without a
// deadline.
func untilDeadline(ctx context.Context) int {
	d, ok := ctx.Deadline()
	if !ok {
		return -1
	}
	ms := math.Ceil(float64(time.Until(d)) / float64(time.Millisecond))
	return int(min(max(ms, 0), math.MaxInt32))
}
