package wsrep

import (
	"errors"
	"strings"
	"testing"

	"holdfast/agents/galera/bootstrap"
)

const u = "34bab88e-e717-11f1-b3ea-5324129cba9f"

// galera is grastate.dat as Galera 26.4 writes it.
const galera = "# GALERA saved state\nversion: 2.1\nuuid:    " + u + "\nseqno:   17\nsafe_to_bootstrap: 1\n"

func TestParseStateReadsGaleras(t *testing.T) {
	s, err := ParseState([]byte(galera))
	if err != nil {
		t.Fatal(err)
	}
	want := State{Version: "2.1", Position: bootstrap.Position{UUID: u, Seqno: 17}, SafeToBootstrap: true}
	if s != want || !s.Clean() {
		t.Errorf("got %+v, clean %v; want %+v", s, s.Clean(), want)
	}
	if got := string(s.Format()); got != galera {
		t.Errorf("formatted:\n%s\nwant Galera's own form:\n%s", got, galera)
	}
}

func TestParseStateAfterACrash(t *testing.T) {
	s, err := ParseState([]byte(strings.Replace(galera, "  17", "  -1", 1)))
	if err != nil || s.Clean() {
		t.Errorf("got %+v, %v; want a state that is not clean", s, err)
	}
}

func TestParseStateTolerates(t *testing.T) {
	for name, text := range map[string]string{
		"no safe_to_bootstrap (Galera before 3.19)": strings.Replace(galera, "safe_to_bootstrap: 1\n", "", 1),
		"indentation":    strings.ReplaceAll(galera, "\nu", "\n  u"),
		"another order":  "# GALERA saved state\nseqno: 17\nuuid: " + u + "\nversion: 2.1\n",
		"cert_index":     galera + "cert_index:\n",
		"a comment more": galera + "# by hand\n",
	} {
		if s, err := ParseState([]byte(text)); err != nil || s.Position.Seqno != 17 {
			t.Errorf("%s: got %+v, %v", name, s, err)
		}
	}
}

func TestParseStateRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"zeroes":           strings.Repeat("\x00", 100),
		"torn after uuid":  galera[:strings.Index(galera, "seqno")],
		"torn in the uuid": galera[:60],
		"no header":        strings.TrimPrefix(galera, "# GALERA saved state\n"),
		"no version":       strings.Replace(galera, "version: 2.1\n", "", 1),
		"bad uuid":         strings.Replace(galera, u, "not-a-uuid", 1),
		"bad seqno":        strings.Replace(galera, "  17", "  seventeen", 1),
		"seqno with GTID":  strings.Replace(galera, "  17", "  17,0-1-2", 1),
		"bad safe flag":    strings.Replace(galera, "bootstrap: 1", "bootstrap: true", 1),
		"seqno twice":      galera + "seqno: 18\n",
		"no colon":         galera + "hello\n",
	} {
		if s, err := ParseState([]byte(text)); err == nil {
			t.Errorf("%s: got %+v; want an error", name, s)
		}
	}
}

func TestParseRecovered(t *testing.T) {
	line := "2026-11-23  8:23:46 0 [Note] WSREP: Recovered position: "
	for name, c := range map[string]struct {
		log   string
		seqno int64
		text  string
	}{
		"plain":              {line + u + ":10\n", 10, u + ":10"},
		"GTID behind":        {line + u + ":10,0-1-2\n", 10, u + ":10,0-1-2"},
		"GTID before":        {line + u + ":0-1-2,10\n", 10, u + ":0-1-2,10"},
		"the last one wins":  {line + u + ":9\nnoise\n" + line + u + ":10\nmore noise\n", 10, u + ":10"},
		"new data directory": {line + "00000000-0000-0000-0000-000000000000:-1\n", -1, "00000000-0000-0000-0000-000000000000:-1"},
	} {
		r, err := ParseRecovered(c.log)
		if err != nil || r.Position.Seqno != c.seqno || r.Text != c.text {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
	for name, log := range map[string]string{
		"nothing":           "mariadbd: ready\n",
		"empty":             "",
		"cut in the seqno":  line + u + ":1",
		"no number":         line + u + ":x\n",
		"two seqnos":        line + u + ":10,11\n",
		"not even a uuid":   line + "failed\n",
		"broken after good": line + u + ":9\n" + line + "\n",
	} {
		if r, err := ParseRecovered(log); err == nil {
			t.Errorf("%s: got %+v; want an error", name, r)
		}
	}
	if _, err := ParseRecovered("[Note] WSREP: skipping position recovery\n"); !errors.Is(err, ErrSkipped) {
		t.Errorf("wsrep_on=OFF: got %v; want ErrSkipped", err)
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(galera))
	f.Add([]byte("# GALERA saved state\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseState(data)
		if err != nil {
			return
		}
		again, err := ParseState(s.Format())
		if err != nil || again != s {
			t.Fatalf("%q became %+v, then %+v, %v", data, s, again, err)
		}
	})
}

func FuzzParseRecovered(f *testing.F) {
	f.Add("[Note] WSREP: Recovered position: " + u + ":10,0-1-2\n")
	f.Fuzz(func(t *testing.T, log string) {
		r, err := ParseRecovered(log)
		if err != nil {
			return
		}
		if again, err := ParseRecoveredText(r.Text); err != nil || again != r {
			t.Fatalf("%q became %+v, then %+v, %v", log, r, again, err)
		}
	})
}
