package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// tailLines is how much of the log is searched for a cause: a failed start of a
// server with Galera writes about 200 lines.
const (
	tailLines = "500"
	tailBytes = 64 << 10
)

// syncTime is what a journal that does not answer may take of causeTime: what it has can be read
// without it.
const syncTime = 400 * time.Millisecond

// Cause implements Server.
func (s *systemd) Cause(ctx context.Context) string {
	if s.log != "" {
		tail, err := bounded(ctx, s.log, func() (string, error) { return logTail(s.log), nil })
		if cause := causeIn(tail); err == nil && cause != "" {
			return cause
		}
	}
	if s.started.IsZero() {
		return ""
	}
	// The journal's own library needs cgo; its client runs only after a failure. What the server said
	// last may still be on its way into the journal, behind what a state transfer said.
	syncing, cancel := context.WithTimeout(ctx, syncTime)
	_ = exec.CommandContext(syncing, "journalctl", "--sync").Run() // journalctl(1); if that fails, there is what there is
	cancel()
	cmd := exec.CommandContext(ctx, "journalctl", "--unit", unitName, "--no-pager", "--output=cat",
		"--lines", tailLines, "--since=@"+strconv.FormatInt(s.started.Unix(), 10))
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return causeIn(string(out))
}

// logTail is the part of the server's log file that belongs to its last start.
func logTail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	start := max(0, info.Size()-tailBytes)
	buf := make([]byte, info.Size()-start)
	n, _ := f.ReadAt(buf, start)
	tail := string(buf[:n])
	if at := strings.LastIndex(tail, "Starting MariaDB"); at >= 0 {
		tail = tail[at:]
	}
	return tail
}
