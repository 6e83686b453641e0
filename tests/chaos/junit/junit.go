package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Time       string     `xml:"time,attr"`
	Timestamp  string     `xml:"timestamp,attr"` // without a zone, as the schema wants it: UTC
	Properties []property `xml:"properties>property,omitempty"`
	Cases      []testcase `xml:"testcase"`
	seconds    float64
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Name      string   `xml:"name,attr"`
	Class     string   `xml:"classname,attr"`
	Time      string   `xml:"time,attr"`
	Failure   *problem `xml:"failure"`
	Error     *problem `xml:"error"`
	SystemOut string   `xml:"system-out,omitempty"`
}

type problem struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// Write writes the XML of a run. It returns an error only when the writer does.
func Write(w io.Writer, run result.Run) error {
	content, err := xml.MarshalIndent(newSuites(run), "", "  ")
	if err != nil {
		return fmt.Errorf("encode run %s as JUnit XML: %w", run.ID, err)
	}
	if _, err := io.WriteString(w, xml.Header+string(content)+"\n"); err != nil {
		return fmt.Errorf("write the JUnit XML of run %s: %w", run.ID, err)
	}
	return nil
}

func newSuites(run result.Run) suites {
	all := suites{Name: "chaos " + run.ID, Time: seconds(run.Ended.Sub(run.Started).Seconds())}
	for _, f := range run.Faults {
		all.suite(run, f.Name, f.Injected).add(newCase(run, f), float64(f.To-f.From)/1000)
	}
	for _, n := range run.NotBegun {
		all.suite(run, n.Name, n.At).add(notBegunCase(n), 0)
	}
	if run.SLA != nil {
		s := newSuite(run, "service level", run.Started)
		s.add(promiseCase(*run.SLA), run.Ended.Sub(run.Started).Seconds())
		all.Suites = append(all.Suites, s)
	}
	for _, s := range all.Suites {
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	return all
}

// suite is that of a fault; a new one when it is the first of its repetitions.
func (all *suites) suite(run result.Run, fault string, at time.Time) *suite {
	i := slices.IndexFunc(all.Suites, func(s suite) bool { return s.Name == fault })
	if i < 0 {
		i = len(all.Suites)
		all.Suites = append(all.Suites, newSuite(run, fault, at))
	}
	return &all.Suites[i]
}

func newSuite(run result.Run, name string, started time.Time) suite {
	s := suite{Name: name, Timestamp: started.UTC().Format("2006-01-02T15:04:05")}
	s.Properties = append(s.Properties, property{"run", run.ID}, property{"address", run.Address})
	for _, name := range slices.Sorted(maps.Keys(run.Versions)) {
		s.Properties = append(s.Properties, property{"version " + name, run.Versions[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(run.Settings)) {
		s.Properties = append(s.Properties, property{"setting " + name, run.Settings[name]})
	}
	return s
}

func (s *suite) add(c testcase, took float64) {
	c.Time = seconds(took)
	s.seconds += took
	s.Time = seconds(s.seconds)
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
}

func newCase(run result.Run, f result.Fault) testcase {
	c := testcase{Name: fmt.Sprintf("repetition %d", f.Repetition), Class: "chaos." + f.Name, SystemOut: account(f)}
	if len(f.Targets) > 0 {
		c.Name += " on " + strings.Join(f.Targets, ", ")
	}
	var longest result.Milliseconds
	if run.SLA != nil {
		longest = run.SLA.MaxInterruption
	}
	breaches := sla.Breaches(f, longest)
	_, measured := sla.Writer(f)
	if len(breaches) > 0 {
		lines := make([]string, len(breaches))
		for i, b := range breaches {
			lines[i] = b.Kind + ": " + b.Text
		}
		c.Failure = &problem{Type: breaches[0].Kind, Message: breaches[0].Text, Text: strings.Join(lines, "\n")}
	}
	switch {
	case f.Error != "":
		c.Error = &problem{Type: "unmeasured", Message: f.Error}
	case c.Failure == nil && longest > 0 && !measured:
		c.Error = &problem{Type: "unmeasured", Message: fmt.Sprintf(
			"no client wrote over a new connection, so whether the interruption was longer than %s is not known", longest.Duration())}
	}
	return c
}

// notBegunCase is a repetition whose fault was never injected.
func notBegunCase(n result.NotBegun) testcase {
	return testcase{Name: fmt.Sprintf("repetition %d", n.Repetition), Class: "chaos." + n.Name,
		Error: &problem{Type: "not-begun", Message: "the fault was not injected: " + n.Why}}
}

// account is everything about a repetition that is not a verdict.
func account(f result.Fault) string {
	var out strings.Builder
	for _, sentence := range f.Unmeasured {
		fmt.Fprintf(&out, "not measured: %s\n", sentence)
	}
	writer, measured := sla.Writer(f)
	switch took := writer.Interruption.Duration().Round(time.Millisecond); {
	case !measured:
		fmt.Fprintln(&out, "interruption: not measured, no client wrote over a new connection")
	case writer.Open:
		fmt.Fprintf(&out, "interruption: open, at least %s\n", took)
	default:
		fmt.Fprintf(&out, "interruption: %s\n", took)
	}
	if doubled := f.LongestDoubled(); doubled > 0 {
		fmt.Fprintf(&out, "address on two nodes: %s at most\n", doubled.Duration().Round(time.Millisecond))
	}
	fmt.Fprintf(&out, "acknowledged: %d, lost: %d, indeterminate: %d\n", f.Acked, f.Lost, f.Indeterminate)
	for _, m := range f.Marks {
		fmt.Fprintf(&out, "%+10.0f ms  %s %s\n", float64(m.At), m.Name, m.Node)
	}
	return out.String()
}

// promiseCase is what was promised of the whole run.
func promiseCase(s result.SLA) testcase {
	var words []string
	if s.Objective != "" {
		words = append(words, s.Objective+" in "+s.Window)
	}
	if s.MaxInterruption > 0 {
		words = append(words, "no interruption longer than "+s.MaxInterruption.Duration().String())
	}
	c := testcase{Name: strings.Join(words, ", "), Class: "chaos.sla", SystemOut: s.Reason}
	switch s.Verdict {
	case string(sla.Met):
	case string(sla.Breached):
		c.Failure = &problem{Type: s.Verdict, Message: s.Reason}
	default:
		c.Error = &problem{Type: string(sla.Unknown), Message: s.Reason}
	}
	return c
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", max(0, s)) }
