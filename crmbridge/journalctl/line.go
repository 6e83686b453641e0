package journalctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrMalformed is output that journalctl never has.
var ErrMalformed = errors.New("journalctl printed something that it never prints")

// Line is an entry of the journal.
type Line struct {
	// At is when the program said it, where the program told; otherwise when journald
	// heard it. Monotonic is the same by the machine's monotonic clock.
	At         time.Time
	Monotonic  time.Duration
	Identifier string // the program's name for itself
	Message    string
	MessageID  string            // "" for most
	Fields     map[string]string // those that were asked for, and are there
}

// fields are the parts of an entry that are asked for. A value that is no text comes as
// an array of numbers, and one that a program gave twice as an array of texts: neither
// is anything that this program reads.
type fields struct {
	Realtime   any `json:"__REALTIME_TIMESTAMP"`
	Monotonic  any `json:"__MONOTONIC_TIMESTAMP"`
	Source     any `json:"_SOURCE_REALTIME_TIMESTAMP"`
	Identifier any `json:"SYSLOG_IDENTIFIER"`
	Message    any `json:"MESSAGE"`
	MessageID  any `json:"MESSAGE_ID"`
}

// wanted names the fields that are not there anyway.
const wanted = "MESSAGE,MESSAGE_ID,SYSLOG_IDENTIFIER,_SOURCE_REALTIME_TIMESTAMP"

// Parse reads an entry in journalctl's JSON, with some more of its fields.
func Parse(text []byte, more ...string) (Line, error) {
	var f fields
	if err := json.Unmarshal(text, &f); err != nil {
		return Line{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	heard, err1 := microseconds(f.Realtime)
	monotonic, err2 := microseconds(f.Monotonic)
	if err := errors.Join(err1, err2); err != nil {
		return Line{}, err
	}
	said := heard
	if f.Source != nil {
		// A program that tells nonsense about the time is not believed.
		if at, err := microseconds(f.Source); err == nil && at > 0 && at <= heard {
			said = at
		}
	}
	l := Line{
		At: time.UnixMicro(said), Monotonic: time.Duration(monotonic-(heard-said)) * time.Microsecond,
		Identifier: textOf(f.Identifier), Message: textOf(f.Message),
		MessageID: textOf(f.MessageID),
	}
	if len(more) == 0 || l.MessageID == "" {
		return l, nil
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return Line{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	l.Fields = map[string]string{}
	for _, name := range more {
		if value := textOf(all[name]); value != "" {
			l.Fields[name] = value
		}
	}
	return l, nil
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

func microseconds(v any) (int64, error) {
	s, _ := v.(string)
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: a time %v", ErrMalformed, v)
	}
	return n, nil
}
