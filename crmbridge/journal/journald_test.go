package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inside is what the test binary is run with beside a journald of its own.
const inside = "beside-journald"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == inside {
		if err := besideJournald(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestJournald writes to a real journald and reads its journal. journald runs in a mount
// namespace with a /run of its own, so that it touches nothing of this machine.
func TestJournald(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := filepath.Abs("../../packaging/journal/holdfast-crmbridge.catalog")
	if err != nil {
		t.Fatal(err)
	}
	const script = `set -eu
mount -t tmpfs none /run
mount -t tmpfs none /var/log
mkdir -p /run/systemd/journal /run/log/journal /run/catalog/usr/lib/systemd/catalog /run/catalog/var/lib/systemd/catalog
cp "$2" /run/catalog/usr/lib/systemd/catalog/
/lib/systemd/systemd-journald &
daemon=$!
status=0
"$1" ` + inside + ` || status=$?
kill "$daemon"
wait "$daemon" || true
exit "$status"`
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", self, catalog).CombinedOutput()
	if err != nil {
		t.Fatalf("beside a journald (this needs root, unshare and systemd): %v\n%s", err, out)
	}
}

func besideJournald(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if _, err := os.Stat("/run/systemd/journal/socket"); err == nil {
			break
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("no journald: %w", err)
		}
	}
	w, err := NewWriter("db1", "1.2", "/run/chain", Head{})
	if err != nil {
		return err
	}
	large := someRecord()
	large.Cause.Evidence[0].What = strings.Repeat("more than a datagram takes\n", 20000)
	if err := errors.Join(w.WriteEvent(someEvent(1)), w.WriteRecord(large), w.Close()); err != nil {
		return err
	}
	for {
		l, err := Read(ctx, Range{})
		if err != nil {
			return err
		}
		if l.Entries() == 4 {
			return judge(ctx, l, w.Head(), len(large.Cause.Evidence[0].What))
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("%d entries, want 4: %w", l.Entries(), err)
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(20 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func judge(ctx context.Context, l *Log, head Head, size int) error {
	if _, found := l.Verify(head); len(found) > 0 {
		return fmt.Errorf("findings: %+v", found)
	}
	records, err := l.Records()
	if err != nil {
		return err
	}
	if len(records) != 1 || len(records[0].Cause.Evidence[0].What) != size {
		return fmt.Errorf("records: %.300v", records)
	}
	if l.Head("db1") != head {
		return fmt.Errorf("head %+v, want %+v", l.Head("db1"), head)
	}
	const database = "/run/catalog/var/lib/systemd/catalog"
	if out, err := exec.CommandContext(ctx, "journalctl", "--update-catalog", "--root=/run/catalog").CombinedOutput(); err != nil {
		return fmt.Errorf("compile the catalog: %w: %s", err, out)
	}
	// journalctl looks for the compiled catalog at one place only.
	if out, err := exec.CommandContext(ctx, "mount", "--bind", database, "/var/lib/systemd/catalog").CombinedOutput(); err != nil {
		return fmt.Errorf("show journalctl the catalog: %w: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, "journalctl", "-x", "--no-pager", fieldType+"="+typeRecord).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "crmbridge show abcdefghij tells") {
		return fmt.Errorf("journalctl -x: %w\n%.2000s", err, out)
	}
	return nil
}
