package journalctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/journal"
)

// inside is what the test binary is run with beside a journald of its own, and said what
// it is run with to write an entry there.
const (
	inside    = "beside-journald"
	said      = "say"
	messageID = "0123456789abcdef0123456789abcdef"
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == inside:
		err = besideJournald(context.Background())
	case len(os.Args) == 3 && os.Args[1] == said:
		err = journal.Send(os.Args[2], journal.PriNotice, map[string]string{"MESSAGE_ID": messageID, "HOLDFAST_PROBE_ANSWER": "bad", "OTHER": "x"})
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestFollowBesideJournald follows a real journald, which runs in a mount namespace with a
// /run of its own and touches nothing of this machine: an entry of root by its MESSAGE_ID
// with its fields, and not one of somebody else.
func TestFollowBesideJournald(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `set -eu
mount -t tmpfs none /run
mount -t tmpfs none /var/log
mkdir -p /run/systemd/journal /run/log/journal /run/test
cp "$1" /run/test/self
chmod 755 /run/test /run/test/self
/lib/systemd/systemd-journald &
daemon=$!
status=0
/run/test/self ` + inside + ` || status=$?
kill "$daemon"
wait "$daemon" || true
exit "$status"`
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", self).CombinedOutput()
	if err != nil {
		t.Fatalf("beside a journald (this needs root, unshare and systemd): %v\n%s", err, out)
	}
}

func besideJournald(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for !journal.Enabled() {
		if err := pause(ctx); err != nil {
			return fmt.Errorf("no journald: %w", err)
		}
	}
	heard := make(chan Line, 100)
	ended := make(chan error, 1)
	f := Filter{Units: []string{"mariadb.service"}, Identifiers: []string{"mariadbd"}, Messages: []string{messageID}, Fields: []string{"HOLDFAST_PROBE_ANSWER"}}
	go func() {
		ended <- Follow(ctx, f, func() {}, func(l Line) { heard <- l })
	}()
	for {
		// journalctl runs before it follows: say it until it is heard.
		if err := errors.Join(say(ctx, "nobody", "nobody is heard"), say(ctx, "root", "root is heard")); err != nil {
			return err
		}
		select {
		case l := <-heard:
			if l.Message != "root is heard" || l.MessageID != messageID || len(l.Fields) != 1 || l.Fields["HOLDFAST_PROBE_ANSWER"] != "bad" {
				return fmt.Errorf("heard %+v", l)
			}
			return besideWhatWasSaid(ctx, f)
		case err := <-ended:
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// besideWhatWasSaid looks back for it.
func besideWhatWasSaid(ctx context.Context, f Filter) error {
	l, found, err := Newest(ctx, f, "is heard")
	if err != nil || !found || l.Message != "root is heard" {
		return fmt.Errorf("the newest entry is %+v (%v), %w", l, found, err)
	}
	if l, found, err := Newest(ctx, f, "is.heard"); err != nil || found {
		return fmt.Errorf("what nobody said is %+v (%v), %w", l, found, err)
	}
	now := time.Now()
	if err := say(ctx, "root", "said afterwards"); err != nil {
		return err
	}
	if l, found, err := Before(ctx, now); err != nil || !found || l.At.After(now) || l.Message == "said afterwards" {
		return fmt.Errorf("the newest entry before %v is %+v (%v), %w", now, l, found, err)
	}
	if l, found, err := Before(ctx, now.Add(-24*time.Hour)); err != nil || found {
		return fmt.Errorf("the newest entry of yesterday is %+v (%v), %w", l, found, err)
	}
	return nil
}

func say(ctx context.Context, who, what string) error {
	out, err := exec.CommandContext(ctx, "setpriv", "--reuid="+who, "--clear-groups", "--regid=nogroup", "/run/test/self", said, what).CombinedOutput()
	if err != nil {
		return fmt.Errorf("say %q as %s: %w: %s", what, who, err, out)
	}
	return nil
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(20 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
