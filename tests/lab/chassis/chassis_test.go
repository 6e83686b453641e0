package chassis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFirstOfNamespace(t *testing.T) {
	tests := []struct {
		name, status string
		want         bool
	}{
		{"a node's init", "Name:\tsystemd\nPid:\t16\nNSpid:\t16\t1\nNSpgid:\t16\t1\n", true},
		{"a node's init before it is one", "Name:\tsystemd-nspawn\nPid:\t16\nNSpid:\t16\t1\n", false},
		{"the chassis itself", "Name:\tholdfast-chassi\nNSpid:\t1\n", false},
		{"a process of a node", "Name:\tcorosync\nNSpid:\t40\t30\n", false},
		{"a process whose number begins with 1", "NSpid:\t40\t11\n", false},
		{"init of a container in a node", "NSpid:\t40\t30\t1\n", true},
		{"a kernel without PID namespaces", "Name:\tsystemd\n", false},
	}
	for _, tt := range tests {
		if got := firstOfNamespace(tt.status); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func FuzzFirstOfNamespace(f *testing.F) {
	f.Add("NSpid:\t16\t1\n")
	f.Fuzz(func(t *testing.T, status string) {
		if firstOfNamespace(status) && !strings.Contains(status, "NSpid:") {
			t.Error("a process without NSpid is nobody's first")
		}
	})
}

func TestHostsNamesEveryNodeAndTheOutside(t *testing.T) {
	config := Config{
		Nodes:  []NodeConfig{{"db1", "192.168.205.71"}, {"db2", "192.168.205.72"}},
		Switch: SwitchConfig{Address: "192.168.205.1"},
	}
	want := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
		"192.168.205.71\tdb1\n192.168.205.72\tdb2\n192.168.205.1\toutside\n"
	if got := hosts(config); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestRemoveCgroup uses plain directories: the kernel's are removed by the same calls.
func TestRemoveCgroup(t *testing.T) {
	top := filepath.Join(t.TempDir(), "lab")
	if err := RemoveCgroup(t.Context(), top); err != nil {
		t.Errorf("one that does not exist: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(top, "db1", "payload", "system.slice"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := RemoveCgroup(t.Context(), top); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(top); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestMountRootRefusesWhatOverlayfsMisreads(t *testing.T) {
	for _, path := range []string{"/a:b", "/a,b", `/a\b`} {
		if _, err := mountRoot(Config{State: path, Image: "/image"}, "db1"); err == nil || !strings.Contains(err.Error(), "choose another directory") {
			t.Errorf("%s: got %v, want a refusal with the remedy", path, err)
		}
	}
}

// TestLoopNamesTellLabsApart: the kernel keeps 63 bytes of a name, and one lab's must not begin with another's.
func TestLoopNamesTellLabsApart(t *testing.T) {
	name := loopName("0123abcd", "db1")
	if len(name) > 63 {
		t.Errorf("%q is too long for the kernel", name)
	}
	if !strings.HasPrefix(name, loopName("0123abcd", "")) || strings.HasPrefix(name, loopName("0123abc", "")) {
		t.Errorf("%q does not say whose disk it is", name)
	}
}
