package wsrep

import (
	"strings"
	"testing"
)

// view is gvwstate.dat as Galera 26.4.13 writes it.
const view = "my_uuid: 0d6b1d3a-c9d5-11f0-9d5f-0f7b2ad07c0f\n#vwbeg\nview_id: 3 0d6b1d3a-c9d5-11f0-9d5f-0f7b2ad07c0f 5\nbootstrap: 0\n" +
	"member: 0d6b1d3a-c9d5-11f0-9d5f-0f7b2ad07c0f 0\nmember: 5f2a9c1e-c9d5-11f0-8f41-3a1c5de0b2aa 0\n#vwend\n"

func TestWholeView(t *testing.T) {
	for name, test := range map[string]struct {
		data string
		want bool
	}{
		"whole":             {view, true},
		"empty":             {"", false},
		"zeros":             {strings.Repeat("\x00", len(view)), false},
		"no own uuid":       {strings.SplitN(view, "\n", 2)[1], false},
		"not a member":      {strings.Replace(view, "my_uuid: 0d6b", "my_uuid: aaaa", 1), false},
		"no members":        {"my_uuid: 0d6b1d3a-c9d5-11f0-9d5f-0f7b2ad07c0f\n#vwbeg\nview_id: 3 0d6b1d3a-c9d5-11f0-9d5f-0f7b2ad07c0f 5\nbootstrap: 0\n#vwend\n", false},
		"twice":             {view + view, false},
		"a line more":       {view + "\n", false},
		"zeros behind":      {view + strings.Repeat("\x00", 100), false},
		"no last line end":  {strings.TrimSuffix(view, "\n"), false},
		"a word it may add": {strings.Replace(view, "bootstrap: 0\n", "bootstrap: 0\nversion: 1\n", 1), true},
	} {
		if got := WholeView([]byte(test.data)); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	for end := range len(view) {
		if WholeView([]byte(view[:end])) {
			t.Errorf("cut off after %d bytes, it counts as whole", end)
		}
	}
}

// FuzzWholeView: what is whole is so no longer when anything of its end is missing.
func FuzzWholeView(f *testing.F) {
	f.Add([]byte(view))
	f.Add([]byte(view[:40]))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !WholeView(data) {
			return
		}
		for end := range len(data) {
			if WholeView(data[:end]) {
				t.Fatalf("%q is whole, and without its last %d bytes as well", data, len(data)-end)
			}
		}
	})
}
