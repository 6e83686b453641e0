package main

import (
	"context"
	"fmt"
)

// bounded does something with the file at path, but not for longer than ctx lasts: a frozen file
// system or a dead disk never answers. What was begun goes on alone. A read ends with this
// process; a write does not, and keeps the process from ending as long as the file system is
// frozen (measured: its first thread is a zombie, and nobody is told that it has ended). So what
// watches or stops a server only reads there.
func bounded[T any](ctx context.Context, path string, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("the file system of %s does not answer: %w", path, ctx.Err())
	}
}
