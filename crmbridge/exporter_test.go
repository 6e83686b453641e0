package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/metrics"
)

func TestExporter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.sock")
	set := metrics.New("test")
	out := counted{newNarrator(io.Discard), set}
	if err := out.WriteRecord(incident.Record{ID: "a", Cause: incident.Cause{Kind: incident.NodeLost}, Outcome: incident.Restored}); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}, DisableKeepAlives: true}}
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		if err := export(ctx, "unix:"+path, set, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://node/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.Body.Close() != nil || !strings.Contains(string(text), `ha_cluster_incidents_total{cause="node-lost",planned="false",outcome="restored"} 1`) {
			t.Errorf("%v, %s", err, text)
		}
		cancel()
		for _, err := os.Stat(path); err == nil && t.Context().Err() == nil; _, err = os.Stat(path) {
			time.Sleep(time.Millisecond) // the socket goes with its server
		}
	}
	if err := export(t.Context(), "unix:/does/not/exist", set, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "serve metrics at") {
		t.Errorf("an address that cannot be: %v", err)
	}
}
