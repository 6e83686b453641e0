package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"holdfast/crmbridge/incident"
)

// Identifier is the SYSLOG_IDENTIFIER of every entry, Unit the unit that writes them.
const (
	Identifier = "crmbridge"
	Unit       = "holdfast-crmbridge.service"
)

// The fields of entries. CRMBRIDGE_TYPE says which of the others there are.
const (
	fieldMessage  = "MESSAGE"
	fieldID       = "MESSAGE_ID"
	fieldPriority = "PRIORITY"
	fieldSyslog   = "SYSLOG_IDENTIFIER"

	prefix = "CRMBRIDGE_" // of all of these

	fieldType     = "CRMBRIDGE_TYPE" // begin, end, event, record
	fieldNode     = "CRMBRIDGE_NODE" // the observer
	fieldVersion  = "CRMBRIDGE_VERSION"
	fieldChain    = "CRMBRIDGE_CHAIN"    // which chain: 128 bits, hexadecimal
	fieldSequence = "CRMBRIDGE_SEQUENCE" // from 1
	fieldPrevious = "CRMBRIDGE_PREVIOUS" // the hash of the entry before; 64 zeros for the first
	fieldHash     = "CRMBRIDGE_HASH"
	// fieldLost is in a begin before which entries are not in the journal: the number of the first.
	fieldLost = "CRMBRIDGE_LOST_FROM"

	fieldEvent   = "CRMBRIDGE_EVENT" // JSON
	fieldKind    = "CRMBRIDGE_KIND"
	fieldSource  = "CRMBRIDGE_SOURCE"
	fieldSubject = "CRMBRIDGE_SUBJECT" // the node that it is about

	fieldRecord       = "CRMBRIDGE_RECORD" // JSON
	fieldIncident     = "CRMBRIDGE_INCIDENT"
	fieldCause        = "CRMBRIDGE_CAUSE"
	fieldPlanned      = "CRMBRIDGE_PLANNED" // yes or no
	fieldOutcome      = "CRMBRIDGE_OUTCOME"
	fieldInterruption = "CRMBRIDGE_INTERRUPTION_USEC"
	fieldResource     = "CRMBRIDGE_RESOURCE"
)

// Priorities of entries (syslog(3)).
const (
	priorityCritical = "2" // written to the disk at once
	priorityNotice   = "5"
	priorityInfo     = "6"
)

// Types of entries.
const (
	typeBegin  = "begin"
	typeEnd    = "end"
	typeEvent  = "event"
	typeRecord = "record"
)

// genesis stands for the entry before the first.
func genesis() string { return strings.Repeat("0", 2*sha256.Size) }

// eventFields are the fields of an event's entry.
func eventFields(e incident.Event) (map[string]string, error) {
	value, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write the event %v as JSON: %w", e, err)
	}
	return map[string]string{
		fieldMessage: incident.Tell(e), fieldID: messageID(string(e.Kind)), fieldPriority: priorityInfo, fieldType: typeEvent,
		fieldEvent: string(value), fieldKind: string(e.Kind), fieldSource: string(e.Source), fieldSubject: e.Node, fieldResource: e.Op.Resource,
	}, nil
}

// recordFields are the fields of a record's entry.
func recordFields(r incident.Record) (map[string]string, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the record %s as JSON: %w", r.ID, err)
	}
	planned, id := "no", "record"
	if r.Planned {
		planned = "yes"
	}
	if r.Open {
		id = "record-open"
	}
	return map[string]string{
		fieldMessage: Sentence(r), fieldID: messageID(id), fieldPriority: priorityCritical, fieldType: typeRecord,
		fieldRecord: string(value), fieldIncident: r.ID, fieldCause: string(r.Cause.Kind), fieldPlanned: planned, fieldOutcome: string(r.Outcome),
		fieldInterruption: strconv.FormatInt(r.Interruption.Microseconds(), 10), fieldSubject: r.Cause.Node, fieldResource: r.Cause.Resource,
	}, nil
}

// Sentence is a record in one line.
func Sentence(r incident.Record) string {
	text := fmt.Sprintf("%s: %s", r.ID, strings.ReplaceAll(string(r.Cause.Kind), "-", " "))
	if r.Cause.Resource != "" {
		text += " (" + r.Cause.Resource + ")"
	}
	if r.Cause.Node != "" {
		text += " on " + r.Cause.Node
	}
	if r.Planned {
		text += ", planned"
	}
	switch {
	case r.Outcome == incident.Waited:
		text += fmt.Sprintf("; writes waited for %.3f s", r.Interruption.Seconds())
	case r.Interruption > 0:
		text += fmt.Sprintf("; the service was away for %.3f s", r.Interruption.Seconds())
		if r.From != r.To {
			text += fmt.Sprintf(" and moved from %s to %s", r.From, r.To)
		}
	case r.Outcome == incident.Unaffected && r.To != "": // there may be none yet
		text += "; the address stayed where it was"
	case r.Outcome == incident.Down:
		text += "; the service is away"
	case r.Outcome == incident.Halted:
		text += "; the service is stopped"
	}
	if r.Open {
		text += "; not over yet"
	}
	return text
}

// hash is over all fields of an entry that crmbridge writes, except the hash itself, in
// the order of their names, each with its length: so no field can pass for another.
func hash(fields map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if ours(name) && name != fieldHash {
			fmt.Fprintf(sum, "%d:%s=%d:%s\n", len(name), name, len(fields[name]), fields[name])
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// ours says whether a field is one that crmbridge writes, and not journald.
func ours(name string) bool {
	switch name {
	case fieldMessage, fieldID, fieldPriority, fieldSyslog:
		return true
	}
	return strings.HasPrefix(name, prefix)
}
