package journalctl

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// longestLine bounds an entry; a longer one ends the following with an error.
const longestLine = 4 << 20

// Filter says which entries are wanted.
type Filter struct {
	// Units and Identifiers are whose words are wanted: of programs with one of these
	// names, in one of these units. Anybody can log under any identifier; only the units'
	// own processes, which journald knows, are listened to.
	Units, Identifiers []string
	// Messages are the MESSAGE_IDs that are wanted besides, if root wrote the entry.
	Messages []string
	// Fields are to be told with them.
	Fields []string
}

// matches are those of journalctl(1): different fields must all match, of one field any
// value, and what + separates are alternatives.
func (f Filter) matches(machine string) []string {
	group := func(matches []string, field string, values []string) []string {
		for _, v := range values {
			matches = append(matches, field+"="+v)
		}
		return matches
	}
	// Without --merge, --follow only shows the boot that /proc names; in a container whose
	// /proc is protected that is the host's, and nothing is shown. With it, journals of other
	// machines that are kept here would be shown too.
	here := []string{"_MACHINE_ID=" + machine}
	all := group(group(slices.Clone(here), "_SYSTEMD_UNIT", f.Units), "SYSLOG_IDENTIFIER", f.Identifiers)
	if len(f.Messages) > 0 {
		all = append(append(append(all, "+"), here...), group([]string{"_UID=0"}, "MESSAGE_ID", f.Messages)...)
	}
	return all
}

// command is journalctl with what is wanted.
func (f Filter) command(ctx context.Context, options ...string) (*exec.Cmd, error) {
	machine, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		return nil, fmt.Errorf("find which machine this is: %w", err)
	}
	fields := strings.Join(append(strings.Split(wanted, ","), f.Fields...), ",")
	args := append([]string{"--merge", "--quiet", "--output=json", "--output-fields=" + fields}, options...)
	cmd := exec.CommandContext(ctx, "journalctl", append(args, f.matches(strings.TrimSpace(string(machine)))...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// Newest is the newest entry that is wanted and has some words in it; false if there is none. It
// looks from the end backwards, and at everything if the words are nowhere.
func Newest(ctx context.Context, f Filter, words string) (Line, bool, error) {
	l, found, err := f.one(ctx, "--grep="+regexp.QuoteMeta(words))
	if err != nil {
		return Line{}, false, fmt.Errorf("look for %q in the journal: %w", words, err)
	}
	return l, found, nil
}

// Before is the newest entry of this machine from before a time, by anybody; false if there is none.
func Before(ctx context.Context, t time.Time) (Line, bool, error) {
	// Without --reverse systemd 252 counts the lines from the end of the journal.
	l, found, err := Filter{}.one(ctx, "--reverse", fmt.Sprintf("--until=@%d.%06d", t.Unix(), t.Nanosecond()/1000))
	if err != nil {
		return Line{}, false, fmt.Errorf("look for the newest line before %s in the journal: %w", t.Format(time.RFC3339), err)
	}
	return l, found, nil
}

// one is the newest entry that is wanted; false if there is none.
func (f Filter) one(ctx context.Context, options ...string) (Line, bool, error) {
	cmd, err := f.command(ctx, append(options, "--lines=1")...)
	if err != nil {
		return Line{}, false, err
	}
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 && len(out) == 0 {
		return Line{}, false, nil // as grep(1)
	}
	if err != nil {
		return Line{}, false, err
	}
	if len(bytes.TrimSpace(out)) == 0 {
		return Line{}, false, nil
	}
	l, err := Parse(out, f.Fields...)
	return l, err == nil, err
}

// Follow runs journalctl and gives every new entry that is wanted, until ctx ends or
// journalctl does. ready is called when it runs: entries from about then on are told.
func Follow(ctx context.Context, f Filter, ready func(), say func(Line)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, err := f.command(ctx, "--follow", "--lines=0")
	if err != nil {
		return fmt.Errorf("follow the journal: %w", err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("follow the journal: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("follow the journal: %w", err)
	}
	ready()
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 64<<10), longestLine)
	var reading error
	for reading == nil && lines.Scan() {
		var l Line
		if l, reading = Parse(lines.Bytes(), f.Fields...); reading == nil {
			say(l)
		}
	}
	cancel()
	ended := cmd.Wait()
	if err := errors.Join(reading, lines.Err()); err != nil {
		return fmt.Errorf("follow the journal: %w", err)
	}
	return fmt.Errorf("follow the journal: journalctl ended: %w: %s", ended, strings.TrimSpace(complaints.String()))
}
