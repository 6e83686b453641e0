package main

import (
	"errors"
	"testing"
)

// TestArguments: what cannot be understood is refused before anything is sent or noted.
func TestArguments(t *testing.T) {
	for _, args := range [][]string{
		{}, {"send"}, {"shout", "eth0", "192.0.2.1", "1s"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "here", "5", "200ms", "/nowhere/note"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "192.0.2.1", "many", "200ms", "/nowhere/note"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "192.0.2.1", "5", "200", "/nowhere/note"},
		{"send", "eth0", "2", "02:00:00:00:00:01", "192.0.2.1", "5", "200ms", "/nowhere/note", "neighbour"},
		{"send", "eth0", "second", "02:00:00:00:00:01", "192.0.2.1", "5", "200ms", "/nowhere/note"},
		{"send", "eth0", "2", "02:00", "192.0.2.1", "5", "200ms", "/nowhere/note"},
		{"holder", "eth0", "here", "1s"}, {"holder", "eth0", "192.0.2.1", "long"},
	} {
		said, err := run(args, func(line string) { t.Errorf("%v says %q", args, line) })
		if said || err == nil {
			t.Errorf("%v: said %t, error %v", args, said, err)
		}
	}
	if _, err := run([]string{"send"}, func(string) {}); !errors.Is(err, errUsage) {
		t.Errorf("no usage: %v", err)
	}
}
