package agree

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/tests/chaos/result"
)

// Campaign is what is laid side by side.
type Campaign struct {
	Repetitions []result.Fault    // in the order in which they were done
	Records     []incident.Record // as crmbridge history merged them
	Writings    []Writing
	Prompt      []time.Duration // of each entry about an operation, after Pacemaker's own log of it

	endings []entry
}

// entry is when journald had an entry about the end of an operation.
type entry struct {
	outcome
	at time.Time
}

// Writing is one revision of a record, as one node wrote it.
type Writing struct {
	Node   string
	At     time.Time // by journald
	Record incident.Record
}

// merged is the file with the merged records, in each part of a campaign.
const merged = "failovers"

// Read reads the directory that chaos run --out and tests/demo/campaign fill. Its files
// may be compressed.
func Read(dir string) (Campaign, error) {
	var c Campaign
	files, err := jsonFiles(filepath.Join(dir, "repetitions"))
	if err != nil {
		return c, err
	}
	for _, file := range files {
		var f result.Fault
		if err := readJSON(file, &f); err != nil {
			return c, err
		}
		if f.Name == "" || f.Injected.IsZero() {
			return c, fmt.Errorf("%s is not a repetition: it does not say which fault was done when", file)
		}
		c.Repetitions = append(c.Repetitions, f)
	}
	slices.SortFunc(c.Repetitions, func(a, b result.Fault) int { return a.Injected.Compare(b.Injected) })
	if err := c.complete(dir); err != nil {
		return c, err
	}
	parts, err := os.ReadDir(filepath.Join(dir, "bridge"))
	if err != nil {
		return c, fmt.Errorf("read what crmbridge wrote: %w", err)
	}
	for _, part := range parts {
		if err := c.readPart(filepath.Join(dir, "bridge", part.Name())); err != nil {
			return c, err
		}
	}
	if len(c.Writings) == 0 {
		return c, fmt.Errorf("%s holds no record of any node", filepath.Join(dir, "bridge"))
	}
	return c, c.readLogs(dir)
}

// complete holds the repetitions that were read against the summary, if there is one: a
// campaign that was cut off has none.
func (c Campaign) complete(dir string) error {
	var summary []result.Summary
	err := readJSON(filepath.Join(dir, "summary.json"), &summary)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, s := range summary {
		n := 0
		for _, f := range c.Repetitions {
			if f.Name == s.Fault {
				n++
			}
		}
		if n != s.N {
			return fmt.Errorf("summary.json counts %d repetitions of %s, and %d are in %s", s.N, s.Fault, n, filepath.Join(dir, "repetitions"))
		}
	}
	return nil
}

// readPart reads what crmbridge wrote in one lab: the merged records and the journal of
// each node.
func (c *Campaign) readPart(dir string) error {
	files, err := jsonFiles(dir)
	if err != nil {
		return err
	}
	found := false
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), merged+".") {
			var records []incident.Record
			if err := readJSON(file, &records); err != nil {
				return err
			}
			c.Records, found = append(c.Records, records...), true
			continue
		}
		if err := c.readJournal(file); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%s has no %s.json: crmbridge history --output json --journal db1.json ... makes it", dir, merged)
	}
	return nil
}

// written is an entry of crmbridge, as journalctl --output=json gives it.
type written struct {
	Type   string `json:"CRMBRIDGE_TYPE"`
	Node   string `json:"CRMBRIDGE_NODE"`
	Record string `json:"CRMBRIDGE_RECORD"`
	Event  string `json:"CRMBRIDGE_EVENT"`
	Micros string `json:"__REALTIME_TIMESTAMP"`
}

// readJournal takes the records, and the ends of operations, from what journalctl --output=json gave.
func (c *Campaign) readJournal(file string) error {
	in, err := open(file)
	if err != nil {
		return fmt.Errorf("read a node's journal: %w", err)
	}
	defer in.Close()
	for lines, n := json.NewDecoder(in), 1; ; n++ {
		var w written
		err := lines.Decode(&w)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s, entry %d is not what journalctl --output=json gives: %w", file, n, err)
		}
		if err := c.take(w); err != nil {
			return fmt.Errorf("%s, entry %d %w", file, n, err)
		}
	}
}

func (c *Campaign) take(w written) error {
	if w.Type != "record" && w.Event == "" {
		return nil
	}
	micros, err := strconv.ParseInt(w.Micros, 10, 64)
	if err != nil {
		return fmt.Errorf("has no time: %w", err)
	}
	at := time.UnixMicro(micros).UTC()
	if w.Type == "record" {
		writing := Writing{Node: w.Node, At: at}
		if err := json.Unmarshal([]byte(w.Record), &writing.Record); err != nil {
			return fmt.Errorf("holds no record: %w", err)
		}
		c.Writings = append(c.Writings, writing)
		return nil
	}
	var e incident.Event
	if err := json.Unmarshal([]byte(w.Event), &e); err != nil {
		return fmt.Errorf("holds no event: %w", err)
	}
	if o, ok := ending(e); ok {
		c.endings = append(c.endings, entry{o, at})
	}
	return nil
}

// jsonFiles are the files of a directory that hold JSON, compressed or not; none is an
// error.
func jsonFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read a campaign: %w", err)
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); !e.IsDir() && strings.HasSuffix(strings.TrimSuffix(name, ".gz"), ".json") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no JSON", dir)
	}
	return files, nil
}

func readJSON(file string, into any) error {
	in, err := open(file)
	if err != nil {
		return fmt.Errorf("read a campaign: %w", err)
	}
	defer in.Close()
	if err := json.NewDecoder(in).Decode(into); err != nil {
		return fmt.Errorf("%s is not the JSON that it should be: %w", file, err)
	}
	return nil
}

// open opens a file, compressed or not.
func open(file string) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err != nil || !strings.HasSuffix(file, ".gz") {
		return f, err
	}
	zipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s is not compressed: %w", file, err), f.Close())
	}
	return unzipped{zipped, f}, nil
}

type unzipped struct {
	*gzip.Reader
	file io.Closer
}

func (u unzipped) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }
