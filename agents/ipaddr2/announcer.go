package main

import (
	"bytes"
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

	"golang.org/x/sys/unix"
)

// program announces by starting holdfast's announce (agents/announce), which goes on
// after the agent has ended.
type program struct {
	path      string
	directory string // of the notes
}

var _ announcer = program{}

func (p program) Announce(a announcement) error {
	note, err := runDirectory{p.directory}.claim(a.resource, a.kind)
	if err != nil {
		return err
	}
	defer unix.Close(note)
	verb := "send"
	if a.ip.Is4() {
		if err := sayOnce(a); err != nil {
			return err
		}
		if a.count--; a.count < 1 {
			return nil
		}
		verb = "resend"
	}
	args := []string{
		verb, a.link.Name, strconv.Itoa(a.link.Index), net.HardwareAddr(a.link.HardwareAddr).String(),
		a.ip.String(), strconv.Itoa(a.count), a.interval.String(),
	}
	for _, peer := range a.peers {
		args = append(args, peer.String())
	}
	return p.start(args, note)
}

// answerTime is how long the program may take beside what it waits for.
const answerTime = 5 * time.Second

// Holder starts the program in a session of its own and returns the one line that it says.
func (p program) Holder(ctx context.Context, link string, ip netip.Addr, wait time.Duration) (string, error) {
	limit := wait + answerTime
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return "", fmt.Errorf("make a pipe to %s: %w", p.path, err)
	}
	defer unix.Close(pipe[0])
	err := p.start([]string{"holder", link, ip.String(), wait.String()}, pipe[1])
	unix.Close(pipe[1])
	if err != nil {
		return "", err
	}
	if d, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(d))
	}
	line, err := readLine(pipe[0], limit)
	if err != nil {
		return "", fmt.Errorf("%s holder: %w", p.path, err)
	}
	word, rest, _ := strings.Cut(line, " ")
	if word != "ok" {
		return "", errors.New(rest)
	}
	return rest, nil
}

// readLine reads a short line.
func readLine(pipe int, limit time.Duration) (string, error) {
	var text []byte
	for end := time.Now().Add(limit); !bytes.Contains(text, []byte("\n")); {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(pipe), Events: unix.POLLIN}}, int(max(time.Until(end).Milliseconds(), 0)))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return "", os.NewSyscallError("poll", err)
		}
		if ready == 0 {
			return "", fmt.Errorf("no answer in %v", limit)
		}
		var buffer [512]byte
		n, err := unix.Read(pipe, buffer[:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return "", os.NewSyscallError("read", err)
		}
		if n == 0 {
			return "", errors.New("it ended without a word")
		}
		text = append(text, buffer[:max(n, 0)]...)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line, nil
}

// start does not use os/exec, which would watch the process: Pacemaker waits for nobody
// but the agent, and nothing of it may stay open in the program. That gets one file, as
// descriptor 3 and as its standard output.
func (p program) start(args []string, file int) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer unix.Close(null)
	_, err = syscall.ForkExec(p.path, append([]string{p.path}, args...), &syscall.ProcAttr{
		Dir:   "/",
		Env:   []string{"GOMAXPROCS=1", "GOGC=off"}, // it only sleeps and sends
		Files: []uintptr{uintptr(null), uintptr(file), uintptr(null), uintptr(file)},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("run %s: %w; is holdfast-agents installed whole?", p.path, err)
	}
	return nil
}
