package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"holdfast/crmbridge/incident"
)

// repetition is what the monitor measured of one fault; offsets are in milliseconds from Injected.
type repetition struct {
	Fault      string    `json:"fault"`
	Repetition int       `json:"repetition"`
	Targets    []string  `json:"targets"`
	Injected   time.Time `json:"injected"`
	To         float64   `json:"to"`
	Marks      []struct {
		Name string  `json:"name"`
		At   float64 `json:"at"`
	} `json:"marks"`
	Clients []struct {
		Kind         string  `json:"kind"`
		Interruption float64 `json:"interruption"`
	} `json:"clients"`
}

func (r repetition) at(ms float64) time.Time {
	return r.Injected.Add(time.Duration(ms * float64(time.Millisecond)))
}

// mark is when something was seen, or false.
func (r repetition) mark(name string) (time.Time, bool) {
	for _, m := range r.Marks {
		if m.Name == name {
			return r.at(m.At), true
		}
	}
	return time.Time{}, false
}

// interruption is what a client felt that connects anew each time, or false.
func (r repetition) interruption() (time.Duration, bool) {
	for _, c := range r.Clients {
		if c.Kind == "new-connection" {
			return time.Duration(c.Interruption * float64(time.Millisecond)), true
		}
	}
	return 0, false
}

// written is a record in a node's journal, and when it was put there.
type written struct {
	record incident.Record
	at     time.Time
}

// readRepetitions reads what the monitor measured, in the order of time.
func readRepetitions(dir string) ([]repetition, error) {
	files, err := filepath.Glob(filepath.Join(dir, "repetitions", "*.json.gz"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(fmt.Errorf("%s has no repetitions: give the directory that a campaign wrote", dir), err)
	}
	var all []repetition
	for _, file := range files {
		r, err := readRepetition(file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b repetition) int { return a.Injected.Compare(b.Injected) })
	return all, nil
}

func readRepetition(file string) (r repetition, err error) {
	f, err := os.Open(file)
	if err != nil {
		return r, err
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		return r, err
	}
	return r, json.NewDecoder(text).Decode(&r)
}

// readRecords reads what crmbridge wrote on all nodes.
func readRecords(dir string) ([]written, error) {
	files, err := filepath.Glob(filepath.Join(dir, "bridge", "*", "db*.json"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(fmt.Errorf("%s has no journals of crmbridge (bridge/*/db*.json)", dir), err)
	}
	var all []written
	for _, file := range files {
		records, err := readJournal(file)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		all = append(all, records...)
	}
	return all, nil
}

// readJournal reads one node's, as journalctl --output=json prints it.
func readJournal(file string) ([]written, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []written
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var entry struct {
			Record string `json:"CRMBRIDGE_RECORD"`
			At     string `json:"__REALTIME_TIMESTAMP"` // microseconds
		}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			return nil, err
		}
		if entry.Record == "" {
			continue
		}
		micro, err := strconv.ParseInt(entry.At, 10, 64)
		if err != nil {
			return nil, err
		}
		w := written{at: time.UnixMicro(micro)}
		if err := json.Unmarshal([]byte(entry.Record), &w.record); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, lines.Err()
}
