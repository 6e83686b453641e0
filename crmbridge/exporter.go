package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/metrics"
)

// counted is an output that also counts.
type counted struct {
	output
	set *metrics.Set
}

// WriteEvent writes an event, and counts it.
func (c counted) WriteEvent(e incident.Event) error {
	c.set.Event(e)
	return c.output.WriteEvent(e)
}

// WriteRecord writes a record, and counts it.
func (c counted) WriteRecord(r incident.Record) error {
	c.set.Record(r)
	return c.output.WriteRecord(r)
}

// scrapeTimeout is how long a client of the metrics may take for anything.
const scrapeTimeout = 5 * time.Second

// export serves metrics at an address, unix:PATH or HOST:PORT, until ctx ends. It returns
// when the address can be connected to.
func export(ctx context.Context, address string, set *metrics.Set, log *slog.Logger) error {
	listener, err := listen(ctx, address)
	if err != nil {
		return fmt.Errorf("serve metrics at %s: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = set.WriteTo(w) // a client that is gone has no remedy
	})
	server := &http.Server{
		Handler: mux, ReadTimeout: scrapeTimeout, WriteTimeout: scrapeTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("no more metrics", "error", err)
		}
	}()
	return nil
}

// listen opens a socket. One in the file system is readable for everybody who can reach
// its directory, as metrics are.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	path, local := strings.CutPrefix(address, "unix:")
	if !local {
		return config.Listen(ctx, "tcp", address)
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if err := os.Remove(path); err != nil { // of a daemon before this one
			return nil, err
		}
	}
	listener, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil { //nolint:gosec // see above
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}
