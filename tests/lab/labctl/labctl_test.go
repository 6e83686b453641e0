package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/tests/lab"
	"holdfast/tests/lab/chassis"
)

func TestParse(t *testing.T) {
	tests := []struct {
		line string
		want invocation
	}{
		{"up", invocation{state: defaultState, output: "table"}},
		{"up --deb a.deb --deb b.deb --replace", invocation{state: defaultState, output: "table", debs: []string{"a.deb", "b.deb"}, replace: true}},
		{"--state /tmp/x down", invocation{state: "/tmp/x", output: "table"}},
		{"status --output json", invocation{state: defaultState, output: "json"}},
		{"power off db2", invocation{state: defaultState, output: "table", args: []string{"off", "db2"}}},
		{"freeze --time db3", invocation{state: defaultState, output: "table", time: true, args: []string{"db3"}}},
		{"join --set TOKEN=500", invocation{state: defaultState, output: "table", settings: []string{"TOKEN=500"}}},
		{"exec db1 -- ls -l --color", invocation{state: defaultState, output: "table", args: []string{"db1"}, line: []string{"ls", "-l", "--color"}}},
		{"exec db1 ls -l", invocation{state: defaultState, output: "table", args: []string{"db1"}, line: []string{"ls", "-l"}}},
		{"exec db1 -- sh -c -- x", invocation{state: defaultState, output: "table", args: []string{"db1"}, line: []string{"sh", "-c", "--", "x"}}},
		{"client -- chaos --for 1s", invocation{state: defaultState, output: "table", line: []string{"chaos", "--for", "1s"}}},
	}
	for _, tt := range tests {
		got, err := parse(strings.Fields(tt.line))
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		same := got.state == tt.want.state && got.output == tt.want.output && got.replace == tt.want.replace && got.time == tt.want.time &&
			slices.Equal(got.debs, tt.want.debs) && slices.Equal(got.settings, tt.want.settings) &&
			slices.Equal(got.args, tt.want.args) && slices.Equal(got.line, tt.want.line)
		if !same {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.line, got, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ line, says string }{
		{"fly", `"fly"`},
		{"power", "usage: labctl power"},
		{"power cut db1", `"cut" is not one of on, off, shutdown, status`},
		{"power off db9", `"db9" is not one of db1, db2, db3`},
		{"exec db1", "needs a command"},
		{"exec db9 -- ls", `"db9"`},
		{"exec -- ls", "usage: labctl exec"},
		{"client", "needs a command"},
		{"status --output xml", `"xml"`},
		{"up --fast", "-fast"},
		{"down db1", "usage: labctl down"},
	}
	for _, tt := range tests {
		_, err := parse(strings.Fields(tt.line))
		var usage usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want a usage error with %q", tt.line, err, tt.says)
		}
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	for _, line := range []string{"", "help", "--help"} {
		if _, err := parse(strings.Fields(line)); !errors.Is(err, errHelp) {
			t.Errorf("%q: got %v, want help", line, err)
		}
	}
	for _, c := range commands() {
		if !strings.Contains(usageText(), "\n  "+c.name+" ") {
			t.Errorf("help does not name %s", c.name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("exec db1 -- ls -l")
	f.Add("up --deb x --replace")
	f.Fuzz(func(t *testing.T, line string) {
		inv, err := parse(strings.Fields(line))
		var usage usageError
		switch {
		case err == nil && inv.command.run == nil:
			t.Error("neither a command nor an error")
		case err != nil && !errors.As(err, &usage) && !errors.Is(err, errHelp):
			t.Errorf("%v is neither usage nor help", err)
		}
	})
}

func TestTable(t *testing.T) {
	since := time.Date(2026, 11, 23, 14, 2, 10, 0, time.Local)
	report := []lab.NodeReport{
		{NodeStatus: chassis.NodeStatus{Name: "db1", Address: "192.168.205.71", Power: "On", Cable: "in", Since: since}, System: "running"},
		{NodeStatus: chassis.NodeStatus{Name: "db2", Address: "192.168.205.72", Power: "Off", Cable: "out", Since: since}, System: "-"},
		{NodeStatus: chassis.NodeStatus{Name: "db3", Address: "192.168.205.73", Power: "On", Cable: "in", Since: since, Frozen: true}, System: "no answer"},
		{NodeStatus: chassis.NodeStatus{Name: "db1", Address: "192.168.205.71", Power: "On", Cable: "in", Since: since, Crashed: true}, System: "-"},
	}
	var out bytes.Buffer
	if err := table(&out, report); err != nil {
		t.Fatal(err)
	}
	want := `NODE  ADDRESS         POWER        CABLE  SYSTEM     SINCE
db1   192.168.205.71  On           in     running    2026-11-23 14:02:10
db2   192.168.205.72  Off          out    -          2026-11-23 14:02:10
db3   192.168.205.73  On, frozen   in     no answer  2026-11-23 14:02:10
db1   192.168.205.71  On, crashed  in     -          2026-11-23 14:02:10
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
