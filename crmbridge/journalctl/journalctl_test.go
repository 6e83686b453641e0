package journalctl

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// As systemd 252 prints an entry of corosync.
const entry = `{"__REALTIME_TIMESTAMP":"1795438227925874","__MONOTONIC_TIMESTAMP":"22937243002","__CURSOR":"s=1",` +
	`"_SOURCE_REALTIME_TIMESTAMP":"1795438227925762","_BOOT_ID":"5df5","SYSLOG_IDENTIFIER":"corosync","MESSAGE":"  [TOTEM ] here"}`

func TestParse(t *testing.T) {
	got, err := Parse([]byte(entry))
	want := Line{
		At: time.UnixMicro(1795438227925762), Monotonic: (22937243002 - 112) * time.Microsecond,
		Identifier: "corosync", Message: "  [TOTEM ] here",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestParseWhatIsNoText(t *testing.T) {
	got, err := Parse([]byte(`{"__REALTIME_TIMESTAMP":"10","__MONOTONIC_TIMESTAMP":"5","_SOURCE_REALTIME_TIMESTAMP":"99","MESSAGE":[104,105],"SYSLOG_IDENTIFIER":["a","b"]}`))
	want := Line{At: time.UnixMicro(10), Monotonic: 5 * time.Microsecond}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "null and void", `{}`, `{"__REALTIME_TIMESTAMP":"x","__MONOTONIC_TIMESTAMP":"5"}`, `{"__REALTIME_TIMESTAMP":"1","__MONOTONIC_TIMESTAMP":-5}`} {
		if l, err := Parse([]byte(text)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %+v, %v", text, l, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(entry))
	f.Fuzz(func(t *testing.T, text []byte) {
		if l, err := Parse(text); err == nil && l.At.UnixMicro() < 0 {
			t.Errorf("%+v", l)
		}
	})
}
