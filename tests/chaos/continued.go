package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"holdfast/tests/chaos/result"
)

// What a campaign needs to go on after it was cut off.
const (
	headFile       = "run.json"    // the run without its repetitions
	repetitionsDir = "repetitions" // one file for each that is over, with everything
	leftOut        = "not run: "   // begins the settings that say which faults cannot be done
)

func repetitionFile(f result.Fault) string {
	return filepath.Join(repetitionsDir, fmt.Sprintf("%s-%d.json.gz", f.Name, f.Repetition))
}

// keep writes a repetition that is over, whatever came of it.
func (a *artifacts) keep(f result.Fault) error {
	if a.dir == "" {
		return nil
	}
	return a.replace(repetitionFile(f), func(w io.Writer) error {
		zipped := gzip.NewWriter(w)
		return errors.Join(json.NewEncoder(zipped).Encode(f), zipped.Close())
	})
}

// begin writes what the repetitions to come have in common.
func (a *artifacts) begin(run result.Run) error {
	if a.dir == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(a.dir, repetitionsDir), 0o755); err != nil {
		return fmt.Errorf("make a directory for the repetitions: %w", err)
	}
	run.Faults = nil
	return a.replace(headFile, func(w io.Writer) error { return writeJSON(w, run) })
}

// unfinished reads a run that was cut off, its repetitions in the order in which
// they were done; false when there is none in the directory.
func unfinished(dir string) (result.Run, bool, error) {
	var run result.Run
	content, err := os.ReadFile(filepath.Join(dir, headFile))
	if errors.Is(err, fs.ErrNotExist) {
		return run, false, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &run)
	}
	if err != nil {
		return run, false, fmt.Errorf("read the run that was cut off: %s: %w", filepath.Join(dir, headFile), err)
	}
	files, err := filepath.Glob(filepath.Join(dir, repetitionsDir, "*.json.gz"))
	if err != nil {
		return run, false, fmt.Errorf("look for the repetitions of %s: %w", dir, err)
	}
	for _, file := range files {
		f, err := readRepetition(file)
		if err != nil {
			return run, false, fmt.Errorf("read the repetition %s: %w: delete it to have it done again", file, err)
		}
		run.Faults = append(run.Faults, f)
	}
	slices.SortFunc(run.Faults, func(a, b result.Fault) int { return a.Injected.Compare(b.Injected) })
	return run, true, nil
}

func readRepetition(file string) (result.Fault, error) {
	var f result.Fault
	content, err := os.ReadFile(file)
	if err != nil {
		return f, err
	}
	zipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return f, err
	}
	if err := json.NewDecoder(zipped).Decode(&f); err != nil {
		return f, err
	}
	return f, zipped.Close()
}

// over says whether a repetition that was kept need not be done again: one that a signal cut short is,
// unless something was found in it.
func over(f result.Fault) bool { return !f.Stopped || f.Lost > 0 || len(f.Violations) > 0 }

// takeUp takes up a run that was cut off, if it was of the same programs,
// settings and machines: figures of different ones do not belong in one table.
func (c *campaign) takeUp(earlier result.Run) error {
	if why := different(earlier, c.run); why != "" {
		return startError("could not go on with the run in %s: %s: leave out --continue, or give --out another directory", c.opt.outDir, why)
	}
	for name, value := range earlier.Settings {
		if strings.HasPrefix(name, leftOut) {
			c.run.Settings[name] = value
		}
	}
	c.run.ID, c.run.Started, c.run.Faults = earlier.ID, earlier.Started, slices.DeleteFunc(earlier.Faults, func(f result.Fault) bool { return !over(f) })
	return nil
}

// different says why two runs do not belong together; empty when they do.
func different(earlier, now result.Run) string {
	if why := differentPairs("version of", earlier.Versions, now.Versions); why != "" {
		return why
	}
	settled := func(m map[string]string) map[string]string {
		m = maps.Clone(m)
		maps.DeleteFunc(m, func(name, _ string) bool { return strings.HasPrefix(name, leftOut) })
		return m
	}
	if why := differentPairs("setting", settled(earlier.Settings), settled(now.Settings)); why != "" {
		return why
	}
	switch {
	case earlier.Address != now.Address || !slices.Equal(earlier.Nodes, now.Nodes):
		return "it was of another cluster"
	case earlier.Interval != now.Interval || earlier.Deadline != now.Deadline:
		return "--interval or --timeout was another"
	}
	return ""
}

func differentPairs(what string, earlier, now map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if earlier[name] != now[name] {
			return fmt.Sprintf("the %s %s was %q and is %q", what, name, earlier[name], now[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(earlier)) {
		if _, there := now[name]; !there {
			return fmt.Sprintf("the %s %s was %q and is not known", what, name, earlier[name])
		}
	}
	return ""
}

// done says whether a repetition is there already.
func (c *campaign) done(name string, number int) bool {
	return slices.ContainsFunc(c.run.Faults, func(f result.Fault) bool { return f.Name == name && f.Repetition == number })
}
