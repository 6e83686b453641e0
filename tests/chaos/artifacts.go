package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"holdfast/tests/chaos/junit"
	"holdfast/tests/chaos/monitor"
	"holdfast/tests/chaos/page"
	"holdfast/tests/chaos/result"
)

// The files of a directory of results.
const (
	summaryFile = "summary.json"
	pageFile    = "index.html"
	junitFile   = "junit.xml"
	logFile     = "log.txt"
	eventsFile  = "events.jsonl"
	ledgerFile  = "ledger.jsonl"
)

// artifacts is a directory of results; without one, only what people see.
type artifacts struct {
	dir    string
	screen *screen
	ledger io.Writer

	mu     sync.Mutex // guards events, which several goroutines write
	events io.Writer
	failed error
	files  []*os.File
}

// openArtifacts makes the directory. What was there before stays where a run goes
// on, and else makes room.
func openArtifacts(dir string, people io.Writer, goOn bool) (*artifacts, error) {
	a := &artifacts{dir: dir, screen: &screen{out: people}}
	if dir == "" {
		return a, nil
	}
	err := os.MkdirAll(dir, 0o755)
	mode := os.O_APPEND
	if !goOn {
		mode = os.O_TRUNC
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, headFile)), os.RemoveAll(filepath.Join(dir, repetitionsDir)))
	}
	if err != nil {
		return nil, startError("could not start: %w: give --out a directory that can be written", err)
	}
	for _, f := range []struct {
		name string
		set  func(io.Writer)
	}{
		{logFile, func(w io.Writer) { a.screen.out = io.MultiWriter(people, w) }},
		{eventsFile, func(w io.Writer) { a.events = w }},
		{ledgerFile, func(w io.Writer) { a.ledger = w }},
	} {
		file, err := os.OpenFile(filepath.Join(dir, f.name), os.O_WRONLY|os.O_CREATE|mode, 0o644)
		if err != nil {
			return nil, errors.Join(startError("could not start: %w: give --out a directory that can be written", err), a.close())
		}
		a.files = append(a.files, file)
		f.set(file)
	}
	return a, nil
}

// eventLine is one line of events.jsonl.
type eventLine struct {
	At   time.Time     `json:"at"`
	Kind string        `json:"kind"`
	Node string        `json:"node,omitempty"`
	Text string        `json:"text,omitempty"`
	Done *result.Fault `json:"result,omitempty"` // of a repetition that is over, without its dots
}

// event writes a line. The first error stays and ends the campaign.
func (a *artifacts) event(l eventLine) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.events == nil || a.failed != nil {
		return
	}
	line, err := json.Marshal(l)
	if err == nil {
		_, err = a.events.Write(append(line, '\n'))
	}
	if err != nil {
		a.failed = fmt.Errorf("write %s: %w", filepath.Join(a.dir, eventsFile), err)
	}
}

// broken is why no more can be written.
func (a *artifacts) broken() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return cmp.Or(a.failed, a.screen.broken())
}

// hear tells an event of the monitor to people and to the file.
func (a *artifacts) hear(e monitor.Event) {
	text := e.Text
	if e.Node != "" && e.Kind != monitor.KindFault {
		text = e.Node + " " + text
	}
	a.screen.tell(e.At, kind(e.Kind), "%s", text)
	a.event(eventLine{At: e.At, Kind: e.Kind, Node: e.Node, Text: e.Text})
}

// deliver writes the files that are made from the whole run. It may be called
// again as the run grows; each file is replaced as a whole.
func (a *artifacts) deliver(run result.Run) error {
	if a.dir == "" {
		return nil
	}
	return errors.Join(a.tables(run), a.replace(pageFile, func(w io.Writer) error { return page.Write(w, run) }))
}

// tables writes those of the files that cost next to nothing; drawing the page of
// 150 repetitions takes a second of a processor that the cluster needs.
func (a *artifacts) tables(run result.Run) error {
	if a.dir == "" {
		return nil
	}
	return errors.Join(
		a.replace(summaryFile, func(w io.Writer) error { return writeJSON(w, summaries(run.Faults)) }),
		a.replace(junitFile, func(w io.Writer) error { return junit.Write(w, run) }),
		a.broken(),
	)
}

func (a *artifacts) replace(name string, write func(io.Writer) error) error {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	path := filepath.Join(a.dir, name)
	err := os.WriteFile(path+".new", content.Bytes(), 0o644)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func (a *artifacts) close() error {
	var failures []error
	for _, f := range a.files {
		failures = append(failures, f.Sync(), f.Close())
	}
	return errors.Join(failures...)
}

// summaries joins the repetitions of each fault, in the order of the first.
func summaries(faults []result.Fault) []result.Summary {
	all := []result.Summary{}
	at := map[string]int{}
	for _, f := range faults {
		i, known := at[f.Name]
		if !known {
			i = len(all)
			at[f.Name] = i
			all = append(all, result.Summary{Fault: f.Name, Interruption: []result.Milliseconds{}, Doubled: []result.Milliseconds{}, Violations: []result.Violation{}})
		}
		s := &all[i]
		s.N++
		if f.Error != "" {
			s.Errors++
		}
		// What a signal cut short would be a figure that is too good.
		if len(f.Clients) > 0 && !f.Stopped {
			s.Interruption = append(s.Interruption, f.Clients[0].Interruption)
		}
		s.Doubled = append(s.Doubled, f.LongestDoubled())
		s.Acked, s.Lost, s.Indeterminate = s.Acked+f.Acked, s.Lost+f.Lost, s.Indeterminate+f.Indeterminate
		s.Violations = append(s.Violations, f.Violations...)
	}
	return all
}
