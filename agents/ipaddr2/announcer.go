package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program announces by starting holdfast's announce (agents/announce), which goes on
// after the agent has ended.
type program struct {
	path      string
	directory string // of the notes
}

var _ announcer = program{}

// answerTime is how long the first announcement may take.
const answerTime = 5 * time.Second

func (p program) Announce(ctx context.Context, a announcement) error {
	args := []string{
		"send", a.link.Name, strconv.Itoa(a.link.Index), net.HardwareAddr(a.link.HardwareAddr).String(),
		a.ip.String(), strconv.Itoa(a.count), a.interval.String(), runDirectory{p.directory}.file(a.resource, a.kind),
	}
	for _, peer := range a.peers {
		args = append(args, peer.String())
	}
	_, err := p.ask(ctx, answerTime, args...)
	return err
}

func (p program) Holder(ctx context.Context, link string, ip netip.Addr, wait time.Duration) (string, error) {
	return p.ask(ctx, wait+answerTime, "holder", link, ip.String(), wait.String())
}

// ask starts the program in a session of its own and returns the one line that it says.
func (p program) ask(ctx context.Context, limit time.Duration, args ...string) (string, error) {
	answer, output, err := os.Pipe()
	if err != nil {
		return "", fmt.Errorf("make a pipe to %s: %w", p.path, err)
	}
	defer answer.Close()
	err = start(p.path, args, output)
	output.Close()
	if err != nil {
		return "", fmt.Errorf("run %s: %w; is holdfast-agents installed whole?", p.path, err)
	}
	until := time.Now().Add(limit)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	if err := answer.SetReadDeadline(until); err != nil {
		return "", fmt.Errorf("limit the wait for %s: %w", p.path, err)
	}
	line, err := bufio.NewReader(answer).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s %s said nothing: %w", p.path, args[0], err)
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if word != "ok" {
		return "", errors.New(rest)
	}
	return rest, nil
}

// start does not use os/exec, which would watch the process: Pacemaker waits for nobody
// but the agent, and nothing of it may stay open in the program.
func start(path string, args []string, output *os.File) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	_, err = syscall.ForkExec(path, append([]string{path}, args...), &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"GOMAXPROCS=1", "GOGC=off"}, // it only sleeps and sends
		Files: []uintptr{null.Fd(), output.Fd(), null.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	return err
}
