package ledger

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Record is one line of a ledger file, a JSON object. Several runs may stand in
// one file, one after the other or mixed.
type Record struct {
	Run     string    `json:"run"`
	ID      uint64    `json:"id"`
	Verdict string    `json:"verdict"`
	Node    string    `json:"node,omitempty"`
	At      time.Time `json:"at"`
}

// Append writes one line. It is one call of Write, so that a file opened with
// O_APPEND holds whole lines also when the client is killed.
func Append(w io.Writer, r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode ledger record %d: %w", r.ID, err)
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write ledger record %d: %w", r.ID, err)
	}
	return nil
}

// ErrNoRun means that a ledger file holds no record of the run.
var ErrNoRun = errors.New("the ledger has no record of the run")

// Read returns the ledger of one run, or of the last run in the file when run is
// empty, and the name of that run. A last line without its newline was cut short
// by a crash and is passed over; any other malformed line is an error that names
// its number.
func Read(r io.Reader, run string) (*Ledger, string, error) {
	ledgers := map[string]*Ledger{}
	last := ""
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("read ledger: %w", err)
		}
		record, verdict, err := parse(line)
		if err != nil {
			return nil, "", fmt.Errorf("ledger line %d: %w", number, err)
		}
		if ledgers[record.Run] == nil {
			ledgers[record.Run] = &Ledger{}
		}
		ledgers[record.Run].Record(record.ID, verdict)
		last = record.Run
	}
	if run == "" {
		run = last
	}
	l, found := ledgers[run]
	if !found {
		return nil, "", ErrNoRun
	}
	return l, run, nil
}

func parse(line []byte) (Record, Verdict, error) {
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return r, Indeterminate, err
	}
	if r.Run == "" {
		return r, Indeterminate, errors.New("no run is named")
	}
	for _, v := range []Verdict{Acknowledged, Refused, Indeterminate} {
		if v.String() == r.Verdict {
			return r, v, nil
		}
	}
	return r, Indeterminate, fmt.Errorf("unknown verdict %q", r.Verdict)
}
