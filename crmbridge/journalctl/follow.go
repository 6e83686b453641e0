package journalctl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// longestLine bounds an entry; a longer one ends the following with an error.
const longestLine = 4 << 20

// Follow runs journalctl and gives every new entry of some programs, by their
// identifiers, until ctx ends or journalctl does. Anybody can log under any identifier;
// only the units' own processes, which journald knows, are listened to. ready is called
// when it runs: entries from about then on are told.
func Follow(ctx context.Context, units, identifiers []string, ready func(), say func(Line)) error {
	machine, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		return fmt.Errorf("follow the journal: find which machine this is: %w", err)
	}
	// Without --merge, --follow only shows the boot that /proc names; in a container whose
	// /proc is protected that is the host's, and nothing is shown. With it, journals of other
	// machines that are kept here would be shown too.
	args := []string{"--follow", "--merge", "--lines=0", "--quiet", "--output=json", "--output-fields=" + wanted,
		"_MACHINE_ID=" + strings.TrimSpace(string(machine))}
	for _, i := range identifiers {
		args = append(args, "--identifier="+i)
	}
	for _, u := range units {
		args = append(args, "--unit="+u)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "journalctl", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
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
		if l, reading = Parse(lines.Bytes()); reading == nil {
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
