package image

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestKeyDependsOnEveryPart(t *testing.T) {
	base := Recipe{Suite: "bookworm", Packages: []string{"a", "b"}, Hooks: []string{"true"}}
	variants := map[string]Recipe{
		"suite":            {"trixie", base.Packages, base.Hooks},
		"packages":         {base.Suite, []string{"a"}, base.Hooks},
		"hooks":            {base.Suite, base.Packages, []string{"false"}},
		"package for hook": {base.Suite, []string{"a"}, []string{"b", "true"}},
	}
	if base.Key() != (Recipe{"bookworm", []string{"a", "b"}, []string{"true"}}).Key() {
		t.Error("the same recipe has two keys")
	}
	seen := map[string]string{base.Key(): "base"}
	for name, r := range variants {
		if other, ok := seen[r.Key()]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[r.Key()] = name
	}
}

func TestCommand(t *testing.T) {
	r := Recipe{Suite: "bookworm", Packages: []string{"a", "b"}, Hooks: []string{"echo"}}
	got := r.command("/dir", []string{"/etc/apt/sources.list"}, []string{`Acquire::http::Proxy "p"`})
	want := []string{"mmdebstrap", "--variant=minbase", "--mode=root", "--format=directory", "--include=a,b",
		`--aptopt=Acquire::http::Proxy "p"`, "--customize-hook=echo", "bookworm", "/dir", "/etc/apt/sources.list"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestServesDebian(t *testing.T) {
	tests := []struct {
		name, content string
		want          bool
	}{
		{"one line", "deb http://mirror.example/debian bookworm main\n", true},
		{"one line, updates only", "deb http://mirror.example/debian bookworm-updates main\n", false},
		{"commented out", "# deb http://mirror.example/debian bookworm main\n", false},
		{"deb822", "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n", true},
		{"deb822, other suite", "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\n", false},
		{"another vendor", "deb http://vendor.example/linux bookworm stable\n", false},
		{"empty", "", false},
	}
	for _, tt := range tests {
		if got := servesDebian(tt.content, "bookworm"); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestEnsureTakesWhatIsThere would have to build an image if the cache were not looked at, and fail for want of packages.
func TestEnsureTakesWhatIsThere(t *testing.T) {
	cache, recipe := t.TempDir(), Recipe{Suite: "none"}
	tree := filepath.Join(cache, "image-"+recipe.Key())
	mkdir(t, tree)
	got, err := Ensure(context.Background(), cache, recipe, io.Discard)
	if err != nil || got != tree {
		t.Errorf("got %q, %v; want %q", got, err, tree)
	}
}

func TestRemoveOthersKeepsImagesInUse(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"building-1", "image-old", "image-used", "somebody-elses"} {
		mkdir(t, filepath.Join(cache, name, "etc"))
	}
	used, err := Use(filepath.Join(cache, "image-used"))
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	if err := removeOthers(cache); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"image-used", "somebody-elses"}; !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
}

func FuzzServesDebian(f *testing.F) {
	f.Add("deb http://mirror.example/debian bookworm main\n", "bookworm")
	f.Fuzz(func(t *testing.T, content, suite string) {
		if servesDebian(content, suite) && !servesDebian("# a comment\n"+content, suite) {
			t.Error("a comment changes what a file serves")
		}
	})
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}
