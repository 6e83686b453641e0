package main

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArguments: what cannot be understood is refused before anything is sent.
func TestArguments(t *testing.T) {
	for _, args := range [][]string{
		{}, {"send"}, {"shout", "eth0", "192.0.2.1", "1s"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "here", "5", "200ms"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "192.0.2.1", "many", "200ms"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "192.0.2.1", "5", "200"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "192.0.2.1", "5", "200ms", "neighbour"},
		{"send", "eth0", "second", "02:00:00:00:00:01", "192.0.2.1", "5", "200ms"},
		{"send", "eth0", "2", "02:00", "192.0.2.1", "5", "200ms"},
		{"holder", "eth0", "here", "1s"}, {"holder", "eth0", "192.0.2.1", "long"},
	} {
		var said strings.Builder
		if err := run(args, &said); err == nil || strings.HasPrefix(said.String(), "ok") {
			t.Errorf("%v: said %q, error %v", args, said.String(), err)
		}
	}
	if err := run([]string{"send"}, io.Discard); !errors.Is(err, errUsage) {
		t.Errorf("no usage: %v", err)
	}
}

// TestMayGoOn: a note without a name, or an address that is not here, ends a burst.
func TestMayGoOn(t *testing.T) {
	note, err := os.Create(filepath.Join(t.TempDir(), "note"))
	if err != nil {
		t.Fatal(err)
	}
	defer note.Close()
	if !linked(int(note.Fd())) {
		t.Error("a note that is there is not seen")
	}
	if err := os.Remove(note.Name()); err != nil {
		t.Fatal(err)
	}
	if linked(int(note.Fd())) {
		t.Error("a note that was deleted still counts")
	}
	for address, want := range map[string]bool{"127.0.0.1": true, "192.0.2.1": false, "2001:db8::1": false} {
		if got := local(netip.MustParseAddr(address), 1); got != want {
			t.Errorf("%s is this machine's: %t", address, got)
		}
	}
}
