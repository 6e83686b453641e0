package qb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sharedMemory is where libqb keeps rings, in directories named after the server's and
// the client's process.
const sharedMemory = "/dev/shm"

// tidy removes the rings of a server that died without doing it: libqb leaves that to
// its clients (qb_ipcc_shm_disconnect), and a cluster whose daemons crash would fill
// its shared memory otherwise. What the server named is only removed if its name says
// that it is a ring of that very process.
func tidy(pid int32, rings []string) {
	if pid <= 0 || !dies(pid) {
		return
	}
	for _, base := range rings {
		directory := filepath.Dir(base)
		if !strings.HasPrefix(directory, fmt.Sprintf("%s/qb-%d-", sharedMemory, pid)) ||
			filepath.Dir(directory) != sharedMemory {
			continue
		}
		// Nothing depends on it, and another client may be faster.
		_ = os.Remove(base + "-header")
		_ = os.Remove(base + "-data")
		_ = os.Remove(directory)
	}
}

// dies tells whether a process is gone, or will be in a moment: its sockets close
// before its parent buries it.
func dies(pid int32) bool {
	for range 3 {
		if errors.Is(unix.Kill(int(pid), 0), unix.ESRCH) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
