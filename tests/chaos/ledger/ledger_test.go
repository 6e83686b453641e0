package ledger_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"holdfast/tests/chaos/ledger"
)

// book is a ledger of the writes 0 to 3 acknowledged, 4 refused, 5 indeterminate.
func book() *ledger.Ledger {
	var l ledger.Ledger
	for id := range uint64(4) {
		l.Record(id, ledger.Acknowledged)
	}
	l.Record(4, ledger.Refused)
	l.Record(5, ledger.Indeterminate)
	return &l
}

func TestAudit(t *testing.T) {
	tests := []struct {
		name    string
		present []uint64
		want    ledger.Findings
		sound   bool
	}{
		{"all there, in any order", []uint64{3, 1, 0, 2}, ledger.Findings{Rows: 4}, true},
		{"the indeterminate one may be there", []uint64{0, 1, 2, 3, 5}, ledger.Findings{Rows: 5, Doubtful: []uint64{5}}, true},
		{"acknowledged and lost", []uint64{1, 3}, ledger.Findings{Rows: 2, Lost: []uint64{0, 2}}, false},
		{"an empty node lost everything", nil, ledger.Findings{Lost: []uint64{0, 1, 2, 3}}, false},
		{"refused, but there", []uint64{0, 1, 2, 3, 4}, ledger.Findings{Rows: 5, Unexpected: []uint64{4}}, false},
		{"three times there", []uint64{0, 1, 1, 1, 2, 3}, ledger.Findings{Rows: 6, Duplicate: []uint64{1}}, false},
		{"never written", []uint64{0, 1, 2, 3, 99}, ledger.Findings{Rows: 5, Unknown: []uint64{99}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := book().Audit(test.present)
			if !reflect.DeepEqual(got, test.want) || got.Sound() != test.sound {
				t.Errorf("got %+v, sound %v; want %+v, %v", got, got.Sound(), test.want, test.sound)
			}
		})
	}
}

func TestWhatWasAcknowledgedStaysPromised(t *testing.T) {
	var l ledger.Ledger
	l.Record(1, ledger.Indeterminate)
	l.Record(1, ledger.Acknowledged)
	l.Record(1, ledger.Refused)
	if want := (ledger.Counts{Attempts: 1, Acknowledged: 1}); l.Counts() != want {
		t.Errorf("got %+v, want %+v", l.Counts(), want)
	}
}

func TestNodesCompared(t *testing.T) {
	l := book()
	all := []ledger.Findings{l.Audit([]uint64{0, 1, 2, 3, 5}), l.Audit([]uint64{0, 1, 2}), l.Audit([]uint64{0, 2, 3})}
	if got, want := ledger.LostAnywhere(all), []uint64{1, 3}; !reflect.DeepEqual(got, want) {
		t.Errorf("lost: got %v, want %v", got, want)
	}
	if got, want := ledger.Divergent(all), []uint64{5}; !reflect.DeepEqual(got, want) {
		t.Errorf("divergent: got %v, want %v", got, want)
	}
	if got := ledger.Divergent(all[:1]); got != nil {
		t.Errorf("one node differs from itself in %v", got)
	}
}

func TestFile(t *testing.T) {
	var file bytes.Buffer
	record := func(run string, id uint64, v ledger.Verdict) {
		t.Helper()
		if err := ledger.Append(&file, ledger.Record{Run: run, ID: id, Verdict: v.String(), Node: "db1", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	record("first", 1, ledger.Acknowledged)
	record("second", 1, ledger.Acknowledged)
	record("first", 2, ledger.Refused)
	record("second", 2, ledger.Indeterminate)
	file.WriteString(`{"run":"second","id":3,"verd`) // the client was killed here

	for _, test := range []struct {
		run, name string
		want      ledger.Counts
	}{
		{"", "second", ledger.Counts{Attempts: 2, Acknowledged: 1, Indeterminate: 1}},
		{"first", "first", ledger.Counts{Attempts: 2, Acknowledged: 1, Refused: 1}},
	} {
		l, name, err := ledger.Read(bytes.NewReader(file.Bytes()), test.run)
		if err != nil || name != test.name || l.Counts() != test.want {
			t.Errorf("run %q: got %v %q %+v, want %q %+v", test.run, err, name, l, test.name, test.want)
		}
	}
	if _, _, err := ledger.Read(&file, "third"); !errors.Is(err, ledger.ErrNoRun) {
		t.Errorf("an unknown run gave %v", err)
	}
}

func TestMalformedFileNamesTheLine(t *testing.T) {
	for _, line := range []string{"x", `{"id":1,"verdict":"refused"}`, `{"run":"r","id":1,"verdict":"maybe"}`, `{"run":"r","id":-1,"verdict":"refused"}`} {
		content := `{"run":"r","id":1,"verdict":"refused"}` + "\n" + line + "\n"
		if _, _, err := ledger.Read(strings.NewReader(content), ""); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

// FuzzRead checks that whatever is in the file, Read ends, and that what it
// accepted can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"run":"r","id":1,"verdict":"acknowledged","node":"db1","at":"2026-01-02T03:04:05Z"}` + "\n"))
	f.Add([]byte("\n"))
	f.Add([]byte(`{"run":"r"`))
	f.Fuzz(func(t *testing.T, content []byte) {
		l, name, err := ledger.Read(bytes.NewReader(content), "")
		if err != nil {
			return
		}
		c := l.Counts()
		if name == "" || c.Attempts == 0 || c.Attempts != c.Acknowledged+c.Refused+c.Indeterminate {
			t.Errorf("run %q with %+v", name, c)
		}
	})
}
