package ocf

import (
	"context"
	"errors"
	"fmt"
)

// Error is a failure that knows its exit status. Its text is the exit reason: one
// sentence for the operator, the cause first, because Pacemaker keeps only the
// first 128 characters.
type Error struct {
	Code   Code
	Reason string
	Err    error // what led to it; may be nil
}

// Errorf makes an [Error]; %w in format wraps as in [fmt.Errorf].
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Reason: err.Error(), Err: errors.Unwrap(err)}
}

func (e *Error) Error() string { return e.Reason }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf is the one place where an error becomes an exit status: the status of the
// outermost [Error] in the chain, else [ErrGeneric], which lets Pacemaker recover
// on any node.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return Success
	case errors.As(err, &e):
		return e.Code
	default:
		return ErrGeneric
	}
}

// reasonOf is the sentence for the operator. A bare deadline says nothing to a
// reader, so the action that ran out of time is named.
func reasonOf(action string, err error) string {
	var e *Error
	if errors.As(err, &e) {
		return err.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("%s ran out of time: %v", action, err)
	}
	return err.Error()
}
