package figures_test

import (
	"slices"
	"strings"
	"testing"

	"holdfast/tests/chaos/figures"
	"holdfast/tests/chaos/result"
)

// summary is a fault with its figures, in seconds.
func summary(fault string, lost int, interruptions ...float64) result.Summary {
	s := result.Summary{Fault: fault, N: len(interruptions), Acked: 1000 * len(interruptions), Lost: lost}
	for _, i := range interruptions {
		s.Interruption = append(s.Interruption, result.Milliseconds(1000*i))
	}
	return s
}

func TestText(t *testing.T) {
	s := summary("power-cut", 1, 2.5, 1.25, 1.75)
	s.N, s.Errors, s.Indeterminate, s.Violations = 4, 1, 7, []result.Violation{{Kind: "lost"}}
	want := `fault      n  median  p95     longest  acked  lost  unknown  violations  errors  
power-cut  4  1.75 s  2.50 s  2.50 s   3000   1     7        1           1       
nothing    0  -       -       -        0      0     0        0           0       
`
	if got := figures.Text([]result.Summary{s, summary("nothing", 0)}); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := figures.Text([]result.Summary{summary("nothing", 0)}); strings.Contains(got, "errors") {
		t.Errorf("a column of nothing:\n%s", got)
	}
}

func TestMarkdown(t *testing.T) {
	want := `2 faults, done 3 times in all: 3,000 acknowledged writes, of which none was lost; no promise about the data was broken.

<details><summary>Each fault</summary>

| fault | times | median | longest | acknowledged writes lost |
|---|---|---|---|---|
| ` + "`power-cut`" + ` | 2 | 1.50 s | 1.75 s | 0 |
| ` + "`planned-move`" + ` | 1 | 0.30 s | 0.30 s | 0 |

</details>
`
	if got := figures.Markdown([]result.Summary{summary("power-cut", 0, 1.75, 1.25), summary("planned-move", 0, 0.3)}); got != want {
		t.Errorf("got\n%s", got)
	}
	bad := summary("power-cut", 1234, 1)
	bad.Violations, bad.Errors = []result.Violation{{}, {}}, 1
	got := figures.Markdown([]result.Summary{bad})
	for _, words := range []string{"1,234 were lost", "promises were broken 2 times", "1 of the repetitions could not be measured", "| 1234 |"} {
		if !strings.Contains(got, words) {
			t.Errorf("%q is not in\n%s", words, got)
		}
	}
}

func TestMissing(t *testing.T) {
	failed := summary("c", 0, 1, 1)
	failed.Errors = 1
	all := []result.Summary{summary("a", 0, 1, 1), summary("b", 0, 1), failed}
	want := []string{"b (1)", "c (1)", "d (0)"}
	if got := figures.Missing(all, []string{"a", "b", "c", "d"}, 2); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := figures.Missing(all, []string{"a"}, 2); len(got) > 0 {
		t.Errorf("a whole campaign misses %q", got)
	}
}

func TestReplace(t *testing.T) {
	page := "before\n" + figures.Begin + "\nold\nold\n" + figures.End + "\nafter\n"
	want := "before\n" + figures.Begin + "\nnew\n" + figures.End + "\nafter\n"
	for range 2 { // the second time changes nothing
		got, found := figures.Replace(page, "new\n")
		if !found || got != want {
			t.Errorf("got %v, %q", found, got)
		}
		page = got
	}
	for _, page := range []string{"", "no markers\n", figures.End + "\n" + figures.Begin + "\n", figures.Begin + "\n", page + page} {
		if got, found := figures.Replace(page, "new\n"); found || got != page {
			t.Errorf("%q became %q", page, got)
		}
	}
}
