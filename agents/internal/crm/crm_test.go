package crm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"golang.org/x/sys/unix"
)

// The files in testdata are crm_mon's of Pacemaker 2.1.5 on real clusters.
func status(t *testing.T, file string) *Status {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseStatus(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseStatusPromoted(t *testing.T) {
	s := status(t, "promoted.xml")
	if !s.Quorate {
		t.Error("the cluster has quorum")
	}
	var promoted []string
	for _, i := range s.Active("galera") {
		if i.Promoted {
			promoted = append(promoted, i.Node)
		}
	}
	slices.Sort(promoted)
	if want := []string{"db1", "db2", "db3"}; !slices.Equal(promoted, want) {
		t.Errorf("promoted on %v, want %v", promoted, want)
	}
	if got := s.Attribute("db2", "master-galera"); got != "100" {
		t.Errorf("score of db2 is %q", got)
	}
}

func TestParseStatusOffline(t *testing.T) {
	s := status(t, "one-offline.xml")
	if n := s.Node("db3"); n.Online || n.Unclean {
		t.Errorf("db3 left in order, but is %+v", n)
	}
	if n := s.Node("db9"); n.Online || n.Name != "db9" {
		t.Errorf("an unknown node is %+v", n)
	}
}

// A promotion under way counts as none, and the failure of an instance shows.
func TestParseStatusPromoting(t *testing.T) {
	s := status(t, "waiting.xml")
	for _, i := range s.Instances {
		if i.Promoted {
			t.Errorf("%+v is only being promoted", i)
		}
	}
	if active := s.Active("galera"); len(active) != 1 || active[0].Node != "db2" {
		t.Errorf("active and not failed: %+v; want db2 only", active)
	}
	if got := s.Attribute("db2", "galera-position"); !strings.HasSuffix(got, ":50") {
		t.Errorf("position of db2 is %q", got)
	}
}

func TestParseStatusRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":        "",
		"text":         "crm_mon: Error: cluster is not available on this node",
		"another root": "<html></html>",
		"a failure":    `<pacemaker-result><status code="102" message="Not connected"/></pacemaker-result>`,
		"cut":          `<pacemaker-result><nodes><node name="db1"`,
		"not a bool":   `<pacemaker-result><nodes><node name="db1" online="maybe"/></nodes><status code="0"/></pacemaker-result>`,
	} {
		if s, err := ParseStatus([]byte(text)); err == nil {
			t.Errorf("%s: got %+v; want an error", name, s)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	for _, file := range []string{"promoted.xml", "waiting.xml"} {
		data, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		if s, err := ParseStatus(data); err == nil {
			s.Active("galera")
			s.Node("db1")
		}
	})
}

// attrd is an attribute daemon behind the tools: writes show after a delay, counted
// in looks.
type attrd struct {
	commands []string
	pending  int
	lag      int
	values   map[string]string // on db1
	broken   error
}

func (a *attrd) run(_ context.Context, name string, args ...string) ([]byte, error) {
	a.commands = append(a.commands, name+" "+strings.Join(args, " "))
	if a.broken != nil {
		return nil, a.broken
	}
	value := func(option string) string {
		if i := slices.Index(args, option); i >= 0 {
			return args[i+1]
		}
		return ""
	}
	switch name {
	case "attrd_updater":
		if value("--node") == "db1" {
			a.values[value("--name")] = value("--update")
		}
		a.pending = a.lag
	case "crm_attribute":
		names := strings.TrimSuffix(strings.TrimPrefix(value("--pattern"), "^("), ")$")
		for name := range strings.SplitSeq(names, "|") {
			delete(a.values, name)
		}
		a.pending = a.lag
	case "crm_mon":
		return []byte(a.show()), nil
	}
	return nil, nil
}

func (a *attrd) show() string {
	var b strings.Builder
	b.WriteString(`<pacemaker-result><nodes><node name="db1" online="true"/><node name="db2" online="false"/></nodes><node_attributes><node name="db1">`)
	if a.pending == 0 {
		for n, v := range a.values {
			b.WriteString(`<attribute name="` + n + `" value="` + v + `"/>`)
		}
	} else if a.pending > 0 {
		a.pending--
	}
	b.WriteString(`</node></node_attributes><status code="0"/></pacemaker-result>`)
	return b.String()
}

func never(context.Context, []Change) bool { return false }

// refuse is an attribute manager that takes nothing.
func refuse(context.Context, ...Change) error { return errors.New("refused") }

func TestUpdateThatShowsSoonNeedsNoLook(t *testing.T) {
	a := &attrd{values: map[string]string{}}
	c := &Cluster{run: a.run, tell: refuse, settleTime: time.Minute, soonShown: func(_ context.Context, changes []Change) bool {
		return slices.Equal(changes, []Change{{"db1", "x", "1"}})
	}}
	if err := c.Update(t.Context(), Change{"db1", "x", "1"}); err != nil || len(a.commands) != 1 {
		t.Errorf("%v, ran %q", err, a.commands)
	}
}

func TestShows(t *testing.T) {
	doc := etree.NewDocument()
	err := doc.ReadFromString(`<cib><configuration><nodes><node uname="db1"><instance_attributes><nvpair name="p" value="1"/></instance_attributes></node></nodes></configuration>
<status><node_state uname="db1"><transient_attributes id="1"><instance_attributes><nvpair name="x" value="1"/><nvpair name="y" value="2"/></instance_attributes></transient_attributes></node_state>
<node_state uname="db2"/></status></cib>`)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		changes []Change
		want    bool
	}{
		{"all there", []Change{{"db1", "x", "1"}, {"db1", "y", "2"}}, true},
		{"another value", []Change{{"db1", "x", "1"}, {"db1", "y", "3"}}, false},
		{"on another node", []Change{{"db2", "x", "1"}}, false},
		{"deleted", []Change{{"db1", "z", ""}, {"db2", "x", ""}}, true},
		{"not yet deleted", []Change{{"db1", "x", ""}}, false},
		{"the last change counts", []Change{{"db1", "x", ""}, {"db1", "x", "1"}}, true},
		{"a permanent one is none of these", []Change{{"db1", "p", "1"}}, false},
	} {
		if got := shows(doc.Root(), test.changes); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

func TestUpdateWritesInOrderAndWaits(t *testing.T) {
	a := &attrd{values: map[string]string{"x": "1", "y": "2"}, lag: 2}
	c := &Cluster{run: a.run, tell: refuse, settleTime: time.Minute, soonShown: never}
	err := c.Update(t.Context(),
		Change{"db1", "x", ""}, Change{"db1", "y", ""}, Change{"db1", "z", "3"}, Change{"db2", "z", "4"})
	if err != nil {
		t.Fatal(err)
	}
	look := "crm_mon --one-shot --output-as=xml --include=none,dc,nodes,resources,attributes"
	want := []string{
		"crm_attribute --lifetime reboot --node db1 --pattern ^(x|y)$ --delete",
		"attrd_updater --name z --update 3 --node db1",
		"attrd_updater --name z --update 4 --node db2",
		look, look, look,
	}
	if !slices.Equal(a.commands, want) {
		t.Errorf("ran\n%s\nwant\n%s", strings.Join(a.commands, "\n"), strings.Join(want, "\n"))
	}
}

// TestUpdateTellsTheAttributeManager: values that belong together are handed over together, without a tool.
func TestUpdateTellsTheAttributeManager(t *testing.T) {
	a := &attrd{values: map[string]string{"x": "1"}}
	var told [][]Change
	c := &Cluster{run: a.run, settleTime: time.Minute, soonShown: func(context.Context, []Change) bool { return true }, tell: func(_ context.Context, changes ...Change) error {
		told = append(told, changes)
		return nil
	}}
	if err := c.Update(t.Context(), Change{"db1", "y", "2"}, Change{"db1", "z", "3"}, Change{"db1", "x", ""}, Change{"db1", "w", "4"}); err != nil {
		t.Fatal(err)
	}
	if want := [][]Change{{{"db1", "y", "2"}, {"db1", "z", "3"}}, {{"db1", "w", "4"}}}; !reflect.DeepEqual(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if want := []string{"crm_attribute --lifetime reboot --node db1 --pattern ^(x)$ --delete"}; !slices.Equal(a.commands, want) {
		t.Errorf("ran %q, want %q", a.commands, want)
	}
}

func TestUpdateOfNothingRunsNothing(t *testing.T) {
	a := &attrd{}
	if err := (&Cluster{run: a.run, tell: refuse}).Update(t.Context()); err != nil || len(a.commands) > 0 {
		t.Errorf("%v, ran %v", err, a.commands)
	}
}

func TestUpdateThatDoesNotShow(t *testing.T) {
	a := &attrd{values: map[string]string{}, lag: -1} // never
	c := &Cluster{run: a.run, tell: refuse, settleTime: 50 * time.Millisecond, soonShown: never}
	if err := c.Update(t.Context(), Change{"db1", "x", "1"}); !errors.Is(err, ErrNotVisible) {
		t.Errorf("got %v, want ErrNotVisible", err)
	}
}

func TestUpdateSaysWhatFailed(t *testing.T) {
	a := &attrd{broken: errors.New("no connection")}
	err := (&Cluster{run: a.run, tell: refuse}).Update(t.Context(), Change{"db1", "x", "1"})
	if err == nil || err.Error() != "set x=1 on db1: no connection" {
		t.Errorf("got %v", err)
	}
}

// A tool that hangs is ended with what it started, and the error says so.
func TestCommandIsBounded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := command(ctx, "sh", "-c", "sleep 600 & wait")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestCommandFailure(t *testing.T) {
	_, err := command(t.Context(), "sh", "-c", "echo one >&2; echo two >&2; exit 3")
	if err == nil || err.Error() != "sh: exit status 3: one two" {
		t.Errorf("got %v", err)
	}
	_, err = command(t.Context(), "no-such-tool-of-pacemaker")
	if err == nil || !strings.Contains(err.Error(), "install pacemaker") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsRequestedGoesOnAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "session")
	if err := leave("sh", "-c", `cut -d" " -f6 /proc/$$/stat >"$1.new" && mv "$1.new" "$1"`, "sh", file); err != nil {
		t.Fatal(err)
	}
	var session []byte
	for end := time.Now().Add(time.Minute); session == nil && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		session, _ = os.ReadFile(file)
	}
	own, err := unix.Getsid(0)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(session)); got == "" || got == strconv.Itoa(own) {
		t.Errorf("it ran in session %q, ours is %d", got, own)
	}
}

// TestWhatIsNotAcceptedIsLeftToATool: a change that is requested is made in one way or the other.
func TestWhatIsNotAcceptedIsLeftToATool(t *testing.T) {
	var said []string
	refused := errors.New("refused")
	c := &Cluster{
		tell: func(_ context.Context, changes ...Change) error {
			said = append(said, "attrd "+changes[0].Name)
			if changes[0].Name == "y" {
				return nil
			}
			return refused
		},
		leave: func(name string, args ...string) error {
			said = append(said, name+" "+strings.Join(args, " "))
			return nil
		},
	}
	for _, ch := range []Change{{"db1", "master-galera", ""}, {"db1", "x", "1"}, {"db1", "y", "1"}} {
		if err := c.Request(t.Context(), ch); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"attrd master-galera", "attrd_updater --name master-galera --node db1 --delete",
		"attrd x", "attrd_updater --name x --node db1 --update 1", "attrd y",
	}
	if !slices.Equal(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
	c.leave = func(string, ...string) error { return refused }
	if err := c.Request(t.Context(), Change{"db1", "x", "1"}); !errors.Is(err, refused) {
		t.Errorf("got %v of what neither takes", err)
	}
}
