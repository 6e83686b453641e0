package wsrep

import (
	"strconv"
	"strings"

	"holdfast/agents/galera/bootstrap"
)

// WholeView says whether data is a gvwstate.dat that a server can go on from: its own uuid, and
// a view that is complete (ViewState::write_stream and View::write_stream in gcomm/src/view.cpp).
// Galera believes whatever it can read: an empty file is a member without a name, at which it
// ends, and one that is cut off is a view of too few members, whose quorum is too small.
func WholeView(data []byte) bool {
	lines := strings.Split(string(data), "\n")
	if len(lines) < 2 || lines[len(lines)-1] != "" { // the last line has no end
		return false
	}
	v := viewReader{}
	for _, line := range lines[:len(lines)-1] {
		if !v.take(strings.Fields(line)) {
			return false
		}
	}
	return v.ended && v.own != "" && v.members[v.own]
}

// viewReader is what was read so far.
type viewReader struct {
	own          string
	began, ended bool
	id           bool
	members      map[string]bool
}

// take reads a line, and says whether it may stand there.
func (v *viewReader) take(words []string) bool {
	switch {
	case v.ended:
		return false
	case len(words) == 0:
		return true
	case len(words) == 1 && words[0] == "#vwbeg":
		fresh := !v.began
		v.began, v.members = true, map[string]bool{}
		return fresh
	case len(words) == 1 && words[0] == "#vwend":
		v.ended = v.began && v.id && len(v.members) > 0
		return v.ended
	case len(words) < 2:
		return false
	}
	switch words[0] {
	case "my_uuid:":
		v.own = uuid(words[1])
		return v.own != ""
	case "view_id:": // type, uuid, seq
		v.id = v.began && len(words) == 4 && uuid(words[2]) != "" && number(words[1]) && number(words[3])
		return v.id
	case "bootstrap:":
		return v.began && number(words[1])
	case "member:": // uuid, segment
		member := uuid(words[1])
		if !v.began || member == "" {
			return false
		}
		v.members[member] = true
		return true
	}
	return true // a later version may say more
}

// uuid is a uuid in small letters; "" if it is none.
func uuid(text string) string {
	u, err := bootstrap.ParseUUID(text)
	if err != nil {
		return ""
	}
	return u
}

func number(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil
}
