package main

import (
	"encoding/json"
	"fmt"
	"io"

	"holdfast/crmbridge/incident"
)

// narrator is an output of lines of JSON, for people who look for an error.
type narrator struct{ out *json.Encoder }

var _ output = narrator{}

func newNarrator(w io.Writer) narrator { return narrator{json.NewEncoder(w)} }

// WriteEvent prints an event.
func (n narrator) WriteEvent(e incident.Event) error { return n.line("event", e) }

// WriteRecord prints a record.
func (n narrator) WriteRecord(r incident.Record) error { return n.line("record", r) }

func (n narrator) line(kind string, value any) error {
	if err := n.out.Encode(map[string]any{kind: value}); err != nil {
		return fmt.Errorf("print an %s: %w", kind, err)
	}
	return nil
}
