package monitor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"holdfast/tests/chaos/fault"
)

// faulty is a target whose injection or undoing fails.
type faulty struct {
	inject, undo error
	did          []string
}

func (f *faulty) Run(context.Context, string, string) (string, error) { return "", nil }
func (f *faulty) All(context.Context, []fault.Action) ([]fault.Struck, error) {
	f.did = append(f.did, "inject")
	return nil, f.inject
}

func (f *faulty) Undo(context.Context, []fault.Action) error {
	f.did = append(f.did, "undo")
	return f.undo
}

// Injecting and Undone make it the book as well.
func (f *faulty) Injecting(fault.Bound) error { f.did = append(f.did, "noted"); return nil }
func (f *faulty) Undone() error               { f.did = append(f.did, "crossed out"); return nil }

func TestWhatCouldNotBeInjectedIsUndone(t *testing.T) {
	inject, undo := errors.New("the cluster had not settled"), errors.New("no route to host")
	for _, test := range []struct {
		name   string
		target faulty
		did    string
		failed error // of this repetition
		err    error // for all that follow
	}{
		{"the injection fails", faulty{inject: inject}, "noted inject undo crossed out", inject, nil},
		{"the undoing fails too", faulty{inject: inject, undo: undo}, "noted inject undo", inject, undo},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := powerCut(t)
			var told []string
			o.config.Tell = func(e Event) { told = append(told, e.Text) }
			o.config.Target = &test.target
			b := fault.Bound{Fault: fault.Fault{Name: "rolling-restart"}, Targets: []string{"db1"}, Undo: []fault.Action{{}}}
			_, failed, err := o.disturb(t.Context(), t.Context(), &test.target, b)
			if did := strings.Join(test.target.did, " "); did != test.did || !errors.Is(failed, test.failed) || !errors.Is(err, test.err) {
				t.Errorf("did %s with %v and %v", did, failed, err)
			}
			if !slices.Contains(told, "inject rolling-restart: the cluster had not settled: it will be undone, and the repetition counts as an error") {
				t.Errorf("told %q", told)
			}
		})
	}
}

func TestWhyARepetitionIsAnError(t *testing.T) {
	joined := errors.Join(errors.New("first"), errors.New("second"))
	for _, test := range []struct {
		stopped bool
		reasons []string
		want    string
	}{
		{false, []string{oneLine(nil), oneLine(nil)}, ""},
		{false, []string{oneLine(joined), "", "db3 was not compared: no answer."}, "first; second; db3 was not compared: no answer"},
		{true, []string{oneLine(joined)}, "it was stopped by a signal"},
	} {
		if got := why(test.stopped, test.reasons); got != test.want {
			t.Errorf("%v %q: got %q, want %q", test.stopped, test.reasons, got, test.want)
		}
	}
}
