package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"holdfast/tests/contract/testbed"
	"holdfast/tests/lab"
)

const (
	stateDir     = "build/bench-lab"
	inNode       = "/var/tmp/holdfast-bench"
	downTimeout  = time.Minute
	roundTimeout = 5 * time.Minute
	// tracedRounds is how many rounds run under ptrace: what they count hardly varies.
	tracedRounds = 3
)

// measureInLab is the half outside: the lab, the report.
func measureInLab(ctx context.Context, opts options, stdout, stderr io.Writer) (err error) {
	debs, err := testbed.Packages()
	if err != nil {
		return err
	}
	l, err := lab.Start(ctx, lab.Options{State: stateDir, Debs: debs, Progress: stderr, Replace: true, DieWithParent: true})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
		defer cancel()
		err = errors.Join(err, l.Down(ctx))
	}()
	fmt.Fprintf(stderr, "preparing %s: a cluster of one node, spare interfaces\n", testbed.Database)
	if err := prepare(ctx, l); err != nil {
		return err
	}
	if err := circumstances(ctx, l, stdout); err != nil {
		return err
	}
	var samples []sample
	for _, series := range opts.toMeasure() {
		more, err := runSeries(ctx, l, series, opts.count, stderr)
		if err != nil {
			return err
		}
		samples = append(samples, more...)
	}
	rows := compare(samples)
	if err := printTable(stdout, rows); err != nil {
		return err
	}
	return writeJSON(opts.file, rows)
}

// circumstances says what was measured, and on what: a figure without them is none.
func circumstances(ctx context.Context, l *lab.Lab, out io.Writer) error {
	packages, err := l.Exec(ctx, testbed.Database, "dpkg-query", "--show", "--showformat=${Package} ${Version}, ",
		"holdfast-agents", "resource-agents", "pacemaker", "mariadb-server", "galera-4")
	if err != nil {
		return fmt.Errorf("ask %s for its packages: %w", testbed.Database, err)
	}
	kernel, err := l.Exec(ctx, testbed.Database, "uname", "--kernel-release", "--machine")
	if err != nil {
		return fmt.Errorf("ask %s for its kernel: %w", testbed.Database, err)
	}
	tree := "no git checkout"
	if text, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--tags").Output(); err == nil {
		tree = strings.TrimSpace(string(text))
	}
	_, err = fmt.Fprintf(out, "%s\ntree %s: %sLinux %s, %d cores, %s\n\n", time.Now().UTC().Format(time.DateTime+" UTC"), tree,
		packages, strings.TrimSpace(kernel), runtime.NumCPU(), runtime.Version())
	return err
}

// prepare makes one node ready for both series and switches the others off, so that they use no CPU meanwhile.
func prepare(ctx context.Context, l *lab.Lab) error {
	for _, n := range lab.Nodes() {
		if n.Name == testbed.Database {
			continue
		}
		if err := l.PowerOff(ctx, n.Name); err != nil {
			return err
		}
	}
	if err := testbed.AddDatabase(ctx, l); err != nil {
		return err
	}
	if err := testbed.AddWires(ctx, l, testbed.Database); err != nil {
		return err
	}
	if err := testbed.AddAddresses(ctx, l, testbed.Database); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to copy it into the node: %w", err)
	}
	if err := l.Put(ctx, testbed.Database, self, inNode); err != nil {
		return err
	}
	_, err = l.Exec(ctx, testbed.Database, "chmod", "755", inNode)
	return err
}

// runSeries runs a series in the node, round by round.
func runSeries(ctx context.Context, l *lab.Lab, series string, count int, progress io.Writer) ([]sample, error) {
	var samples []sample
	for n := range count + tracedRounds {
		traced := n >= count
		what := "measuring"
		if traced {
			what = "counting"
		}
		begun := time.Now()
		more, err := runRound(ctx, l, series, n, traced)
		if err != nil {
			return nil, err
		}
		samples = append(samples, more...)
		fmt.Fprintf(progress, "%s series, round %d of %d, %s: %.1f s\n", series, n+1, count+tracedRounds, what, time.Since(begun).Seconds())
	}
	return samples, nil
}

func runRound(ctx context.Context, l *lab.Lab, series string, n int, traced bool) ([]sample, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	out, err := l.Exec(ctx, testbed.Database, inNode, inside, "--series="+series, fmt.Sprintf("--round=%d", n), fmt.Sprintf("--trace=%t", traced))
	if err != nil {
		return nil, fmt.Errorf("measure in the node: %w", err)
	}
	return parseSamples([]byte(out))
}

// parseSamples reads what the half in the node wrote.
func parseSamples(text []byte) ([]sample, error) {
	var samples []sample
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var s sample
		err := dec.Decode(&s)
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the samples from the node: %w", err)
		}
		samples = append(samples, s)
	}
}
