package ocf

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// call runs an action of an agent with one parameter table and returns what Pacemaker
// would see.
func call(a *Agent, env map[string]string, args ...string) (code Code, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Run(context.Background(), a, Env{Args: args, Getenv: func(k string) string { return env[k] }, Stdout: &out, Stderr: &errs})
	return code, out.String(), errs.String()
}

func reason(stderr string) string {
	_, r, _ := strings.Cut(stderr, "ocf-exit-reason:")
	return strings.TrimSuffix(r, "\n")
}

func testAgent(run func(context.Context, *Request) (Code, error)) *Agent {
	return &Agent{
		Name: "test", Version: "1", Short: "An agent for tests", Long: "Does <what> it is told & no more.",
		Parameters: []Parameter{
			{Name: "count", Type: Integer, Default: "5", Min: AtLeast(1), Short: "How many"},
			{Name: "flag", Type: Boolean, Default: "false", Short: "Whether"},
			{Name: "mode", Type: String, Choices: []string{"a", "b"}, Short: "Which"},
			{Name: "secret", Type: String, Secret: true, Short: "A password", Check: func(string) error { return errors.New("too short") }},
			{Name: "old", Type: String, Aliases: []string{"older"}, Hidden: true, Short: "Hidden"},
		},
		Actions: []Action{
			{Name: "start", Timeout: 20 * time.Second, Run: run},
			{Name: "stop", Timeout: 20 * time.Second, Run: run, Tolerant: true},
			{Name: "monitor", Timeout: 20 * time.Second, Interval: 10 * time.Second, Role: "Promoted", Run: run},
			{Name: "status", Timeout: 20 * time.Second, Run: run},
			{Name: "hidden", Run: run, Hidden: true},
		},
	}
}

func TestExitStatusAndReason(t *testing.T) {
	long := strings.Repeat("ä", 200)
	for _, test := range []struct {
		name   string
		run    func(context.Context, *Request) (Code, error)
		code   Code
		reason string
	}{
		{"success", func(context.Context, *Request) (Code, error) { return Success, nil }, Success, ""},
		{"promoted", func(context.Context, *Request) (Code, error) { return RunningPromoted, nil }, RunningPromoted, ""},
		{"its own code", func(context.Context, *Request) (Code, error) { return 0, Errorf(ErrInstalled, "no server") }, ErrInstalled, "no server"},
		{
			"a code below", func(context.Context, *Request) (Code, error) {
				return 0, fmt.Errorf("look for it: %w", Errorf(ErrInstalled, "no server"))
			}, ErrInstalled, "look for it: no server",
		},
		{"any error", func(context.Context, *Request) (Code, error) { return 0, errors.New("it\nbroke") }, ErrGeneric, "it broke"},
		{"an error that says success", func(context.Context, *Request) (Code, error) { return 0, Errorf(Success, "odd") }, ErrGeneric, "odd"},
		{
			"deadline", func(context.Context, *Request) (Code, error) {
				return 0, fmt.Errorf("wait for the server: %w", context.DeadlineExceeded)
			}, ErrGeneric, "start ran out of time: wait for the server: context deadline exceeded",
		},
		{"panic", func(context.Context, *Request) (Code, error) { panic("nil map") }, ErrGeneric, "internal error in test: nil map"},
		{"too long", func(context.Context, *Request) (Code, error) { return 0, errors.New(long) }, ErrGeneric, strings.Repeat("ä", 62) + "..."},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, _, stderr := call(testAgent(test.run), nil, "start")
			if code != test.code || reason(stderr) != test.reason {
				t.Errorf("%v %q, not %v %q", code, reason(stderr), test.code, test.reason)
			}
			if len(reason(stderr)) > 128 {
				t.Errorf("the reason has %d characters, Pacemaker keeps 128", len(reason(stderr)))
			}
		})
	}
}

func TestWrongParameters(t *testing.T) {
	ran := func(_ context.Context, r *Request) (Code, error) {
		if r.Params.Int("count") != 5 {
			return 0, errors.New("a wrong value was used")
		}
		return Success, nil
	}
	for _, test := range []struct{ name, value, reason string }{
		{"count", "many", `count="many" is not a whole number; set one, such as 5`},
		{"count", "0", "count=0 is too small; set 1 or more"},
		{"flag", "perhaps", `flag="perhaps" is neither true nor false; set true or false`},
		{"mode", "c", `mode="c" is not known; set one of a, b`},
		{"secret", "xyzzy", `secret="(hidden)": too short`},
	} {
		env := map[string]string{"OCF_RESKEY_" + test.name: test.value}
		if code, _, stderr := call(testAgent(ran), env, "start"); code != ErrConfigured || reason(stderr) != test.reason {
			t.Errorf("start with %s=%s: %v %q, not %q", test.name, test.value, code, reason(stderr), test.reason)
		}
		if code, _, stderr := call(testAgent(ran), env, "stop"); code != Success {
			t.Errorf("stop with %s=%s: %v %q; a stop never fails on parameters", test.name, test.value, code, stderr)
		}
	}
}

func TestRequiredParameter(t *testing.T) {
	a := testAgent(func(context.Context, *Request) (Code, error) { return Success, nil })
	a.Parameters = append(a.Parameters, Parameter{Name: "ip", Type: String, Required: true, Short: "the address"})
	if code, _, stderr := call(a, nil, "start"); code != ErrConfigured || reason(stderr) != "ip is not set, and it must be; the address" {
		t.Errorf("%v %q", code, stderr)
	}
}

func TestActionsThatDoNotExist(t *testing.T) {
	a := testAgent(nil)
	for _, args := range [][]string{{"no_cmd"}, {""}, {}, {"promote"}} {
		if code, _, _ := call(a, nil, args...); code != ErrUnimplemented {
			t.Errorf("%q: %v, not %v", args, code, ErrUnimplemented)
		}
	}
	if code, stdout, _ := call(a, nil, "usage"); code != Success || !strings.Contains(stdout, "meta-data|start|stop") {
		t.Errorf("usage: %v %q", code, stdout)
	}
}

func TestStatusSpeaks(t *testing.T) {
	for code, want := range map[Code]string{Success: "running\n", RunningPromoted: "running\n", NotRunning: "stopped\n"} {
		a := testAgent(func(context.Context, *Request) (Code, error) { return code, nil })
		if got, stdout, _ := call(a, nil, "status"); got != code || stdout != want {
			t.Errorf("status: %v %q, not %v %q", got, stdout, code, want)
		}
	}
}

func TestDeadlineIsBelowPacemakers(t *testing.T) {
	for given, want := range map[string]time.Duration{"20000": 19 * time.Second, "1000": 500 * time.Millisecond, "": 19 * time.Second} {
		a := testAgent(func(ctx context.Context, _ *Request) (Code, error) {
			deadline, ok := ctx.Deadline()
			if left := time.Until(deadline); !ok || left > want || left < want-200*time.Millisecond {
				return 0, fmt.Errorf("%v left", left)
			}
			return Success, nil
		})
		if code, _, stderr := call(a, map[string]string{"OCF_RESKEY_CRM_meta_timeout": given}, "start"); code != Success {
			t.Errorf("timeout %q: %s", given, stderr)
		}
	}
}

func TestMetadata(t *testing.T) {
	code, stdout, stderr := call(testAgent(nil), nil, "meta-data")
	if code != Success || stderr != "" {
		t.Fatalf("%v %s", code, stderr)
	}
	for _, want := range []string{
		`<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">`,
		`<resource-agent name="test" version="1">`,
		`Does &lt;what&gt; it is told &amp; no more.`,
		`<parameter name="count" unique="0" required="0">`,
		`<content type="integer" default="5"></content>`,
		`<action name="monitor" timeout="20s" interval="10s" depth="0" role="Promoted"></action>`,
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, `"old"`) || strings.Contains(stdout, `"hidden"`) {
		t.Errorf("something hidden is advertised:\n%s", stdout)
	}
	var ignored struct{}
	if err := xml.Unmarshal([]byte(stdout), &ignored); err != nil {
		t.Error(err)
	}
}

func TestRequest(t *testing.T) {
	env := map[string]string{
		"OCF_RESOURCE_INSTANCE": "db:2", "OCF_CHECK_LEVEL": "10", "OCF_RESKEY_older": "x", "OCF_RESKEY_flag": "ON",
		"OCF_RESKEY_CRM_meta_clone_max": "3", "OCF_RESKEY_CRM_meta_master_max": "2", "OCF_RESKEY_CRM_meta_promotable": "true",
		"OCF_RESKEY_CRM_meta_notify_type": "pre", "OCF_RESKEY_CRM_meta_notify_operation": "promote",
		"OCF_RESKEY_CRM_meta_notify_active_uname": "db1 db2",
	}
	a := testAgent(func(_ context.Context, r *Request) (Code, error) {
		when, operation := r.Meta.Notify()
		got := fmt.Sprint(r.Resource(), r.Probe(), r.CheckLevel, r.Params.String("old"), r.Params.Bool("flag"), r.Meta.CloneMax(),
			r.Meta.PromotedMax(), r.Meta.Promotable(), when, operation, r.Meta.NotifyNodes("active_uname"))
		if want := "dbtrue 10xtrue 3 2 trueprepromote[db1 db2]"; got != want {
			return 0, fmt.Errorf("%q, not %q", got, want)
		}
		return Success, nil
	})
	if code, _, stderr := call(a, env, "monitor"); code != Success {
		t.Error(stderr)
	}
}

func FuzzParseValues(f *testing.F) {
	f.Add("5", "true", "a")
	f.Add("-1", "", "\x00")
	table := testAgent(nil).Parameters
	f.Fuzz(func(t *testing.T, count, flag, mode string) {
		env := map[string]string{"OCF_RESKEY_count": count, "OCF_RESKEY_flag": flag, "OCF_RESKEY_mode": mode}
		v, problems := ParseValues(table, func(k string) string { return env[k] })
		if v.Int("count") < 1 {
			t.Errorf("count=%q reads as %d", count, v.Int("count"))
		}
		if m := v.String("mode"); m != "" && m != "a" && m != "b" {
			t.Errorf("mode=%q was taken", m)
		}
		for _, p := range problems {
			if CodeOf(p) != ErrConfigured {
				t.Errorf("%v has status %v", p, CodeOf(p))
			}
		}
	})
}
