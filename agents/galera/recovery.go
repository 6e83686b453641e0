package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Recover implements Server.
func (s *systemd) Recover(ctx context.Context, launch Launch) (string, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	if err := s.stopRecovery(ctx); err != nil {
		return "", err
	}
	if err := makeRunDir(); err != nil {
		return "", err
	}
	if err := s.configure(ctx, launch); err != nil {
		return "", err
	}
	result := make(chan string, 1)
	if _, err := conn.StartUnitContext(ctx, recoveryUnit, replaceJobs, result); err != nil {
		return "", fmt.Errorf("start the recovery run: %w", err)
	}
	select {
	case r := <-result:
		return recoveryOutcome(r)
	case <-ctx.Done():
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), causeTime)
		defer cancel()
		return "", errors.Join(fmt.Errorf("the recovery run takes too long: %w", ctx.Err()), s.stopRecovery(clean))
	}
}

func recoveryOutcome(result string) (string, error) {
	log, err := os.ReadFile(recoveryLog)
	if err != nil {
		return "", fmt.Errorf("read the log of the recovery run: %w", err)
	}
	if result != "done" {
		return string(log), fmt.Errorf("the recovery run ended with %q; see %s", result, recoveryLog)
	}
	return string(log), nil
}

// stopRecovery ends what an agent that was killed left running: the server must
// not start beside it.
func (s *systemd) stopRecovery(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	prop, err := conn.GetUnitPropertyContext(ctx, recoveryUnit, "ActiveState")
	if err != nil {
		return fmt.Errorf("ask systemd for %s: %w", recoveryUnit, err)
	}
	if state, _ := prop.Value.Value().(string); state == "inactive" || state == "failed" {
		return nil
	}
	result := make(chan string, 1)
	if _, err := conn.StopUnitContext(ctx, recoveryUnit, replaceJobs, result); err != nil {
		return fmt.Errorf("stop %s: %w", recoveryUnit, err)
	}
	select {
	case <-result:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w", recoveryUnit, ctx.Err())
	}
}
