package bootstrap

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// zeroUUID is Galera's WSREP_UUID_UNDEFINED.
const zeroUUID = "00000000-0000-0000-0000-000000000000"

// undefinedSeqno is WSREP_SEQNO_UNDEFINED.
const undefinedSeqno = -1

// Position is how far a node's data got: the history it belongs to and the last
// write-set of it. Positions of different histories cannot be compared.
type Position struct {
	UUID  string // lower case
	Seqno int64  // -1: not known
}

// NoPosition is that of a node that never took part in a cluster.
func NoPosition() Position { return Position{UUID: zeroUUID, Seqno: undefinedSeqno} }

// ParsePosition reads "uuid:seqno". It is strict, because a seqno that is half
// understood elects the wrong node: "10,0-0-0" is an error here.
func ParsePosition(s string) (Position, error) {
	uuid, seqno, ok := strings.Cut(s, ":")
	if !ok {
		return Position{}, fmt.Errorf("position %q has no colon; it must be uuid:seqno", s)
	}
	u, err := ParseUUID(uuid)
	if err != nil {
		return Position{}, fmt.Errorf("position %q: %w", s, err)
	}
	n, err := ParseSeqno(seqno)
	if err != nil {
		return Position{}, fmt.Errorf("position %q: %w", s, err)
	}
	return Position{UUID: u, Seqno: n}, nil
}

// ParseUUID reads the 8-4-4-4-12 form and returns it in lower case.
func ParseUUID(s string) (string, error) {
	if len(s) != len(zeroUUID) {
		return "", fmt.Errorf("uuid %q is not of the form 8-4-4-4-12", s)
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return "", fmt.Errorf("uuid %q is not of the form 8-4-4-4-12", s)
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return "", fmt.Errorf("uuid %q has a character that is not hexadecimal", s)
		}
	}
	return strings.ToLower(s), nil
}

// ParseSeqno reads a decimal seqno of -1 or more.
func ParseSeqno(s string) (int64, error) {
	// -1 as some versions of Galera print it, through an unsigned type.
	if s == "18446744073709551615" {
		return undefinedSeqno, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("seqno %q is not a whole number", s)
	}
	if n < undefinedSeqno || strconv.FormatInt(n, 10) != s {
		return 0, errors.New("seqno " + strconv.Quote(s) + " is not a number of -1 or more in plain decimal")
	}
	return n, nil
}

// String is the form that [ParsePosition] reads.
func (p Position) String() string { return p.UUID + ":" + strconv.FormatInt(p.Seqno, 10) }

// Known says whether p names a point in a cluster's history.
func (p Position) Known() bool { return p.UUID != zeroUUID && p.UUID != "" && p.Seqno >= 0 }

// None says whether p belongs to no cluster's history.
func (p Position) None() bool { return p.UUID == zeroUUID || p.UUID == "" }
