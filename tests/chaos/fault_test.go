package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hear collects what a command says.
type hear struct {
	mu    sync.Mutex
	lines []string
}

func (h *hear) tell(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

func (h *hear) heard(line string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.lines, line)
}

// eventually waits for a state, generously.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestRunFaultTellsOutputAndStatus(t *testing.T) {
	var h hear
	err := runFault(t.Context(), []string{"sh", "-c", "echo out; echo err >&2; exit 3"}, h.tell)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	eventually(t, "both lines are told", func() bool { return h.heard("out") && h.heard("err") })
}

func TestRunFaultDoesNotWaitForBackgroundProcesses(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	var h hear
	start := time.Now()
	err := runFault(t.Context(), []string{"sh", "-c", `sleep 300 & echo $! >"$0"`, pidFile}, h.tell)
	pid := readPid(t, pidFile)
	defer syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it is ours
	if err != nil || time.Since(start) > 30*time.Second {
		t.Errorf("returned %v after %v", err, time.Since(start))
	}
	if syscall.Kill(pid, 0) != nil {
		t.Error("the background process was ended: a fault may leave one on purpose")
	}
}

func TestRunFaultEndsTheWholeGroup(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	var h hear
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		eventually(t, "the command runs", func() bool { return h.heard("ready") })
		cancel()
	}()
	err := runFault(ctx, []string{"sh", "-c", `sleep 300 & echo $! >"$0"; echo ready; wait`, pidFile}, h.tell)
	if err == nil {
		t.Error("a command that was ended counts as done")
	}
	pid := readPid(t, pidFile)
	eventually(t, "its child is gone", func() bool { return !runs(pid) })
}

func readPid(t *testing.T, path string) int {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// runs says whether a process exists and is not a zombie that nobody reaps.
func runs(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
