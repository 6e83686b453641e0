package wsrep

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"holdfast/agents/galera/bootstrap"
)

// ErrNotReported is that a recovery run ended without saying a position.
var ErrNotReported = errors.New("the recovery run reported no position")

// ErrSkipped is that the server does not take part in replication at all.
var ErrSkipped = errors.New("the server runs with wsrep_on=OFF; set wsrep_on=ON in its configuration")

// Recovered is what a recovery run found.
type Recovered struct {
	Position bootstrap.Position
	// Text is the position as the server printed it, with the GTID of
	// wsrep_gtid_mode=ON if there is one: what --wsrep-start-position wants.
	Text string
}

const recoveredMark = "WSREP: Recovered position:"

// ParseRecovered finds the last position in the log of a recovery run.
func ParseRecovered(log string) (Recovered, error) {
	at := strings.LastIndex(log, recoveredMark)
	if at < 0 {
		if strings.Contains(log, "skipping position recovery") {
			return Recovered{}, ErrSkipped
		}
		return Recovered{}, ErrNotReported
	}
	text, _, whole := strings.Cut(log[at+len(recoveredMark):], "\n")
	if !whole { // the line may go on: a seqno cut short would be believed
		return Recovered{}, fmt.Errorf("%w: the log breaks off in the line %q", ErrNotReported, strings.TrimSpace(text))
	}
	return ParseRecoveredText(strings.TrimSpace(text))
}

// ParseRecoveredText reads "uuid:seqno", and with wsrep_gtid_mode=ON
// "uuid:seqno,gtid" or, from some versions, "uuid:gtid,seqno".
func ParseRecoveredText(text string) (Recovered, error) {
	uuid, rest, ok := strings.Cut(text, ":")
	if !ok {
		return Recovered{}, fmt.Errorf("recovered position %q has no colon", text)
	}
	seqno, second, both := strings.Cut(rest, ",")
	if both {
		if isGTID(seqno) {
			seqno, second = second, seqno
		}
		if !isGTID(second) {
			return Recovered{}, fmt.Errorf("recovered position %q: %q is not a GTID", text, second)
		}
	}
	p, err := bootstrap.ParsePosition(uuid + ":" + seqno)
	if err != nil {
		return Recovered{}, fmt.Errorf("recovered %w", err)
	}
	return Recovered{Position: p, Text: text}, nil
}

// isGTID recognises MariaDB's domain-server-sequence.
func isGTID(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return false
	}
	for _, p := range parts {
		if _, err := strconv.ParseUint(p, 10, 64); err != nil {
			return false
		}
	}
	return true
}
