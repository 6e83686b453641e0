package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// export writes the Journal Export Format.
func export(entries []map[string]string, binaries bool) []byte {
	var b bytes.Buffer
	for _, f := range entries {
		for _, name := range slices.Sorted(maps.Keys(f)) {
			if !binaries && !strings.Contains(f[name], "\n") {
				fmt.Fprintf(&b, "%s=%s\n", name, f[name])
				continue
			}
			fmt.Fprintf(&b, "%s\n", name)
			b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(f[name]))))
			fmt.Fprintf(&b, "%s\n", f[name])
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// TestReadFiles reads every form that a copied journal may have, two nodes at once.
func TestReadFiles(t *testing.T) {
	m, _ := filled(t)
	dir := t.TempDir()
	var lines bytes.Buffer
	for _, f := range m.entries {
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(text, '\n'))
	}
	for name, text := range map[string][]byte{"a.json": lines.Bytes(), "b.export": export(m.entries, false), "c.export": export(m.entries, true)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Read(t.Context(), Range{}, path, path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, found := l.Verify(); len(found) != 0 || l.Entries() != 6 {
			t.Errorf("%s: %d entries, findings %+v", name, l.Entries(), found)
		}
	}
}

// TestLongFieldsLeftOut: an export that has no records is none, and says how to make a whole one.
func TestLongFieldsLeftOut(t *testing.T) {
	none := func(map[string]string) error { return nil }
	if err := parseJSON(strings.NewReader(`{"CRMBRIDGE_TYPE":"record","CRMBRIDGE_RECORD":null}`), none); !errors.Is(err, ErrLeftOut) || !strings.HasPrefix(err.Error(), "CRMBRIDGE_RECORD: ") {
		t.Error(err)
	}
	if err := parseJSON(strings.NewReader(`{"MESSAGE":null,"SYSLOG_IDENTIFIER":"another"}`), none); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"MESSAGE":"a","B":[1,2],"C":null}`))
	f.Add([]byte("MESSAGE=a\nB\n\x01\x00\x00\x00\x00\x00\x00\x00x\n\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		for _, parse := range []func(*Log) error{
			func(l *Log) error { return parseJSON(bytes.NewReader(text), l.add) },
			func(l *Log) error { return parseExport(bytes.NewReader(text), l.add) },
		} {
			l := &Log{}
			if err := parse(l); err == nil {
				l.sort()
				l.Verify()
				_ = l.Watched(time.Now())
			}
		}
	})
}

// FuzzExport: what was exported is read as it was.
func FuzzExport(f *testing.F) {
	f.Add("MESSAGE", "one\ntwo")
	f.Fuzz(func(t *testing.T, name, value string) {
		if name == "" || strings.ContainsAny(name, "=\n") {
			return
		}
		want := map[string]string{name: value}
		err := parseExport(bytes.NewReader(export([]map[string]string{want}, true)), func(got map[string]string) error {
			if !maps.Equal(got, want) {
				t.Errorf("%v became %v", want, got)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
