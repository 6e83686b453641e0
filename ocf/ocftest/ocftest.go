// Package ocftest holds what every resource agent must pass, whatever it manages. It
// runs an agent's binary as Pacemaker does, with an environment and one argument.
//
// The rules are those of the OCF Resource Agent API 1.0 and 1.1, of ocf-tester in
// resource-agents 4.12, and of Pacemaker 2.1.5 where it is stricter.
//
// Not its business: what an agent does when its resource is there. It starts nothing
// and needs no cluster.
package ocftest

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit is how long any of these calls may take. None of them has anything to wait for.
const limit = 30 * time.Second

// Agent is an agent under test.
type Agent struct {
	Binary string            // path
	Params map[string]string // a valid configuration, on a machine where nothing runs
}

// Result is what Pacemaker sees of one call.
type Result struct {
	Code   int
	Stdout string
	Stderr string
}

// Reason is the exit reason: what follows the last prefix on standard error.
func (r Result) Reason() string {
	i := strings.LastIndex(r.Stderr, "ocf-exit-reason:")
	if i < 0 {
		return ""
	}
	reason, _, _ := strings.Cut(r.Stderr[i+len("ocf-exit-reason:"):], "\n")
	return reason
}

// Call runs one action with exactly the given environment beside PATH.
func Call(t *testing.T, binary string, env map[string]string, attr *syscall.SysProcAttr, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=ocftest"}
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.SysProcAttr = attr
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("run %s %s: %v (%v)", binary, strings.Join(args, " "), err, ctx.Err())
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

// Env is the environment of an action with the given parameters.
func Env(params map[string]string) map[string]string {
	env := map[string]string{"OCF_RESKEY_CRM_meta_timeout": "20000"}
	for k, v := range params {
		env["OCF_RESKEY_"+k] = v
	}
	return env
}

// Run checks the rules.
func Run(t *testing.T, a Agent) {
	t.Helper()
	meta := metadata(t, a.Binary)
	t.Run("meta-data", func(t *testing.T) { checkMetadata(t, meta) })
	t.Run("meta-data as nobody", func(t *testing.T) { checkUnprivileged(t, a.Binary) })
	t.Run("an unknown action is unimplemented", func(t *testing.T) {
		if r := Call(t, a.Binary, Env(a.Params), nil, "no_cmd"); r.Code != 3 {
			t.Errorf("status %d, not 3: %s", r.Code, r.Stderr)
		}
	})
	t.Run("a stop of what does not run succeeds, twice", func(t *testing.T) {
		for range 2 {
			if r := Call(t, a.Binary, Env(a.Params), nil, "stop"); r.Code != 0 {
				t.Errorf("status %d: %s", r.Code, r.Stderr)
			}
		}
	})
	t.Run("a probe of what does not run says so", func(t *testing.T) {
		env := Env(a.Params)
		env["OCF_RESKEY_CRM_meta_interval"] = "0"
		if r := Call(t, a.Binary, env, nil, "monitor"); r.Code != 7 {
			t.Errorf("status %d, not 7: %s", r.Code, r.Stderr)
		}
	})
	t.Run("a stop never fails on parameters", func(t *testing.T) { checkStop(t, a, meta) })
	t.Run("reasons fit what Pacemaker keeps", func(t *testing.T) { checkReasons(t, a, meta) })
}

type document struct {
	Name       string `xml:"name,attr"`
	Version    string `xml:"version"`
	Long       string `xml:"longdesc"`
	Short      string `xml:"shortdesc"`
	Parameters []struct {
		Name     string `xml:"name,attr"`
		Required string `xml:"required,attr"`
		Long     string `xml:"longdesc"`
		Short    string `xml:"shortdesc"`
		Content  struct {
			Type string `xml:"type,attr"`
		} `xml:"content"`
	} `xml:"parameters>parameter"`
	Actions []struct {
		Name    string `xml:"name,attr"`
		Timeout string `xml:"timeout,attr"`
	} `xml:"actions>action"`
}

func metadata(t *testing.T, binary string) document {
	t.Helper()
	r := Call(t, binary, nil, nil, "meta-data")
	var d document
	if err := xml.Unmarshal([]byte(r.Stdout), &d); err != nil || r.Code != 0 || r.Stderr != "" {
		t.Fatalf("meta-data without a parameter: status %d, %v, %s", r.Code, err, r.Stderr)
	}
	return d
}

func checkMetadata(t *testing.T, d document) {
	if d.Version != "1.0" {
		t.Errorf("version %q: ocf-tester's DTD knows 1.0", d.Version)
	}
	if d.Name == "" || strings.TrimSpace(d.Long) == "" || strings.TrimSpace(d.Short) == "" {
		t.Error("the agent's name or a description is missing")
	}
	for _, p := range d.Parameters {
		if strings.TrimSpace(p.Short) == "" || strings.TrimSpace(p.Long) == "" {
			t.Errorf("parameter %s has no description", p.Name)
		}
		switch p.Content.Type {
		case "string", "integer", "boolean":
		default:
			t.Errorf("parameter %s is of type %q, which not every validator knows", p.Name, p.Content.Type)
		}
	}
	have := make(map[string]bool)
	for _, action := range d.Actions {
		have[action.Name] = true
		if !strings.HasSuffix(action.Timeout, "s") || action.Timeout == "0s" {
			t.Errorf("action %s has the timeout %q; it needs one, with its unit", action.Name, action.Timeout)
		}
	}
	for _, action := range []string{"start", "stop", "monitor", "validate-all"} {
		if !have[action] {
			t.Errorf("action %s is not advertised", action)
		}
	}
}

// checkUnprivileged runs meta-data as nobody, as ocf-tester and crmsh may. The binary
// is copied to where nobody can reach it.
func checkUnprivileged(t *testing.T, binary string) {
	if os.Getuid() != 0 {
		t.Fatal("run this test as root: it becomes nobody")
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "ocftest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	reachable := filepath.Join(dir, filepath.Base(binary))
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(reachable, content, 0o755)); err != nil {
		t.Fatal(err)
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if r := Call(t, reachable, nil, nobody, "meta-data"); r.Code != 0 || !strings.Contains(r.Stdout, "<resource-agent") {
		t.Errorf("status %d: %s", r.Code, r.Stderr)
	}
}

// checkStop gives every parameter in turn a value that can hardly be right: a stop that
// fails gets its node fenced, for an operator's slip of the pen.
func checkStop(t *testing.T, a Agent, meta document) {
	for _, p := range meta.Parameters {
		for _, value := range []string{"", "\x01garbage", "-1", strings.Repeat("9", 400)} {
			env := Env(a.Params)
			env["OCF_RESKEY_"+p.Name] = value
			if r := Call(t, a.Binary, env, nil, "stop"); r.Code != 0 {
				t.Errorf("%s=%.20q: status %d: %s", p.Name, value, r.Code, r.Stderr)
			}
		}
	}
	if r := Call(t, a.Binary, nil, nil, "stop"); r.Code != 0 {
		t.Errorf("no parameter at all: status %d: %s", r.Code, r.Stderr)
	}
}

func checkReasons(t *testing.T, a Agent, meta document) {
	for _, p := range meta.Parameters {
		env := Env(a.Params)
		env["OCF_RESKEY_"+p.Name] = strings.Repeat("\x01x", 300)
		r := Call(t, a.Binary, env, nil, "validate-all")
		if len(r.Reason()) > 128 {
			t.Errorf("%s: a reason of %d characters; Pacemaker keeps 128", p.Name, len(r.Reason()))
		}
		if r.Code != 0 && r.Reason() == "" {
			t.Errorf("%s: status %d without a reason", p.Name, r.Code)
		}
	}
}
