package main

import (
	"fmt"
	"strings"
)

// Whose agents are called.
const (
	ours     = "holdfast"
	original = "heartbeat"
)

// difference is a case of Debian's that the agent does not pass, and why it is right not to.
type difference struct {
	suite  string
	number int
	answer string // what the agent says instead, as ocft names it; another answer is another difference
	reason string
}

// differences are the known ones. An entry that no longer occurs fails the run as an unexpected one does.
func differences(provider string) []difference {
	longerPrefix := difference{"IPaddr2v6", 13, "OCF_SUCCESS",
		"the prefix may be longer than the subnet's, as ocft itself expects of IPv4 (IPaddr2v4 case 14); Debian's own agent answers the same"}
	if provider == original {
		return []difference{longerPrefix}
	}
	return []difference{
		{"IPaddr2", 8, "OCF_ERR_INSTALLED",
			"OCF_ERR_CONFIGURED bans the address from every node because one lacks the interface, OCF_ERR_INSTALLED only from that node; " +
				"upstream's agent and its ocft cases have changed to it since"},
		{"IPaddr2", 19, "OCF_NOT_RUNNING",
			"without the interface the address is on no interface: it is not running, and there is nothing to stop first"},
		longerPrefix,
	}
}

// check is one run of one tool.
type check struct {
	name   string
	failed string     // why an ocf-tester's run failed; "": it passed
	cases  []ocftCase // of an ocft run
	own    bool       // the configuration is ours, so that its cases are not among Debian's
}

// verdict says how everything ended, line by line, and whether that is as expected. The last line is the count of Debian's ocft cases.
func verdict(checks []check, known []difference) (lines []string, ok bool) {
	ok = true
	var debian, own tally
	for _, c := range checks {
		switch {
		case c.cases == nil && c.failed == "":
			lines = append(lines, c.name+": passed")
		case c.cases == nil:
			lines, ok = append(lines, c.name+": FAILED: "+c.failed), false
		case c.own:
			own.add(c.cases, known)
		default:
			debian.add(c.cases, known)
		}
	}
	lines = append(append(lines, own.lines...), debian.lines...)
	for _, d := range known {
		if !debian.occurred(d) && !own.occurred(d) {
			lines = append(lines, fmt.Sprintf("UNEXPECTED: %s case %d passes now; remove it from differences.go", d.suite, d.number))
			ok = false
		}
	}
	lines = append(lines, own.count("ocft galera"), debian.count("ocft"))
	return lines, ok && own.expected() && debian.expected()
}

// tally counts cases.
type tally struct {
	passed, all, unexpected int
	lines                   []string
	argued                  []difference
}

func (t *tally) add(cases []ocftCase, known []difference) {
	for _, c := range cases {
		t.all++
		if c.Failure == "" {
			t.passed++
			continue
		}
		name := fmt.Sprintf("%s case %d (%s)", c.Suite, c.Number, c.Summary)
		if d, ok := argued(c, known); ok {
			t.argued = append(t.argued, d)
			t.lines = append(t.lines, fmt.Sprintf("difference: %s: %s\n  reason: %s", name, c.Failure, d.reason))
			continue
		}
		t.unexpected++
		t.lines = append(t.lines, fmt.Sprintf("UNEXPECTED: %s: %s", name, c.Failure))
	}
}

func argued(c ocftCase, known []difference) (difference, bool) {
	for _, d := range known {
		if d.suite == c.Suite && d.number == c.Number && strings.Contains(c.Failure, "'"+d.answer+"' != ") {
			return d, true
		}
	}
	return difference{}, false
}

func (t *tally) occurred(d difference) bool {
	for _, a := range t.argued {
		if a == d {
			return true
		}
	}
	return false
}

// expected says whether all cases passed or differ with a reason. No case at all is not expected.
func (t *tally) expected() bool { return t.unexpected == 0 && t.all > 0 }

func (t *tally) count(what string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d passed", what, t.passed, t.all)
	if len(t.argued) > 0 {
		fmt.Fprintf(&b, "; differences with their reasons above: %d", len(t.argued))
	}
	if t.unexpected > 0 {
		fmt.Fprintf(&b, "; UNEXPECTED: %d", t.unexpected)
	}
	return b.String()
}
