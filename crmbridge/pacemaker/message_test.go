package pacemaker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestDecodeGivesWhatEncodeTook(t *testing.T) {
	for _, xml := range []string{"<a/>", "", strings.Repeat("x", 200_000)} {
		id, got, err := Decode(encode(7, []byte(xml)))
		if err != nil || id != 7 || string(got) != xml {
			t.Errorf("%d bytes came back as %d with id %d, %v", len(xml), len(got), id, err)
		}
	}
}

// compressed is a patch of 190 kB that a daemon sent as bzip2.
func compressed(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/compressed.message")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCompressedMessage(t *testing.T) {
	b := compressed(t)
	id, xml, err := Decode(b)
	if err != nil || id != 9 {
		t.Fatalf("id %d, %v", id, err)
	}
	p, ok, err := ParsePatch(xml)
	if err != nil || !ok || len(p.Diff.FindElements(".//nvpair")) != 4000 || p.Target.String() != "0.5.8" {
		t.Errorf("patch %+v, %v, %v", p.Target, ok, err)
	}
	for name, change := range map[string]func([]byte){
		"fewer bytes than announced": func(b []byte) { binary.NativeEndian.PutUint32(b[offPlain:], 1<<20) },
		"more bytes than announced":  func(b []byte) { binary.NativeEndian.PutUint32(b[offPlain:], 1000) },
		"more than anybody needs":    func(b []byte) { binary.NativeEndian.PutUint32(b[offPlain:], largestDocument+1) },
		"nothing":                    func(b []byte) { binary.NativeEndian.PutUint32(b[offPlain:], 0) },
		"no bzip2":                   func(b []byte) { b[headerSize] = 'X' },
		"a broken block":             func(b []byte) { b[len(b)/2] ^= 0xFF },
		"beyond the message":         func(b []byte) { binary.NativeEndian.PutUint32(b[offCompressed:], 1<<31) },
		"no compressed bytes":        func(b []byte) { binary.NativeEndian.PutUint32(b[offCompressed:], 0) },
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(compressed(t))
			change(b)
			if _, _, err := Decode(b); !errors.Is(err, ErrMalformed) {
				t.Errorf("decoded with %v", err)
			}
		})
	}
}

func TestMalformedMessages(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"no header":          func(b []byte) []byte { return b[:headerSize-1] },
		"another version":    func(b []byte) []byte { b[offVersion] = 2; return b },
		"a part":             func(b []byte) []byte { b[offFlags+2] |= 1 << 3; return b },
		"longer than it is":  func(b []byte) []byte { b[offPlain]++; return b },
		"no NUL at the end":  func(b []byte) []byte { b[len(b)-1] = 'x'; return b },
		"no XML, not even 0": func(b []byte) []byte { b[offPlain] = 0; return b },
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Decode(change(encode(1, []byte("<a/>")))); !errors.Is(err, ErrMalformed) {
				t.Errorf("decoded with %v", err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(1, []byte("<a/>")))
	f.Add(compressed(f))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= headerSize && binary.NativeEndian.Uint32(b[offPlain:]) > 1<<20 {
			return // bounded as well, but slow
		}
		_, xml, err := Decode(b)
		if err == nil && len(xml) > largestDocument {
			t.Fatalf("%d bytes", len(xml))
		}
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("an error without a name: %v", err)
		}
	})
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(patch("0.5.7", "0.5.8")))
	f.Add([]byte(fenced))
	f.Add([]byte(history))
	f.Fuzz(func(t *testing.T, xml []byte) {
		root, err := read(xml)
		if err != nil {
			return
		}
		if p, ok, err := parsePatch(root); err == nil && ok && p.Diff == nil {
			t.Fatal("a patch without a diff")
		}
		_, _ = parseFencing(root)
		_, _ = parseHistory(root)
		_, _ = parseValues(root)
		_, _ = outcome(root, "vip")
		_ = acknowledged(root)
	})
}

func BenchmarkPatch(b *testing.B) {
	message := encode(1, []byte(patch("0.5.7", "0.5.8")))
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		root, err := parseEvent(message)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok, err := parsePatch(root); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkCompressedPatch(b *testing.B) {
	message := compressed(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseEvent(message); err != nil {
			b.Fatal(err)
		}
	}
}
