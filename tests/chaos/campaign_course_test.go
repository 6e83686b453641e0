package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/monitor"
	"holdfast/tests/chaos/result"
)

// played is a campaign of the faults a and b, twice each, whose repetitions come out as given; those
// that are not given go well.
func played(t *testing.T, outcomes map[string]monitor.Outcome) (*campaign, *[]string) {
	t.Helper()
	art, err := openArtifacts(t.TempDir(), io.Discard, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = art.close() })
	c := &campaign{art: art, run: aRun()}
	c.opt.campaign.repeat = 2
	if err := art.begin(c.run); err != nil {
		t.Fatal(err)
	}
	done := &[]string{}
	c.repeat = func(_, _ context.Context, r monitor.Repetition) monitor.Outcome {
		name := fmt.Sprint(r.Fault.Name, r.Number)
		*done = append(*done, name)
		out, given := outcomes[name]
		if !given {
			out.Injected = true
		}
		felt := repetition(r.Fault.Name, 100)
		felt.Repetition, felt.Error, felt.Stopped = r.Number, out.Fault.Error, out.Fault.Stopped
		out.Fault, out.Ledger = felt, &ledger.Ledger{}
		return out
	}
	return c, done
}

// TestWhatCannotStartCostsNothing: the files of the run before stay.
func TestWhatCannotStartCostsNothing(t *testing.T) {
	dir, _ := cutOff(t)
	silent, _ := labctl(t, "exit 255")
	args := append([]string{"run", "planned-move", "--target", "lab", "--labctl", silent, "--out", dir, "--undo-file", filepath.Join(t.TempDir(), "undo.json")}, threeNodes()...)
	args = append(args, "--address", fakeServer{denied: true}.serve(t))
	if status := command(args, withPassword, io.Discard, io.Discard, nil); status != exitNoStart {
		t.Fatalf("status %d", status)
	}
	if _, found, err := unfinished(dir); !found || err != nil {
		t.Errorf("the earlier run is gone: %v", err)
	}
	log, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil || !strings.Contains(string(log), "said before") {
		t.Errorf("its log is %q, %v", log, err)
	}
}

func both() []fault.Fault { return []fault.Fault{{Name: "a"}, {Name: "b"}} }

func TestAFaultThatFailedIsAnErrorAndTheNextIsDone(t *testing.T) {
	c, done := played(t, map[string]monitor.Outcome{
		"a1": {Injected: true, Fault: result.Fault{Error: "inject a: the cluster had not settled"}},
	})
	if err := c.all(interrupts(nil), both()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a1", "b1", "a2", "b2"}; !slices.Equal(*done, want) {
		t.Errorf("did %q, want %q", *done, want)
	}
	xml, err := os.ReadFile(filepath.Join(c.art.dir, junitFile))
	if err != nil || !strings.Contains(string(xml), `tests="4" failures="0" errors="1"`) || !strings.Contains(string(xml), `<error type="unmeasured" message="inject a: the cluster had not settled">`) {
		t.Errorf("%v, the XML is\n%s", err, xml)
	}
	if err := c.verdict(nil); exitStatus(err) != exitFailed || !strings.Contains(err.Error(), "a, repetition 1") {
		t.Errorf("the verdict is %v", err)
	}
	if got := summaries(c.run.Faults); got[0].Errors != 1 || got[0].N != 2 || got[1].Errors != 0 {
		t.Errorf("the summary is %+v", got)
	}
}

// TestACampaignThatGoesOnAfterAWholeRound: what is there is not done again, and the rest is.
func TestACampaignThatGoesOnAfterAWholeRound(t *testing.T) {
	c, done := played(t, nil)
	for _, name := range []string{"a", "b"} {
		over := repetition(name, 100)
		over.Repetition = 1
		c.run.Faults = append(c.run.Faults, over)
	}
	c.run.Ended = time.Time{}
	if err := c.all(interrupts(nil), both()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a2", "b2"}; !slices.Equal(*done, want) {
		t.Errorf("did %q, want %q", *done, want)
	}
}

// TestWhatEndsACampaign: a cluster that is not clean is not disturbed further.
func TestWhatEndsACampaign(t *testing.T) {
	for _, test := range []struct {
		name    string
		outcome monitor.Outcome
		status  int
		says    string // in the XML
	}{
		{"not clean afterwards", monitor.Outcome{Injected: true, Err: monitor.ErrUnclean, Fault: result.Fault{Error: "the cluster is not clean"}}, exitFailed, `type="unmeasured"`},
		{"not clean before", monitor.Outcome{Err: monitor.ErrUnclean}, exitNoStart, `type="not-begun"`},
		{"stopped by a signal", monitor.Outcome{Injected: true, Err: errors.New("context canceled"), Fault: result.Fault{Error: "it was stopped by a signal", Stopped: true}}, exitFailed, "stopped by a signal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, done := played(t, map[string]monitor.Outcome{"b1": test.outcome})
			err := c.all(interrupts(nil), both())
			if exitStatus(err) != test.status || len(*done) != 2 {
				t.Errorf("did %q and ended with %v, want status %d", *done, err, test.status)
			}
			if err := c.art.deliver(c.run); err != nil {
				t.Fatal(err)
			}
			xml, err := os.ReadFile(filepath.Join(c.art.dir, junitFile))
			if err != nil || !strings.Contains(string(xml), `errors="1"`) || !strings.Contains(string(xml), test.says) {
				t.Errorf("%v, the XML is\n%s", err, xml)
			}
		})
	}
}

// TestASignalBeforeAFault: what was not begun because of a signal is an error with that reason.
func TestASignalBeforeAFault(t *testing.T) {
	c, _ := played(t, map[string]monitor.Outcome{"a1": {Err: context.Canceled}})
	soft, cancel := context.WithCancel(t.Context())
	cancel()
	err := c.all(stops{soft: soft, hard: t.Context()}, both())
	if exitStatus(err) != exitFailed || !strings.Contains(err.Error(), "stopped by a signal") {
		t.Errorf("got %v", err)
	}
	if len(c.run.NotBegun) != 1 || !strings.Contains(c.run.NotBegun[0].Why, "signal") || len(c.run.Faults) != 0 {
		t.Errorf("noted %+v", c.run.NotBegun)
	}
}
