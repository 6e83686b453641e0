package journal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"holdfast/crmbridge/incident"
)

// Entry is one of ours, as it was read.
type Entry struct {
	Node     string
	Type     string
	Written  time.Time // by the clock of the node
	Boot     string
	Chain    string
	Sequence uint64
	fields   map[string]string
}

// Log is what was read from journals.
type Log struct {
	entries []Entry
	// Foreign counts entries that look like ours and were written by somebody else, by
	// the fields that only journald can set. They are left out.
	Foreign int
}

// add takes the fields of an entry if it is ours.
func (l *Log) add(fields map[string]string) error {
	if fields[fieldSyslog] != Identifier || fields[fieldChain] == "" {
		return nil
	}
	if unit := fields["_SYSTEMD_UNIT"]; unit != "" && unit != Unit {
		l.Foreign++
		return nil
	}
	e := Entry{Node: fields[fieldNode], Type: fields[fieldType], Boot: fields["_BOOT_ID"], Chain: fields[fieldChain], fields: fields}
	var err error
	if e.Sequence, err = strconv.ParseUint(fields[fieldSequence], 10, 64); err != nil {
		return fmt.Errorf("an entry of %s without a number: %w", e.Node, err)
	}
	micros, err := strconv.ParseInt(fields["__REALTIME_TIMESTAMP"], 10, 64)
	if err != nil {
		return fmt.Errorf("entry %d of %s without a time: %w", e.Sequence, e.Node, err)
	}
	e.Written = time.UnixMicro(micros).UTC()
	l.entries = append(l.entries, e)
	return nil
}

// sort puts the entries of each node in their order, and drops those that were read
// twice, from a journal and a copy of it.
func (l *Log) sort() {
	slices.SortStableFunc(l.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), a.Written.Compare(b.Written), cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Sequence, b.Sequence))
	})
	l.entries = slices.CompactFunc(l.entries, func(a, b Entry) bool {
		return a.Chain == b.Chain && a.Sequence == b.Sequence && a.Written.Equal(b.Written) && hash(a.fields) == hash(b.fields)
	})
}

// Entries says how many there are.
func (l *Log) Entries() int { return len(l.entries) }

// Nodes are those that wrote entries, by name.
func (l *Log) Nodes() []string {
	var nodes []string
	for _, e := range l.entries {
		nodes = append(nodes, e.Node)
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// Head is the newest entry of a node, for [NewWriter]; the zero Head if there is none.
func (l *Log) Head(node string) Head {
	for _, e := range slices.Backward(l.entries) {
		if e.Node == node {
			return Head{Chain: e.Chain, Sequence: e.Sequence, Hash: e.fields[fieldHash]}
		}
	}
	return Head{}
}

// Records are all records, in the order in which each node wrote them. Those that are
// written by a newer crmbridge, in a form that this one does not know, are an error. What a node wrote later
// of an incident has the greater revision, although a daemon that was started anew counts from 1.
func (l *Log) Records() ([]incident.Record, error) {
	var records []incident.Record
	revisions := map[[2]string]int{}
	for _, e := range l.entries {
		if e.Type != typeRecord {
			continue
		}
		var r incident.Record
		if err := json.Unmarshal([]byte(e.fields[fieldRecord]), &r); err != nil {
			return nil, fmt.Errorf("read the record in entry %d of %s: %w", e.Sequence, e.Node, err)
		}
		if r.Schema != 1 {
			return nil, fmt.Errorf("the record in entry %d of %s has the form %d; this crmbridge knows 1: use a newer one", e.Sequence, e.Node, r.Schema)
		}
		of := [2]string{e.Node, r.ID}
		r.Revision = max(r.Revision, revisions[of]+1)
		revisions[of] = r.Revision
		records = append(records, r)
	}
	return records, nil
}

// Events are the events that a node saw, in the order in which it wrote them.
func (l *Log) Events(node string) ([]incident.Event, error) {
	return l.events(func(e Entry) bool { return e.Node == node })
}

// During are the events of a watch.
func (l *Log) During(w Watch) ([]incident.Event, error) {
	return l.events(func(e Entry) bool { return e.Node == w.Node && !e.Written.Before(w.From) && !e.Written.After(w.To) })
}

func (l *Log) events(wanted func(Entry) bool) ([]incident.Event, error) {
	var events []incident.Event
	for _, e := range l.entries {
		if e.Type != typeEvent || !wanted(e) {
			continue
		}
		var event incident.Event
		if err := json.Unmarshal([]byte(e.fields[fieldEvent]), &event); err != nil {
			return nil, fmt.Errorf("read the event in entry %d of %s: %w", e.Sequence, e.Node, err)
		}
		events = append(events, event)
	}
	return events, nil
}

// Watch is a time in which a node watched.
type Watch struct {
	Node     string
	From, To time.Time
}

// Watched are the times in which each node watched: from each begin of the daemon to
// its end, or, if it ended without a word, to its last entry. The last one of a node, if
// it has no end, lasts until now: nothing happened since, so nothing was written.
func (l *Log) Watched(now time.Time) []Watch {
	var all []Watch
	for _, node := range l.Nodes() {
		var open *Watch
		finish := func(to time.Time) {
			if open != nil {
				open.To = to
				all, open = append(all, *open), nil
			}
		}
		var last time.Time
		for _, e := range l.entries {
			if e.Node != node {
				continue
			}
			switch {
			case e.Type == typeBegin:
				finish(last)
				open = &Watch{Node: node, From: e.Written}
			case open == nil: // its begin is too old to be there
				open = &Watch{Node: node, From: e.Written}
			}
			last = e.Written
			if e.Type == typeEnd {
				finish(last)
			}
		}
		finish(now)
	}
	return all
}
