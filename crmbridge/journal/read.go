package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
)

// Range is which entries to read, by the time that journald wrote them. A zero time is
// no limit.
type Range struct{ Since, Until time.Time }

// Read reads this node's journal if there are no paths, and otherwise each of them: a
// directory of journals, a journal, or a file that journalctl -o json or -o export made.
func Read(ctx context.Context, within Range, paths ...string) (*Log, error) {
	l := &Log{}
	if len(paths) == 0 {
		if err := l.journalctl(ctx, within); err != nil {
			return nil, fmt.Errorf("read this node's journal: %w", err)
		}
	}
	for _, path := range paths {
		if err := l.path(ctx, within, path); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	l.sort()
	return l, nil
}

// signature begins every journal (systemd, Journal File Format).
const signature = "LPKSHHRH"

func (l *Log) path(ctx context.Context, within Range, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return l.journalctl(ctx, within, "--directory="+path)
	}
	in := bufio.NewReader(f)
	switch begin, _ := in.Peek(len(signature)); {
	case string(begin) == signature:
		return l.journalctl(ctx, within, "--file="+path)
	case bytes.HasPrefix(begin, []byte("{")):
		return parseJSON(in, l.within(within))
	}
	return parseExport(in, l.within(within))
}

// within takes the entries of a range.
func (l *Log) within(r Range) func(map[string]string) error {
	return func(fields map[string]string) error {
		before := len(l.entries)
		if err := l.add(fields); err != nil || len(l.entries) == before {
			return err
		}
		if at := l.entries[before].Written; !r.Since.IsZero() && at.Before(r.Since) || !r.Until.IsZero() && at.After(r.Until) {
			l.entries = l.entries[:before]
		}
		return nil
	}
}

// journalctl has journalctl read journals.
func (l *Log) journalctl(ctx context.Context, within Range, where ...string) error {
	args := append([]string{fieldSyslog + "=" + Identifier}, where...)
	if !within.Since.IsZero() {
		args = append(args, fmt.Sprintf("--since=@%d", within.Since.Unix()))
	}
	if !within.Until.IsZero() {
		args = append(args, fmt.Sprintf("--until=@%d", within.Until.Unix()+1))
	}
	return l.run(ctx, l.within(within), args...)
}

// Newest is the newest entry of a node in this machine's journal; the zero Head if there
// is none.
func Newest(ctx context.Context, node string) (Head, error) {
	l, err := newest(ctx, node)
	if err != nil {
		return Head{}, fmt.Errorf("read the newest entry in the journal: %w", err)
	}
	return l.Head(node), nil
}

// NewestRecord is the newest record that a node wrote to this machine's journal; false if there is
// none.
func NewestRecord(ctx context.Context, node string) (incident.Record, bool, error) {
	l, err := newest(ctx, node, fieldType+"="+typeRecord)
	if err != nil {
		return incident.Record{}, false, fmt.Errorf("read the newest record in the journal: %w", err)
	}
	records, err := l.Records()
	if err != nil || len(records) == 0 {
		return incident.Record{}, false, err
	}
	return records[0], true, nil
}

// NewestOf is the newest event of some kinds about a node itself in its machine's journal; false if there is
// none.
func NewestOf(ctx context.Context, node string, kinds ...incident.Kind) (incident.Event, bool, error) {
	fields := []string{fieldType + "=" + typeEvent, fieldSubject + "=" + node}
	for _, kind := range kinds {
		fields = append(fields, fieldKind+"="+string(kind)) // of one field, any (journalctl(1))
	}
	l, err := newest(ctx, node, fields...)
	if err != nil {
		return incident.Event{}, false, fmt.Errorf("read the newest event of %s in the journal: %w", node, err)
	}
	events, err := l.Events(node)
	if err != nil || len(events) == 0 {
		return incident.Event{}, false, err
	}
	return events[0], true, nil
}

// newest reads the newest entry of a node that has certain fields besides.
func newest(ctx context.Context, node string, fields ...string) (*Log, error) {
	l := &Log{}
	matches := append([]string{fieldSyslog + "=" + Identifier, fieldNode + "=" + node, "_SYSTEMD_UNIT=" + Unit}, fields...)
	return l, l.run(ctx, l.add, append([]string{"--lines=1"}, matches...)...)
}

// run has journalctl print entries. --all gives fields of any length.
func (l *Log) run(ctx context.Context, each func(map[string]string) error, args ...string) error {
	cmd := exec.CommandContext(ctx, "journalctl", append([]string{"--output=json", "--all", "--no-pager", "--quiet"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start journalctl: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start journalctl: %w", err)
	}
	parsing := parseJSON(out, each)
	if parsing != nil {
		_, _ = io.Copy(io.Discard, out) // so that it can end
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("journalctl: %w", errors.Join(err, words(stderr.String())))
	}
	return parsing
}

// words is what a program said about its failure.
func words(text string) error {
	if text = strings.TrimSpace(text); text != "" {
		return errors.New(text)
	}
	return nil
}
