package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// sample is what one call cost.
type sample struct {
	Action   string  `json:"action"`
	Provider string  `json:"provider"`
	Scope    string  `json:"scope"`
	CPU      float64 `json:"cpu_ms"`
	Wall     float64 `json:"wall_ms"`
	Traced   bool    `json:"traced"` // then the fields above Scope count, and these
	Execs    int     `json:"execs"`
	Forks    int     `json:"forks"`
	Peak     int     `json:"peak_kib"`
}

// measureInside is the half in the node: it does one round of a series and writes one sample a line.
func measureInside(ctx context.Context, opts options, stdout, _ io.Writer) (err error) {
	lives, err := cycles(opts.series)
	if err != nil {
		return err
	}
	m, err := newMeter()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	measure := m.measure
	if opts.trace {
		measure = trace
	}
	out := json.NewEncoder(stdout)
	for _, life := range lives {
		if err := round(ctx, life, opts.round, measure, out); err != nil {
			return err
		}
	}
	return nil
}

// round lets both agents lead a life, one after the other.
func round(ctx context.Context, life cycle, n int, measure func(context.Context, call) (sample, error), out *json.Encoder) error {
	for _, leader := range order(n) {
		for _, c := range life.calls(leader, n) {
			s, err := measure(ctx, c)
			if err != nil {
				return fmt.Errorf("%s of ocf:%s:%s: %w", c.action, c.provider, c.agent, err)
			}
			s.Action, s.Provider, s.Scope = c.Label, c.provider, c.scope
			if err := out.Encode(s); err != nil {
				return fmt.Errorf("write a sample: %w", err)
			}
		}
	}
	return nil
}
