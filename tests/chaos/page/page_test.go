package page_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"holdfast/tests/chaos/page"
	"holdfast/tests/chaos/result"
)

var update = flag.Bool("update", false, "write the golden pages")

func mustRender(t *testing.T, run result.Run) string {
	t.Helper()
	html, err := render(func(b *strings.Builder) error { return page.Write(b, run) })
	if err != nil {
		t.Fatal(err)
	}
	return html
}

func TestGolden(t *testing.T) {
	good := syntheticRun(interval, story{name: "node-power-cut", repetition: 1, interruption: 1500, healed: 9000})
	for name, run := range map[string]result.Run{
		"synthetic-campaign": goldenRun(),
		"synthetic-good":     good,
		"synthetic-nothing":  syntheticRun(interval),
	} {
		t.Run(name, func(t *testing.T) {
			got := mustRender(t, run)
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v: make it with go test ./tests/chaos/page -update, and look at it", err)
			}
			if got != string(want) {
				t.Errorf("%s differs from line %q: compare after go test -update", file, firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range as {
		if i >= len(bs) || as[i] != bs[i] {
			return fmt.Sprintf("%d: %.200s", i+1, as[i])
		}
	}
	return "its end"
}

// A page that is handed on must not load or run anything.
func TestSelfContained(t *testing.T) {
	html := mustRender(t, goldenRun())
	withoutNamespace := strings.ReplaceAll(html, "http://www.w3.org/2000/svg", "")
	for _, bad := range []string{"<script", "http:", "https:", "<link", "@import", "<iframe", "<img", "javascript:", " onclick", "ZgotmplZ"} {
		if strings.Contains(withoutNamespace, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for _, target := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(html, -1) {
		if !strings.HasPrefix(target[1], "#p-") || !strings.Contains(html, `id="`+target[1][1:]+`"`) {
			t.Errorf("url(%s) is not a pattern of this page", target[1])
		}
	}
}

// Every SVG is well formed and has the title and the description it points to,
// and no id is used twice.
func TestPicturesAreAccessible(t *testing.T) {
	html := mustRender(t, goldenRun())
	pictures := regexp.MustCompile(`(?s)<svg class="[a-z]+" role="img" aria-labelledby="([^" ]+) ([^"]+)".*?</svg>\n`).FindAllStringSubmatch(html, -1)
	if len(pictures) < 10 {
		t.Fatalf("only %d pictures", len(pictures))
	}
	for _, p := range pictures {
		if err := wellFormed(p[0]); err != nil {
			t.Errorf("%s: %v", p[1], err)
		}
		for _, id := range p[1:] {
			if !strings.Contains(p[0], `id="`+id+`"`) {
				t.Errorf("a picture has no element %s", id)
			}
		}
	}
	seen := map[string]bool{}
	for _, id := range regexp.MustCompile(`\bid="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		if seen[id[1]] {
			t.Errorf("id %s is used twice", id[1])
		}
		seen[id[1]] = true
	}
}

func wellFormed(s string) error {
	decoder := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
}

// Every text of a run is somebody's text.
func TestTextIsEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script>&`
	run := goldenRun()
	run.ID, run.Address = evil, evil
	run.Versions, run.Settings = map[string]string{evil: evil}, map[string]string{evil: evil}
	run.Nodes[0] = result.Node{Name: evil, Address: evil}
	run.SLA.Objective, run.SLA.Window, run.SLA.Reason = evil, evil, evil
	for i := range run.Faults {
		f := &run.Faults[i]
		f.Name, f.Description, f.Expected, f.Targets, f.Unmeasured = evil, evil, evil, []string{evil}, []string{evil}
		for j := range f.Marks {
			f.Marks[j].Name, f.Marks[j].Node = evil, evil
		}
		for j := range f.Violations {
			f.Violations[j].Kind, f.Violations[j].Node, f.Violations[j].Detail = evil, evil, evil
		}
		for j := range f.Lanes {
			f.Lanes[j].Name = evil
			for k := range f.Lanes[j].Spans {
				f.Lanes[j].Spans[k].State = evil
			}
		}
		for j := range f.Clients {
			f.Clients[j].Node = evil
			if j > 0 {
				f.Clients[j].Kind = evil
			}
		}
	}
	if html := mustRender(t, run); strings.Contains(html, "<script") {
		t.Errorf("a text became a tag near %.120q", html[strings.Index(html, "<script"):])
	}
}

func TestWhatThePageSays(t *testing.T) {
	good := syntheticRun(interval, story{name: "move", repetition: 1, interruption: 500, healed: 3000})
	unmeasured := syntheticRun(interval, story{name: "move", repetition: 1, interruption: 500, healed: 3000})
	unmeasured.Faults[0].Unmeasured = []string{"The ARP answers could not be seen: no right to open a raw socket."}
	ended := syntheticRun(interval, story{name: "move", repetition: 1, interruption: 500, healed: 3000})
	ended.NotBegun = []result.NotBegun{{Name: "move", Repetition: 2, Why: "db2 is on standby"}}
	tests := []struct {
		name    string
		run     result.Run
		says    []string
		saysNot []string
	}{
		{"nothing", syntheticRun(interval), []string{"Nothing was measured", "No fault was observed."}, []string{"No promise was broken"}},
		{"good", good, []string{"No promise was broken", "says little"}, []string{"Not measured:", "What was promised"}},
		{"unmeasured is never good", unmeasured, []string{"not everything was measured", "raw socket", "a zero there means"}, []string{"No promise was broken"}},
		{"ended early is never good", ended, []string{"not everything was measured", "The run ended before move, repetition 2: db2 is on standby."}, []string{"No promise was broken"}},
		{"broken", goldenRun(), []string{
			"A promise was broken", "two-primaries", "id 17 and &lt;18&gt;", "an open interruption", "(0 measured)",
			"30d × (100", "99.95% in any 30d", "breached", "4.00\u202fs, in which nobody was looking",
		}, []string{"No acknowledged write was found lost"}},
	}
	for _, test := range tests {
		html := mustRender(t, test.run)
		for _, words := range test.says {
			if !strings.Contains(html, words) {
				t.Errorf("%s: the page does not say %q", test.name, words)
			}
		}
		for _, words := range test.saysNot {
			if strings.Contains(html, words) {
				t.Errorf("%s: the page says %q", test.name, words)
			}
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	if err := page.Write(full{}, goldenRun()); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v", err)
	}
}
