package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// labctl is a lab without a cluster: what it is asked is in the file that it returns.
func labctl(t *testing.T, answer string) (program, asked string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "labctl")
	asked = program + ".asked"
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$*\" >>"+asked+"\n"+answer+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, asked
}

// nobody is an address at which nothing listens.
const nobody = "127.0.0.1:1"

// TestBadInput: each gets one sentence and its exit status, and nothing is injected.
func TestBadInput(t *testing.T) {
	denied, well := fakeServer{denied: true}.serve(t), fakeServer{}.serve(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	silent, asked := labctl(t, "echo no route to host >&2; exit 255")
	clean, _ := labctl(t, "cat <<'END'\n"+healthy(t)+"\nEND")
	standby, _ := labctl(t, `sed 's/standby="false"/standby="true"/' <<'END'
`+healthy(t)+`
END`)
	campaign := func(lab, address string, more ...string) []string {
		args := []string{"run", "planned-move", "--target", "lab", "--labctl", lab, "--address", address}
		for _, n := range []string{"db1=127.0.0.1:11", "db2=127.0.0.1:12", "db3=127.0.0.1:13"} {
			args = append(args, "--node", n)
		}
		return append(args, more...)
	}
	for _, test := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"a campaign, nobody at the address", campaign(silent, nobody), exitNoStart, "is MariaDB running there"},
		{"a run, nobody at the address", []string{"run", "--no-verify", "--address", nobody}, exitNoStart, "is MariaDB running there"},
		{"init, nobody at the address", []string{"init", "--address", nobody}, exitNoStart, "is MariaDB running there"},
		{"watch, nobody at the address", []string{"watch", "--address", nobody}, exitUnmeasured, "is MariaDB running there"},
		{"a campaign, wrong password", campaign(silent, denied), exitNoStart, "check --user and the password"},
		{"a run, wrong password", []string{"run", "--no-verify", "--address", denied}, exitNoStart, "check --user and the password"},
		{"init, wrong password", []string{"init", "--address", denied}, exitNoStart, "check --user and the password"},
		{"watch, wrong password", []string{"watch", "--address", denied}, exitUnmeasured, "check --user and the password"},
		{"no such fault", append(campaign(silent, well), "explosion"), exitUsage, `no fault is called "explosion"`},
		{"no node can be reached", campaign(silent, well), exitNoStart, "no node answers"},
		{"an unhealthy cluster", campaign(standby, well), exitNoStart, "the cluster is not healthy: db1 is on standby"},
		{"a campaign, --out that cannot be", campaign(clean, well, "--out", file), exitNoStart, "give --out a directory"},
		{"a campaign, --ledger that cannot be", campaign(clean, well, "--ledger", file+"/x"), exitNoStart, "give --ledger a file"},
		{"watch, --out that cannot be", []string{"watch", "--address", well, "--out", file}, exitUnmeasured, "give --out a directory"},
		{"watch, an impossible objective", []string{"watch", "--address", well, "--objective", "101%"}, exitUsage, "--objective"},
		{"watch, a window of nothing", []string{"watch", "--address", well, "--objective", "99%", "--window", "0d"}, exitUsage, "--window"},
		{"watch, a window without an objective", []string{"watch", "--address", well, "--window", "7d"}, exitUsage, "without --objective"},
		{"the ledger on a full disk", []string{"run", "--no-verify", "--address", well, "--before", "300ms", "--ledger", "/dev/full", "--", "touch", file + ".injected"}, exitNoStart, "no space left"},
	} {
		t.Run(test.name, func(t *testing.T) {
			undo := filepath.Join(t.TempDir(), "undo.json")
			if test.args[0] == "run" {
				i := len(test.args)
				if dashes := strings.Join(test.args, " "); strings.Contains(dashes, " -- ") {
					i -= 3
				}
				test.args = append(append(append([]string{}, test.args[:i]...), "--undo-file", undo), test.args[i:]...)
			}
			var stdout, stderr bytes.Buffer
			status := command(test.args, withPassword, &stdout, &stderr, nil)
			if said := stderr.String(); status != test.status || !strings.Contains(said, test.says) || strings.Count(said, "\n") != 1 {
				t.Errorf("status %d, want %d and a sentence with %q:\n%s", status, test.status, test.says, said)
			}
			if _, err := os.Stat(undo); err == nil {
				t.Error("something is noted as injected")
			}
		})
	}
	questions, err := os.ReadFile(asked)
	if err != nil || strings.Contains(string(questions), "crm_resource") {
		t.Errorf("the nodes were asked %s, %v", questions, err)
	}
	if _, err := os.Stat(file + ".injected"); err == nil {
		t.Error("a fault was injected although its ledger cannot be written")
	}
}

func healthy(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("pacemaker/testdata/healthy.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestALogOnAFullDisk: what people are to read cannot be written, so nothing is begun.
func TestALogOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	well, injected := fakeServer{}.serve(t), filepath.Join(t.TempDir(), "injected")
	var stderr bytes.Buffer
	status := command([]string{"run", "--no-verify", "--address", well, "--before", "300ms", "--", "touch", injected}, withPassword, full, &stderr, nil)
	if status != exitNoStart || !strings.Contains(stderr.String(), "no space left") || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("status %d: %s", status, stderr.String())
	}
	if _, err := os.Stat(injected); err == nil {
		t.Error("a fault was injected although nobody can read of it")
	}
	stderr.Reset()
	if status := command([]string{"watch", "--address", well, "--duration", "300ms"}, withPassword, full, &stderr, nil); status != exitUnmeasured || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("watch: status %d: %s", status, stderr.String())
	}
}

// TestWatchStatus: an address is all that it needs, and 0, 1 and 2 are kept, breached and not known.
func TestWatchStatus(t *testing.T) {
	t.Parallel()
	away := func(from, to time.Duration) func(time.Duration) bool {
		return func(since time.Duration) bool { return since > from && since < to }
	}
	const second = time.Second
	for _, test := range []struct {
		name   string
		server fakeServer
		args   []string
		status int
		says   string
	}{
		{"nothing promised", fakeServer{}, nil, exitOK, "availability   "},
		{"kept", fakeServer{}, []string{"--objective", "99.95%", "--window", "30d", "--max-interruption", "2s"}, exitOK, "met: "},
		{"within the budget of a month", fakeServer{away: away(second/2, second)}, []string{"--objective", "99.95%", "--window", "30d"}, exitOK, "met: "},
		{"longer than promised", fakeServer{away: away(second/2, second)}, []string{"--max-interruption", "200ms"}, exitFailed, "breached"},
		{"more than the budget of a minute", fakeServer{away: away(second/2, second)}, []string{"--objective", "99.95%", "--window", "1m"}, exitFailed, "breached"},
		{"not back", fakeServer{away: away(second, time.Hour)}, []string{"--max-interruption", "2s"}, exitUnmeasured, "had no end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			args := append([]string{"watch", "--address", test.server.serve(t), "--interval", "20ms", "--threshold", "150ms", "--duration", "1600ms"}, test.args...)
			status := command(args, withPassword, &stdout, io.MultiWriter(&stdout, &stderr), nil)
			if status != test.status || !strings.Contains(stdout.String(), test.says) || strings.Count(stderr.String(), "\n") != min(test.status, 1) {
				t.Errorf("status %d, want %d and %q:\n%s", status, test.status, test.says, stdout.String())
			}
		})
	}
}
