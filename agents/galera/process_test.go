package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// asServer copies a program, so that it has a server's name.
func asServer(t *testing.T, program string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "mariadbd")
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bin, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return bin
}

// A server is found by the directory that it works in.
func TestStrayServerIsFound(t *testing.T) {
	bin, datadir := asServer(t, "/bin/sleep"), t.TempDir()
	if pid := strayServer(datadir); pid != 0 {
		t.Errorf("process %d works in an empty directory", pid)
	}
	server := exec.CommandContext(t.Context(), bin, "60")
	server.Dir = datadir
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if pid := strayServer(datadir); pid != server.Process.Pid {
		t.Errorf("found %d, want %d", pid, server.Process.Pid)
	}
	if err := server.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = server.Wait()
	if pid := strayServer(datadir); pid != 0 {
		t.Errorf("process %d is found, but was killed", pid)
	}
}

// asHalfDead tells this test's own program to be a server that was killed while its disk does
// not answer.
const asHalfDead = "HOLDFAST_TEST_HALF_DEAD"

// A server that was killed is there as long as one of its threads waits for the disk.
func TestAKilledServerOnADeadDiskIsAlive(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, datadir := asServer(t, own), t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server := exec.CommandContext(ctx, bin)
	server.Dir, server.Env = datadir, append(os.Environ(), asHalfDead+"=1")
	in, err1 := server.StdinPipe()
	out, err2 := server.StdoutPipe()
	if err1 != nil || err2 != nil || server.Start() != nil {
		t.Fatal("it does not start")
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	pid := server.Process.Pid
	if state := processState(pid); state != 'Z' {
		t.Fatalf("its first thread is in state %c", state)
	}
	if !alive(pid) || strayServer(datadir) != pid {
		t.Errorf("alive %v, found %d; want process %d", alive(pid), strayServer(datadir), pid)
	}
	_ = in.Close()
	_ = server.Wait()
	if alive(pid) {
		t.Error("it has ended and counts as alive")
	}
}

// The first thread of a program is only sure to be the one that runs while packages are initialised
// (runtime.LockOSThread); afterwards others may take every goroutine there is.
func init() { //nolint:gochecknoinits // see above
	if os.Getenv(asHalfDead) != "" {
		go endWithInput()
		_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	}
}

// endWithInput says when the first thread of this process has ended, and ends the others at the end of their input.
func endWithInput() {
	for processState(os.Getpid()) != 'Z' {
		time.Sleep(time.Millisecond)
	}
	_, _ = os.Stdout.WriteString("\n")
	_, _ = os.Stdin.Read(make([]byte, 1))
	os.Exit(0)
}
