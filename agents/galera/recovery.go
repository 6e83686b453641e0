package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Recover implements Server.
func (s *systemd) Recover(ctx context.Context, launch Launch) (string, error) {
	return s.auxiliary(ctx, launch, recoveryFile(launch))
}

// Create implements Server.
func (s *systemd) Create(ctx context.Context, launch Launch) error {
	log, err := s.auxiliary(ctx, launch, creationFile(launch))
	if cause := causeIn(log); err != nil && cause != "" {
		return fmt.Errorf("%s: %w", cause, err)
	}
	return err
}

// auxiliary runs a program beside the server, in its unit's stead, and returns what
// it logged, also when it failed.
func (s *systemd) auxiliary(ctx context.Context, launch Launch, unit []byte) (string, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	if err := s.stopAuxiliary(ctx); err != nil {
		return "", err
	}
	if err := makeRunDir(); err != nil {
		return "", err
	}
	if err := s.configure(ctx, launch, unit); err != nil {
		return "", err
	}
	result := make(chan string, 1)
	if _, err := conn.StartUnitContext(ctx, auxiliaryUnit, replaceJobs, result); err != nil {
		return "", fmt.Errorf("start %s: %w", auxiliaryUnit, err)
	}
	select {
	case r := <-result:
		return auxiliaryOutcome(r)
	case <-ctx.Done():
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), causeTime)
		defer cancel()
		return "", errors.Join(fmt.Errorf("%s takes too long: %w", auxiliaryUnit, ctx.Err()), s.stopAuxiliary(clean))
	}
}

func auxiliaryOutcome(result string) (string, error) {
	log, err := os.ReadFile(auxiliaryLog)
	if err != nil {
		return "", fmt.Errorf("read the log of %s: %w", auxiliaryUnit, err)
	}
	if result != "done" {
		return string(log), fmt.Errorf("%s ended with %q; see %s", auxiliaryUnit, result, auxiliaryLog)
	}
	return string(log), nil
}

// stopAuxiliary ends what an agent that was killed left running: the server must
// not start beside it.
func (s *systemd) stopAuxiliary(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	prop, err := conn.GetUnitPropertyContext(ctx, auxiliaryUnit, "ActiveState")
	if err != nil {
		return fmt.Errorf("ask systemd for %s: %w", auxiliaryUnit, err)
	}
	if state, _ := prop.Value.Value().(string); state == "inactive" || state == "failed" {
		return nil
	}
	result := make(chan string, 1)
	if _, err := conn.StopUnitContext(ctx, auxiliaryUnit, replaceJobs, result); err != nil {
		return fmt.Errorf("stop %s: %w", auxiliaryUnit, err)
	}
	select {
	case <-result:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w", auxiliaryUnit, ctx.Err())
	}
}
