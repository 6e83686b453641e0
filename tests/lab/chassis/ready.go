package chassis

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// readyLimit is how long a node may take to boot before it is taken for one that runs.
const readyLimit = 2 * time.Minute

// readySocket hears from a node's init that the node has booted, by way of nspawn (systemd-nspawn(1), --notify-ready; sd_notify(3)).
type readySocket struct {
	path string
	conn *net.UnixConn
}

// listenReady listens in dir.
func listenReady(dir, node string) (*readySocket, error) {
	path := filepath.Join(dir, node+".notify")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the notification socket of an earlier boot: %w", err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("listen for the node's notifications: %w", err)
	}
	return &readySocket{path: path, conn: conn}, nil
}

// await returns when the node has booted, when gone is closed, or after readyLimit.
func (s *readySocket) await(gone <-chan struct{}) {
	defer s.conn.Close()
	_ = s.conn.SetReadDeadline(time.Now().Add(readyLimit))
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-gone:
			_ = s.conn.SetReadDeadline(time.Now())
		case <-stop:
		}
	}()
	message := make([]byte, 4096)
	for {
		n, err := s.conn.Read(message)
		if err != nil || isReady(string(message[:n])) {
			return
		}
	}
}

// isReady reads a notification (sd_notify(3)): assignments, one a line.
func isReady(message string) bool {
	return slices.Contains(strings.Split(message, "\n"), "READY=1")
}
