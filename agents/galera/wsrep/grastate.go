package wsrep

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"holdfast/agents/galera/bootstrap"
)

// State is the content of grastate.dat.
type State struct {
	Version  string
	Position bootstrap.Position
	// SafeToBootstrap is 1 on the node that left the cluster last. Galera before
	// 3.19 does not write it; absent counts as false.
	SafeToBootstrap bool
}

// Clean says whether the server was stopped in order: only then is there a seqno.
func (s State) Clean() bool { return s.Position.Known() }

// ParseState reads grastate.dat. A file with a field missing, doubled or
// malformed is an error: it was torn by a crash, and half of it is no evidence.
func ParseState(data []byte) (State, error) {
	fields, err := stateFields(data)
	if err != nil {
		return State{}, err
	}
	var s State
	for _, name := range []string{"version", "uuid", "seqno"} {
		if _, ok := fields[name]; !ok {
			return State{}, fmt.Errorf("grastate.dat has no %s", name)
		}
	}
	s.Version = fields["version"]
	if s.Position.UUID, err = bootstrap.ParseUUID(fields["uuid"]); err != nil {
		return State{}, fmt.Errorf("grastate.dat: %w", err)
	}
	if s.Position.Seqno, err = bootstrap.ParseSeqno(fields["seqno"]); err != nil {
		return State{}, fmt.Errorf("grastate.dat: %w", err)
	}
	switch safe, ok := fields["safe_to_bootstrap"]; {
	case !ok, safe == "0":
	case safe == "1":
		s.SafeToBootstrap = true
	default:
		return State{}, fmt.Errorf("grastate.dat: safe_to_bootstrap is %q, not 0 or 1", safe)
	}
	return s, nil
}

func stateFields(data []byte) (map[string]string, error) {
	if !bytes.HasPrefix(data, []byte("# GALERA saved state")) {
		return nil, errors.New("grastate.dat does not begin with \"# GALERA saved state\"")
	}
	fields := map[string]string{}
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("grastate.dat has a line without a colon: %q", line)
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("grastate.dat has %s twice", name)
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// Format is grastate.dat as Galera writes it.
func (s State) Format() []byte {
	safe := 0
	if s.SafeToBootstrap {
		safe = 1
	}
	return fmt.Appendf(nil, "# GALERA saved state\nversion: %s\nuuid:    %s\nseqno:   %d\nsafe_to_bootstrap: %d\n",
		s.Version, s.Position.UUID, s.Position.Seqno, safe)
}
