package ocf

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestDeadline(t *testing.T) {
	t.Run("nobody waits", func(t *testing.T) {
		d := withDeadline(t.Context(), time.Hour)
		if at, ok := d.Deadline(); !ok || time.Until(at) > time.Hour || d.Err() != nil {
			t.Errorf("deadline %v %t, error %v", at, ok, d.Err())
		}
		d.end()
		<-d.Done()
		if !errors.Is(d.Err(), context.Canceled) {
			t.Error("it goes on after its end")
		}
	})
	t.Run("it ends while a child waits", func(t *testing.T) {
		d := withDeadline(t.Context(), time.Hour)
		child, cancel := context.WithCancel(d)
		defer cancel()
		d.end()
		<-child.Done()
		if !errors.Is(d.Err(), context.Canceled) || !errors.Is(child.Err(), context.Canceled) {
			t.Errorf("the error is %v, the child's %v", d.Err(), child.Err())
		}
	})
	t.Run("it passes while nobody waits", func(t *testing.T) {
		d := withDeadline(t.Context(), -time.Second)
		defer d.end()
		if !errors.Is(d.Err(), context.DeadlineExceeded) {
			t.Errorf("after the deadline the error is %v", d.Err())
		}
	})
	t.Run("it passes while a child waits", func(t *testing.T) {
		d := withDeadline(t.Context(), time.Millisecond)
		defer d.end()
		child, cancel := context.WithTimeout(d, time.Hour)
		defer cancel()
		<-child.Done()
		if !errors.Is(child.Err(), context.DeadlineExceeded) {
			t.Errorf("the child's error is %v", child.Err())
		}
	})
	t.Run("the parent ends first", func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		d := withDeadline(parent, time.Hour)
		defer d.end()
		cancel()
		if !errors.Is(d.Err(), context.Canceled) {
			t.Errorf("the error is %v", d.Err())
		}
	})
	t.Run("the parent's deadline is earlier", func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d := withDeadline(parent, time.Hour)
		defer d.end()
		if at, _ := d.Deadline(); time.Until(at) > time.Minute {
			t.Errorf("the deadline is %v", at)
		}
	})
}
