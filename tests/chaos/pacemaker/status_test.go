package pacemaker_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"holdfast/tests/chaos/pacemaker"
)

// healthy is what crm_mon of Pacemaker 2.1.5 says of a cluster in order.
func healthy(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/healthy.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUnclean(t *testing.T) {
	for _, test := range []struct {
		name, old, replacement string
		want                   string // in one of the reasons; empty for none
	}{
		{"in order", "", "", ""},
		{"a node on standby", `name="db2" id="2" online="true" standby="false"`, `name="db2" id="2" online="true" standby="true"`, "db2 is on standby"},
		{"a node away", `name="db3" id="3" online="true"`, `name="db3" id="3" online="false"`, "db3 is not online"},
		{"maintenance", `maintenance-mode="false"`, `maintenance-mode="true"`, "maintenance mode"},
		{"not promoted", `role="Promoted"`, `role="Unpromoted"`, "not promoted on db"},
		{"unmanaged", `managed="true"`, `managed="false"`, "not managed"},
		{"a failed action", "</pacemaker-result>", `<failures><failure op_key="galera_monitor_2000" node="db1" exitreason="gone"/></failures></pacemaker-result>`, "galera_monitor_2000 failed on db1 (gone)"},
		{"left over from a move", "</pacemaker-result>", `<bans><ban id="cli-ban-vip-on-db1"/></bans></pacemaker-result>`, "cli-ban-vip-on-db1"},
		{"no such address", `id="vip"`, `id="ip"`, `no resource "vip"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := healthy(t)
			if !strings.Contains(text, test.old) {
				t.Fatalf("the sample has no %q", test.old)
			}
			if test.old != "" {
				text = strings.Replace(text, test.old, test.replacement, 1)
			}
			s, err := pacemaker.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			got := s.Unclean([]string{"db1", "db2", "db3"}, "vip")
			if test.want == "" && len(got) > 0 || test.want != "" && !slices.ContainsFunc(got, func(w string) bool { return strings.Contains(w, test.want) }) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHolder(t *testing.T) {
	s, err := pacemaker.Parse(healthy(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Holder("vip"); !strings.HasPrefix(got, "db") {
		t.Errorf("the address is on %q", got)
	}
}

// FuzzParse checks that whatever crm_mon says, an answer that is read can be judged.
func FuzzParse(f *testing.F) {
	f.Add(healthy(f))
	f.Add("<pacemaker-result/>")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := pacemaker.Parse(text)
		if err == nil && len(s.Unclean([]string{"db1"}, "vip")) == 0 && len(s.Promoted()) == 0 {
			t.Error("a cluster without a promoted database is clean")
		}
	})
}

func TestWhatRunsWhere(t *testing.T) {
	text := strings.Replace(healthy(t), "</pacemaker-result>", `<failures><failure op_key="galera_monitor_2000" node="db1" exitreason="gone"/>
		<failure op_key="vip_start_0" node="db2" exitreason="other"/></failures></pacemaker-result>`, 1)
	text = strings.Replace(text, `name="db2" id="2" online="true"`, `name="db2" id="2" online="false"`, 1)
	s, err := pacemaker.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		got, want []string
	}{
		{"promoted", s.Promoted(), []string{"db1", "db2", "db3"}},
		{"online", s.Online(), []string{"db1", "db3"}},
		{"the address", s.Running("vip"), []string{s.Holder("vip")}},
		{"a part of the clone", s.Running("galera"), nil},
		{"reasons", s.Reasons("db1"), []string{"gone"}},
		{"no reasons", s.Reasons("db3"), nil},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
}
