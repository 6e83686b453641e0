package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ocftCase is one case of an ocft configuration and how it ended.
type ocftCase struct {
	Suite   string // the configuration's name
	Number  int    // in the configuration, from 0
	Summary string
	Failure string // what did not pass, in ocft's words; "": it passed
}

// notRun is the Failure of a case that never began.
const notRun = "it was not run"

// point makes a configuration of ocft call another agent, and changes nothing else (agents' facts: resource-agents' ocft reads the
// agent's place from these two statements of CONFIG).
func point(config, provider, agent string) string {
	root := regexp.MustCompile(`(?m)^(\s*AgentRoot) .*$`)
	name := regexp.MustCompile(`(?m)^(\s*Agent) .*$`)
	return name.ReplaceAllString(root.ReplaceAllString(config, "${1} /usr/lib/ocf/resource.d/"+provider), "${1} "+agent)
}

// parseMade reads the cases from what "ocft make" says of a suite.
func parseMade(suite, text string) []ocftCase {
	line := regexp.MustCompile(`^\s*- case (\d+): (.*)$`)
	var cases []ocftCase
	for text := range strings.Lines(text) {
		m := line.FindStringSubmatch(strings.TrimRight(text, "\r\n"))
		if m == nil {
			continue
		}
		number, err := strconv.Atoi(m[1])
		if err != nil {
			continue
		}
		cases = append(cases, ocftCase{Suite: suite, Number: number, Summary: m[2], Failure: notRun})
	}
	return cases
}

// judge reads from what "ocft test -v" says how the cases ended. A case that it does not mention keeps its Failure.
func judge(made []ocftCase, text string) []ocftCase {
	begin := regexp.MustCompile(`^Starting '.*' case (\d+) '.*':$`)
	colour := regexp.MustCompile("\x1b\\[[0-9;]*m")
	cases := append([]ocftCase(nil), made...)
	var current *ocftCase
	var doing string
	for raw := range strings.Lines(text) {
		line := strings.TrimSpace(colour.ReplaceAllString(raw, ""))
		if m := begin.FindStringSubmatch(line); m != nil {
			current, doing = find(cases, m[1]), ""
			if current != nil {
				current.Failure = ""
			}
			continue
		}
		if strings.HasPrefix(line, "Cleaning '") {
			current = nil
		}
		if action, ok := strings.CutPrefix(line, "Running agent:"); ok {
			doing = strings.TrimSpace(action)
		}
		if current != nil && current.Failure == "" {
			current.Failure = failure(line, doing)
		}
	}
	return cases
}

func find(cases []ocftCase, number string) *ocftCase {
	for i := range cases {
		if strconv.Itoa(cases[i].Number) == number {
			return &cases[i]
		}
	}
	return nil
}

// failure is what a line of ocft's output says went wrong, or "".
func failure(line, doing string) string {
	if strings.HasPrefix(line, "ERROR: ") {
		return line
	}
	_, said, ok := strings.Cut(line, "FAILED. ")
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s: %s", doing, strings.TrimSuffix(said, " See details below:"))
}
