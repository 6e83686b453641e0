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

func (n narrator) event(e incident.Event) error   { return n.line("event", e) }
func (n narrator) record(r incident.Record) error { return n.line("record", r) }

func (n narrator) line(kind string, value any) error {
	if err := n.out.Encode(map[string]any{kind: value}); err != nil {
		return fmt.Errorf("print an %s: %w", kind, err)
	}
	return nil
}
