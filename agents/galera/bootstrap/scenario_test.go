package bootstrap

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the outcomes in testdata")

// TestScenarios runs the files of testdata. A case is
//
//	case: what it is about
//	quorum: no                        (if there is none)
//	two_node_mode: yes                (if it is set)
//	db1  online   A:10  safe          name, state, position, marks
//	db2  offline  -                   - is no report, none is a report of no data
//	=> elect db1: reason
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFile(t, file) })
	}
}

func runFile(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var nodes []Node
	title, around, cases := "", Circumstances{Quorate: true}, 0
	for line := range strings.Lines(string(text)) {
		got := strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "case:"):
			title, around, nodes = strings.TrimSpace(got[len("case:"):]), Circumstances{Quorate: true}, nil
		case strings.HasPrefix(line, "quorum: no"):
			around.Quorate = false
		case strings.HasPrefix(line, "two_node_mode: yes"):
			around.TwoNode = true
		case strings.HasPrefix(line, "=>"):
			cases++
			d := Decide(nodes, around)
			got = "=> " + outcome(d)
			if want := strings.TrimRight(line, "\n"); got != want && !*update {
				t.Errorf("%s:\n got %s\nwant %s", title, got, want)
			}
			checkSafe(t, title, nodes, around, d)
		case strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#"):
			nodes = append(nodes, parseNode(t, line))
		}
		fmt.Fprintln(&out, got)
	}
	if cases == 0 {
		t.Fatalf("%s has no case", file)
	}
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func outcome(d Decision) string {
	if d.Verdict == Elect {
		return fmt.Sprintf("elect %s: %s", d.Node, d.Reason)
	}
	return fmt.Sprintf("%s: %s", d.Verdict, d.Reason)
}

func parseNode(t *testing.T, line string) Node {
	t.Helper()
	f := strings.Fields(line)
	if len(f) < 3 {
		t.Fatalf("a node is: name state position marks...: %q", line)
	}
	n := Node{Name: f[0]}
	switch f[1] {
	case "online":
		n.State = Online
	case "offline":
		n.State = Offline
	case "unclean":
		n.State = Unclean
	default:
		t.Fatalf("no state %q: %q", f[1], line)
	}
	switch f[2] {
	case "-":
	case "none":
		n.Reported, n.Position = true, NoPosition()
	default:
		letter, seqno, _ := strings.Cut(f[2], ":")
		p, err := ParsePosition(uuidOf(letter) + ":" + seqno)
		if err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		n.Reported, n.Position = true, p
	}
	for _, mark := range f[3:] {
		switch mark {
		case "safe":
			n.SafeToBootstrap = true
		case "no-grastate": // deleted
			n.NoGrastate = true
		case "denied": // torn, or with a zero uuid
			n.NoGrastate, n.Denied = true, true
		case "interrupted":
			n.Interrupted = true
		case "ignored":
			n.Ignored = true
		default:
			t.Fatalf("no mark %q: %q", mark, line)
		}
	}
	return n
}

func uuidOf(letter string) string {
	l := strings.ToLower(letter)
	return strings.Repeat(l, 8) + "-" + strings.Repeat(l, 4) + "-" + strings.Repeat(l, 4) + "-" + strings.Repeat(l, 4) + "-" + strings.Repeat(l, 12)
}

// checkSafe states what no decision may break, whatever its reason.
func checkSafe(t *testing.T, title string, nodes []Node, c Circumstances, d Decision) {
	t.Helper()
	if d.Verdict != Elect {
		return
	}
	var winner *Node
	for i := range nodes {
		if nodes[i].Name == d.Node {
			winner = &nodes[i]
		}
	}
	if winner == nil || !winner.Reported {
		t.Fatalf("%s: the winner %q has not reported", title, d.Node)
	}
	if winner.Denied && !winner.Position.None() && !allLevel(reported(nodes)) {
		t.Errorf("%s: %s wins, whose data may be half a copy", title, d.Node)
	}
	if !c.Quorate {
		t.Errorf("%s: %s wins without quorum", title, d.Node)
	}
	survives := c.TwoNode && len(nodes) == 2 && winner.Interrupted && !winner.NoGrastate
	for _, n := range nodes {
		if !n.Reported {
			if n.State != Offline || !winner.SafeToBootstrap && !n.Ignored && !survives {
				t.Errorf("%s: %s wins without a report of %s", title, d.Node, n.Name)
			}
			if winner.Position.None() {
				t.Errorf("%s: %s, which is empty, wins without a report of %s", title, d.Node, n.Name)
			}
			continue
		}
		if !n.Position.None() && n.Position.UUID != winner.Position.UUID {
			t.Errorf("%s: %s wins over data of another cluster on %s", title, d.Node, n.Name)
		}
		if n.Position.Seqno > winner.Position.Seqno {
			t.Errorf("%s: %s wins although %s has more", title, d.Node, n.Name)
		}
	}
}

func reported(nodes []Node) []Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n Node) bool { return !n.Reported })
}
