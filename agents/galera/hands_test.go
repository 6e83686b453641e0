package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/galera/wsrep"
	"holdfast/ocf"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

func TestUnits(t *testing.T) {
	l := Launch{
		Binary: "/usr/sbin/mariadbd", User: "mysql", Group: "mysql", Address: "gcomm://db1,db2,db3?pc.wait_prim=no",
		Args: []string{"--defaults-file=/etc/mysql/my.cnf", `--wsrep-provider-options=a="b$c"`, `--x=50%\n`},
	}
	golden(t, "mariadb-drop-in.conf", dropIn(l))
	golden(t, "recovery.service", recoveryFile(l))
}

// A server that is being stopped by somebody else is gone between a look at it and a signal.
func TestForgottenUnit(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"unloaded":      {godbus.Error{Name: "org.freedesktop.systemd1.NoSuchUnit", Body: []any{"Unit mariadb.service not loaded."}}, true},
		"no permission": {godbus.Error{Name: "org.freedesktop.DBus.Error.AccessDenied"}, false},
		"too late":      {context.DeadlineExceeded, false},
		"signalled":     {nil, false},
	} {
		if got := forgotten(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCauseIn(t *testing.T) {
	for name, c := range map[string]struct{ log, want string }{
		"unknown variable": {
			"2026-11-23  8:35:40 0 [Note] Starting MariaDB 10.11.19-MariaDB\n" +
				"2026-11-23  8:35:40 0 [ERROR] /usr/sbin/mariadbd: unknown variable 'no_such_setting=1'\n" +
				"2026-11-23  8:35:40 0 [ERROR] Aborting\n",
			"unknown variable 'no_such_setting=1'"},
		"the first error, not what follows from it": {
			"0 [ERROR] InnoDB: Operating system error number 13 in a file operation.\n0 [ERROR] Plugin 'InnoDB' init function returned error.\n0 [ERROR] Aborting\n",
			"InnoDB: Operating system error number 13 in a file operation."},
		"a consequence is no cause": {
			"0 [ERROR] Plugin 'InnoDB' init function returned error.\n0 [ERROR] Could not open mysql.plugin table\n",
			"Could not open mysql.plugin table"},
		"Galera's place in the source": {
			"0 [ERROR] WSREP: ./gcs/src/gcs_group.cpp:group_post_state_exchange():453: Reversing history: 40 -> 39, this member has applied 1 more events\n",
			"Reversing history: 40 -> 39, this member has applied 1 more events"},
		"before the log": {"Could not open required defaults file: /etc/mysql/my.cnf\nFatal error\n", "Could not open required defaults file: /etc/mysql/my.cnf"},
		"no error":       {"0 [Note] ready for connections\n", ""},
	} {
		if got := causeIn(c.log); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string][]string{
		"gcomm://db1,db2,db3":                    {"db1", "db2", "db3"},
		" gcomm://db1, db2 ,db3 ":                {"db1", "db2", "db3"},
		"gcomm://db1:4567,192.168.0.1:5000":      {"db1", "192.168.0.1"},
		"gcomm://db1,db2?pc.weight=1&x=y":        {"db1", "db2"},
		"gcomm://[2001:db8::1]:4567,2001:db8::2": {"2001:db8::1", "2001:db8::2"},
	} {
		if got, err := parseAddress(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("parseAddress(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "db1,db2", "gcomm://", "gcomm://,", "gcomm://db1,db1", "gcomm://db1 db2"} {
		if got, err := parseAddress(in); err == nil {
			t.Errorf("parseAddress(%q) = %v; want an error", in, got)
		}
	}
}

func TestHostMap(t *testing.T) {
	m, err := parseHostMap("db1:10.0.0.1; db2:10.0.0.2;")
	if err != nil {
		t.Fatal(err)
	}
	got := m.pacemakerNames([]string{"10.0.0.2", "10.0.0.1", "db3"})
	if want := []string{"db2", "db1", "db3"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, in := range []string{"db1", "db1:", ":x", "db1:a;db1:b", "db1:a,db2:b;db1:c"} {
		if _, err := parseHostMap(in); err == nil {
			t.Errorf("parseHostMap(%q) is accepted", in)
		}
	}
}

func TestSplitWords(t *testing.T) {
	got, err := splitWords(`--a=1 "--b=two words" --c='$x "y"' \ d ""`)
	want := []string{"--a=1", "--b=two words", `--c=$x "y"`, " d", ""}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, in := range []string{`"`, `'`, `\`} {
		if _, err := splitWords(in); err == nil {
			t.Errorf("splitWords(%q) is accepted", in)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add(`a "b c" 'd' \e`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitWords(line)
		if err != nil {
			return
		}
		for i, w := range words { // quoted, they come back as they are
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		again, err := splitWords(strings.Join(words, " "))
		if err != nil || len(again) != len(words) {
			t.Fatalf("%q: %q, then %q, %v", line, words, again, err)
		}
	})
}

func TestFindLogin(t *testing.T) {
	file := func(text string) func(string) ([]byte, error) {
		return func(path string) ([]byte, error) {
			if path == "/etc/default/clustercheck" && text != "" {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}
	}
	const check = "# a comment\nMYSQL_USERNAME=\"check\"\nexport MYSQL_PASSWORD='p w' # secret\n"
	for name, c := range map[string]struct {
		s    settings
		text string
		want login
	}{
		"nothing":             {settings{}, "", login{user: "root"}},
		"the file":            {settings{}, check, login{user: "check", password: "p w"}},
		"parameters go first": {settings{checkUser: "me", checkPassword: "x"}, check, login{user: "me", password: "x"}},
		"empty password":      {settings{emptyPassword: true}, check, login{user: "check"}},
		"extra port":          {settings{}, "MYSQL_HOST=127.0.0.1\nMYSQL_PORT=3307\n", login{user: "root", tcp: "127.0.0.1:3307"}},
		"localhost":           {settings{}, "MYSQL_HOST=localhost\nMYSQL_PORT=3307\n", login{user: "root"}},
	} {
		if got, err := findLogin(&c.s, file(c.text)); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	_, err := findLogin(&settings{}, file("MYSQL_PASSWORD=secret word\n"))
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v; want an error that does not show the password", err)
	}
}

func TestMarkSafe(t *testing.T) {
	f := &files{datadir: t.TempDir()}
	state := wsrep.State{Version: "2.1", Position: bootstrap.Position{UUID: historyA, Seqno: -1}}
	path := f.path("grastate.dat")
	if err := os.WriteFile(path, state.Format(), 0o660); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	if err := f.MarkSafe(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	data, err := f.Grastate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wsrep.ParseState(data); err != nil || !got.SafeToBootstrap || got.Position != state.Position {
		t.Errorf("%+v, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(f.datadir); len(left) != 1 {
		t.Errorf("left in the datadir: %v", left)
	}
}

func TestDropTorn(t *testing.T) {
	const u = "0d6b1d3a-c9d5-11f0-9d5f-0f7b2ad07c0f"
	whole := "my_uuid: " + u + "\n#vwbeg\nview_id: 3 " + u + " 3\nbootstrap: 0\nmember: " + u + " 0\n#vwend\n"
	unfinished, header := strings.Repeat("\x00", 20480), "\xfe\x23\x05\x74\x02"
	for name, contents := range map[string]map[string]bool{
		"gvwstate.dat": {"": true, "my_uuid: x\n": true, whole[:len(whole)-4]: true, whole: false},
		// As MariaDB 10.11 left one on a full disk, and as it makes one with room.
		"tc.log": {"": true, unfinished: true, header + unfinished: false, unfinished[:8192] + "x": false},
	} {
		f := &files{datadir: t.TempDir()}
		for content, want := range contents {
			if err := os.WriteFile(f.path(name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := f.DropTorn(t.Context())
			_, there := os.Stat(f.path(name))
			if err != nil || slices.Contains(got, name) != want || errors.Is(there, fs.ErrNotExist) != want {
				t.Errorf("%s of %d bytes: %v, %v, %v; want %v", name, len(content), got, err, there, want)
			}
		}
	}
	if got, err := (&files{datadir: t.TempDir()}).DropTorn(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("no file: %v, %v", got, err)
	}
}

// A server that is not there is told from one that hangs.
func TestStatusWithoutAServer(t *testing.T) {
	m := &mariadb{settings: settings{socket: filepath.Join(t.TempDir(), "no.sock")}}
	if _, err := m.Status(t.Context()); !errors.Is(err, ErrNoServer) {
		t.Errorf("got %v, want ErrNoServer", err)
	}
	if err := classify(context.DeadlineExceeded); errors.Is(err, ErrNoServer) {
		t.Errorf("a deadline is %v", err)
	}
}

// A server that takes connections and says nothing is one that did not answer in time.
func TestStatusOfASilentServer(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "mysqld.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	m := &mariadb{settings: settings{socket: socket}}
	if _, err := m.Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
}

// An account that is in no file of the machine is looked for as the system does it.
func TestGetent(t *testing.T) {
	if uid, err := getent("passwd", "root"); err != nil || uid != 0 {
		t.Errorf("root is %d, %v", uid, err)
	}
	if gid, err := getent("group", "daemon"); err != nil || gid != 1 {
		t.Errorf("the group daemon is %d, %v", gid, err)
	}
	if id, err := getent("passwd", "nobody-of-that-name"); err == nil {
		t.Errorf("an unknown user is %d", id)
	}
	if (host{}).User("--help") {
		t.Error("an option counts as a user")
	}
}

// readStatus is fed by a server that may be of any version, or damaged.
func FuzzReadStatus(f *testing.F) {
	f.Add("Primary", "4", "Synced", "ON", "OFF")
	f.Add("", "", "", "", "")
	f.Add("non-Primary", "-1", "Initialized", "OFF", "NO_LOCK")
	f.Fuzz(func(t *testing.T, status, state, comment, ready, readOnly string) {
		st := readStatus(map[string]string{
			"wsrep_cluster_status": status, "wsrep_local_state": state, "wsrep_local_state_comment": comment,
			"wsrep_ready": ready, "read_only": readOnly,
		})
		if full := st.condition() == ""; full && (st.State != synced || ready == "OFF" || readOnly == "ON") {
			t.Errorf("%+v counts as a full member", st)
		}
	})
}

// FuzzParameters gives every parameter any value: stop must do its work all the same,
// and no other action may panic (a panic would be status 1 with a stack, not a sentence).
func FuzzParameters(f *testing.F) {
	for i, p := range parameters() {
		f.Add(uint8(i), p.Default)
		f.Add(uint8(i), "gcomm://db1:4567,db2?a=b")
	}
	table := parameters()
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		if strings.ContainsRune(value, 0) {
			return // no environment can hold it
		}
		p := table[int(which)%len(table)]
		for action, most := range map[string]ocf.Code{"stop": ocf.Success, "monitor": ocf.NotRunning, "validate-all": ocf.ErrConfigured} {
			s := newSite(t)
			code, reason := s.act("db1", action, "OCF_RESKEY_"+p.Name+"="+value)
			if code > most || code != ocf.Success && action == "validate-all" && reason == "" {
				t.Errorf("%s with %s=%q: %v %q", action, p.Name, value, code, reason)
			}
		}
	})
}

// A grastate.dat that was deleted is written anew, with the datadir's owner.
func TestMarkSafeWithoutTheFile(t *testing.T) {
	f := &files{datadir: t.TempDir()}
	state := wsrep.State{Version: "2.1", Position: bootstrap.Position{UUID: historyA, Seqno: -1}}
	if err := f.MarkSafe(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	data, err := f.Grastate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state.SafeToBootstrap = true
	if got, err := wsrep.ParseState(data); err != nil || got != state {
		t.Errorf("%+v, %v; want %+v", got, err, state)
	}
}
