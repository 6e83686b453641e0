package plan

import (
	"net/netip"
	"testing"
)

func TestOffset(t *testing.T) {
	for _, test := range []struct {
		ip   string
		n    int
		want string // "" for none
	}{
		{"192.168.144.20", 0, "192.168.144.20"},
		{"192.168.144.20", 2, "192.168.144.22"},
		{"192.168.144.250", 4, "192.168.144.254"},
		{"192.168.144.250", 5, ""},
		{"192.168.144.20", -1, ""},
		{"2001:db8::fe", 2, "2001:db8::100"},
		{"2001:db8::ffff", 1, ""},
	} {
		got, ok := Offset(netip.MustParseAddr(test.ip), test.n)
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("%s and %d give %v %v, not %q", test.ip, test.n, got, ok, test.want)
		}
	}
}
