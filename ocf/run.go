package ocf

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Env is the world of one call: everything that [Run] reads and writes.
type Env struct {
	Args   []string // without the program's name
	Getenv func(string) string
	Stdout io.Writer
	Stderr io.Writer
}

// Pacemaker kills an action that outlives its timeout and then knows nothing but
// that. Stopping a little earlier lets the agent say what it was waiting for.
const (
	deadlineMargin  = time.Second
	fallbackTimeout = 20 * time.Second // Pacemaker's default-action-timeout
	reasonLimit     = 128              // PCMK_EXIT_REASON_MAX_LEN, lib/services/services_linux.c
)

// Run carries out one call of the agent and returns its exit status. It never
// panics: a panic would exit with 2, which Pacemaker takes as a permanent error.
func Run(ctx context.Context, a *Agent, env Env) (code Code) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(env.Stderr, "%s\n%s", r, debug.Stack())
			printReason(env, fmt.Sprintf("internal error in %s: %v", a.Name, r))
			code = ErrGeneric
		}
	}()
	name := ""
	if len(env.Args) > 0 {
		name = env.Args[0]
	}
	switch name {
	case "meta-data":
		return report(env, name, Success, a.WriteMetadata(env.Stdout))
	case "usage", "help", "--help", "-h":
		usage(env.Stdout, a)
		return Success
	}
	act, ok := a.action(name)
	if !ok || act.Run == nil {
		usage(env.Stderr, a)
		return report(env, name, 0, Errorf(ErrUnimplemented, "%s has no action %q", a.Name, name))
	}
	return run(ctx, a, act, env)
}

func run(ctx context.Context, a *Agent, act *Action, env Env) Code {
	values, problems := ParseValues(a.Parameters, env.Getenv)
	if len(problems) > 0 && !act.Tolerant {
		return report(env, act.Name, 0, problems[0])
	}
	req := &Request{
		Action:     act.Name,
		Instance:   instance(a, env.Getenv),
		Params:     values,
		Problems:   problems,
		Meta:       NewMeta(env.Getenv),
		CheckLevel: checkLevel(env.Getenv),
		Log:        &Log{w: env.Stderr},
	}
	limited := withDeadline(ctx, budget(act, req.Meta))
	defer limited.end()
	code, err := act.Run(limited, req)
	if act.Name == "status" && err == nil {
		printStatus(env.Stdout, code)
	}
	return report(env, act.Name, code, err)
}

// budget is how long the action may take: a little less than Pacemaker allows.
func budget(act *Action, meta Meta) time.Duration {
	limit := meta.Timeout()
	if limit == 0 {
		limit = act.Timeout
	}
	if limit == 0 {
		limit = fallbackTimeout
	}
	if limit <= 2*deadlineMargin {
		return limit / 2
	}
	return limit - deadlineMargin
}

// report is the one place where an error becomes an exit status and a reason.
func report(env Env, action string, code Code, err error) Code {
	if err == nil {
		return code
	}
	printReason(env, reasonOf(action, err))
	if code := CodeOf(err); code != Success {
		return code
	}
	return ErrGeneric
}

// printReason prints the exit reason; Pacemaker keeps the last one printed.
func printReason(env Env, reason string) {
	prefix := env.Getenv("OCF_EXIT_REASON_PREFIX")
	if prefix == "" {
		prefix = "ocf-exit-reason:"
	}
	fmt.Fprintf(env.Stderr, "%s%s\n", prefix, oneLine(reason))
}

// oneLine makes s a single line no longer than Pacemaker keeps, cut at a rune.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= reasonLimit {
		return s
	}
	cut := reasonLimit - len("...")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

func instance(a *Agent, getenv func(string) string) string {
	if id := getenv("OCF_RESOURCE_INSTANCE"); id != "" {
		return id
	}
	return a.Name // by hand, without Pacemaker
}

func checkLevel(getenv func(string) string) int {
	n, err := strconv.Atoi(getenv("OCF_CHECK_LEVEL"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func printStatus(w io.Writer, code Code) {
	word := "running"
	if code == NotRunning {
		word = "stopped"
	}
	fmt.Fprintln(w, word)
}

func usage(w io.Writer, a *Agent) {
	names := []string{"meta-data"}
	for i := range a.Actions {
		if n := a.Actions[i].Name; !contains(names, n) {
			names = append(names, n)
		}
	}
	fmt.Fprintf(w, "usage: %s {%s}\n\n%s\nParameters are read from OCF_RESKEY_* variables; see the manual page.\n",
		a.Name, strings.Join(names, "|"), a.Short)
}
