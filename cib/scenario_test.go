package cib_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"holdfast/cib"
)

var update = flag.Bool("update", false, "write the expected output anew")

// stream is a CIB and the patchsets that followed, from a node of the lab: the first
// line of testdata/*.patches and the others. They are parts of crmbridge's recordings.
func stream(t testing.TB, name string) (snapshot []byte, patches []*etree.Element) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".patches"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	for _, line := range lines[1:] {
		patches = append(patches, element(t, string(line)))
	}
	return lines[0], patches
}

func element(t testing.TB, xml string) *etree.Element {
	t.Helper()
	d := etree.NewDocument()
	if err := d.ReadFromString(xml); err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func parse(t testing.TB, xml []byte) *cib.Document {
	t.Helper()
	d, err := cib.Parse(xml)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRecordedFaults tells, for each recorded fault, what changed at which version.
func TestRecordedFaults(t *testing.T) {
	for _, name := range []string{"planned-move", "standby", "mariadb-killed", "power-cut", "cable-out"} {
		t.Run(name, func(t *testing.T) {
			snapshot, patches := stream(t, name)
			d := parse(t, snapshot)
			var story strings.Builder
			for _, p := range patches {
				changes, err := d.Apply(p)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&story, "%v\n", d.Version())
				for _, c := range changes {
					fmt.Fprintf(&story, "  %s\n", tell(c))
				}
			}
			golden := filepath.Join("testdata", name+".changes")
			if *update {
				if err := os.WriteFile(golden, []byte(story.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), story.String()); diff != "" {
				t.Errorf("(-want +got, or run with -update):\n%s", diff)
			}
		})
	}
}

func tell(c cib.Change) string {
	switch {
	case c.Before == nil:
		return "+ " + describe(c.After)
	case c.After == nil:
		return "- " + describe(c.Before)
	}
	return "  " + describe(c.Before) + " -> " + describe(c.After)
}

func describe(f cib.Fact) string {
	o, ok := f.(cib.Operation)
	if !ok {
		return fmt.Sprintf("%T%+v", f, f)
	}
	status := fmt.Sprintf("status %d rc %d exec %v", o.Status, o.RC, o.Exec)
	if o.Pending() {
		status = "pending"
	}
	if o.Failed() {
		status += " FAILED " + o.Reason
	}
	if o.Refreshed {
		status += " (written again)"
	}
	return fmt.Sprintf("%s: %s %s/%v call %d transition %d, %s", o.Node, o.Entry, o.Action, o.Interval, o.CallID, o.Transition.Number, status)
}

// TestChangesAddUp replays the recordings: the state that the changes make of the first
// state is what the document says at the end, and what a fresh parse of it says.
func TestChangesAddUp(t *testing.T) {
	for _, name := range []string{"planned-move", "standby", "mariadb-killed", "power-cut", "cable-out"} {
		t.Run(name, func(t *testing.T) {
			snapshot, patches := stream(t, name)
			d, early := parse(t, snapshot), parse(t, snapshot)
			var applied []cib.Change
			for _, p := range patches {
				changes, err := d.Apply(p)
				if err != nil {
					t.Fatal(err)
				}
				applied = append(applied, changes...)
			}
			xml, err := d.XML()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parse(t, xml).State(), d.State()); diff != "" {
				t.Errorf("the document and its text differ:\n%s", diff)
			}
			if got, want := parse(t, xml).Digest(), d.Digest(); got != want {
				t.Errorf("digest %s of the text, %s of the document", got, want)
			}
			if diff := cmp.Diff(net(mustReplace(t, early, xml)), net(applied)); diff != "" {
				t.Errorf("-one step +many steps:\n%s", diff)
			}
		})
	}
}

func mustReplace(t *testing.T, d *cib.Document, xml []byte) []cib.Change {
	t.Helper()
	changes, err := d.Replace(element(t, string(xml)))
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// net is what a list of changes comes to, by what each fact is about.
func net(changes []cib.Change) map[string]string {
	first, last := map[string]string{}, map[string]string{}
	for _, c := range changes {
		f := c.After
		if f == nil {
			f = c.Before
		}
		id := about(f)
		if _, ok := first[id]; !ok {
			first[id] = fmt.Sprintf("%+v", c.Before)
		}
		last[id] = fmt.Sprintf("%+v", c.After)
	}
	total := map[string]string{}
	for id, before := range first {
		if last[id] != before {
			total[id] = before + " -> " + last[id]
		}
	}
	return total
}

func about(f cib.Fact) string {
	switch f := f.(type) {
	case cib.Operation:
		return "operation " + f.NodeID + f.Resource + f.Entry
	case cib.Attribute:
		return fmt.Sprint("attribute ", f.NodeID, f.Name, f.Transient)
	case cib.NodeState:
		return "state " + f.ID
	case cib.Setting:
		return "setting " + f.Resource + f.Name
	case cib.Constraint:
		return "constraint " + f.ID
	case cib.Property:
		return "property " + f.Set + f.Name
	}
	return fmt.Sprintf("%T", f)
}
