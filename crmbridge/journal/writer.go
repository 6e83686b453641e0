package journal

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"

	"holdfast/crmbridge/incident"
)

// Head is the newest entry of a chain.
type Head struct {
	Chain    string `json:"chain"`
	Sequence uint64 `json:"sequence"`
	Hash     string `json:"hash"`
}

// Writer writes events and records to the journal. One goroutine may use it.
type Writer struct {
	node, version string
	head          Head
	state         string
	send          func(fields map[string]string) error
}

// NewWriter continues the chain whose head is in the file state, or begins one if there
// is no such file. last is the newest entry of this node that is in the journal, if the
// caller could find it: after a loss of power it may be newer than the file, or older. If it
// is older, the entry that is written now says which ones were lost.
func NewWriter(node, version, state string, last Head) (*Writer, error) {
	return NewWriterTo(node, version, state, last, sendToJournal)
}

// NewWriterTo is a NewWriter that gives entries to send and not to journald.
func NewWriterTo(node, version, state string, last Head, send func(map[string]string) error) (*Writer, error) {
	w := &Writer{node: node, version: version, state: state, send: send}
	text, err := os.ReadFile(state)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(text) == 0: // empty: a file system may leave that after a loss of power
	case err != nil:
		return nil, fmt.Errorf("read where the chain of journal entries ended: %w", err)
	default:
		if err := json.Unmarshal(text, &w.head); err != nil || w.head.Chain == "" || len(w.head.Hash) != len(genesis()) {
			return nil, fmt.Errorf("%s does not say where the chain of journal entries ended: remove it, and a new chain begins", state)
		}
	}
	var lost uint64
	switch {
	case last.Chain != "" && (w.head.Chain == "" || last.Chain == w.head.Chain && last.Sequence > w.head.Sequence):
		w.head = last
	case last.Chain == w.head.Chain && last.Sequence < w.head.Sequence:
		lost = last.Sequence + 1
	}
	if w.head.Chain == "" {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // never fails, by its documentation
		w.head = Head{Chain: hex.EncodeToString(id), Hash: genesis()}
	}
	return w, w.begin(lost)
}

// begin says that somebody watches from now on, and that the entries from lost on are not in the
// journal; 0: that none is missing.
func (w *Writer) begin(lost uint64) error {
	fields := map[string]string{
		fieldMessage: "crmbridge " + w.version + " follows the cluster from now on", fieldID: messageID("begin"), fieldPriority: priorityNotice, fieldType: typeBegin,
	}
	if lost > 0 {
		fields[fieldLost] = strconv.FormatUint(lost, 10)
		fields[fieldMessage] += fmt.Sprintf("; %s lost in a crash before", these(lost, w.head.Sequence))
	}
	return w.write(fields)
}

// Close says that nobody watches from now on. It does not end the chain.
func (w *Writer) Close() error {
	return w.write(map[string]string{
		fieldMessage: "crmbridge stops following the cluster", fieldID: messageID("end"), fieldPriority: priorityNotice, fieldType: typeEnd,
	})
}

// Head is the newest entry that was written.
func (w *Writer) Head() Head { return w.head }

// WriteEvent writes the entry of an event.
func (w *Writer) WriteEvent(e incident.Event) error {
	fields, err := eventFields(e)
	if err != nil {
		return err
	}
	return w.write(fields)
}

// WriteRecord writes the entry of a record. When it returns, journald has it, and writes
// it to the disk at once.
func (w *Writer) WriteRecord(r incident.Record) error {
	fields, err := recordFields(r)
	if err != nil {
		return err
	}
	return w.write(fields)
}

// write adds an entry to the chain. The head is kept first: after a crash in between, an
// entry is missing and Verify says so, but no number is used twice.
func (w *Writer) write(fields map[string]string) error {
	maps.DeleteFunc(fields, func(_, value string) bool { return value == "" })
	next := Head{Chain: w.head.Chain, Sequence: w.head.Sequence + 1}
	fields[fieldSyslog], fields[fieldNode], fields[fieldVersion] = Identifier, w.node, w.version
	fields[fieldChain], fields[fieldSequence], fields[fieldPrevious] = next.Chain, strconv.FormatUint(next.Sequence, 10), w.head.Hash
	maps.DeleteFunc(fields, func(_, value string) bool { return value == "" })
	for name, value := range fields {
		// journald takes any bytes, but what reads it as JSON does not.
		fields[name] = strings.ToValidUTF8(strings.TrimRight(value, "\n"), "\uFFFD")
	}
	next.Hash = hash(fields)
	fields[fieldHash] = next.Hash
	if err := w.keep(next); err != nil {
		return err
	}
	w.head = next
	if err := w.send(fields); err != nil {
		return fmt.Errorf("write entry %d to the journal: %w", next.Sequence, err)
	}
	return nil
}

// keep replaces the file with the head of the chain.
func (w *Writer) keep(h Head) error {
	text, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("keep the head of the chain: %w", err)
	}
	if err := os.WriteFile(w.state+".new", text, 0o640); err != nil {
		return fmt.Errorf("keep the head of the chain: %w", err)
	}
	if err := os.Rename(w.state+".new", w.state); err != nil {
		return fmt.Errorf("keep the head of the chain: %w", err)
	}
	return nil
}

// sendToJournal speaks journald's native protocol.
func sendToJournal(fields map[string]string) error {
	rest := maps.Clone(fields)
	priority, err := strconv.Atoi(fields[fieldPriority])
	if err != nil {
		return fmt.Errorf("priority %q: %w", fields[fieldPriority], err)
	}
	delete(rest, fieldMessage)
	delete(rest, fieldPriority)
	return journal.Send(fields[fieldMessage], journal.Priority(priority), rest)
}
