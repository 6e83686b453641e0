package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journal"
	"holdfast/crmbridge/sla"
)

// reading are the options that all commands have that read journals.
type reading struct {
	flags    *flag.FlagSet
	journals []string
	json     bool
	utc      bool
	since    time.Time
	until    time.Time
	now      time.Time
}

// usageError is a mistake in a command line, in one sentence.
type usageError struct {
	error
	said bool // package flag has printed it
}

func usagef(format string, args ...any) error {
	return usageError{error: fmt.Errorf(format, args...)}
}

// newReading begins the options of a command; now is what times without a date refer to.
func newReading(name string, now time.Time, stderr io.Writer) *reading {
	r := newAnswering(name, now, stderr)
	r.flags.Func("journal", "`PATH` of a directory of journals, a journal, or a file of journalctl -o json or -o export; may be repeated (default: this node's journal)", func(path string) error {
		r.journals = append(r.journals, path)
		return nil
	})
	r.flags.BoolVar(&r.utc, "utc", false, "print times in UTC (default: local time)")
	return r
}

// newAnswering begins the options of a command that only answers.
func newAnswering(name string, now time.Time, stderr io.Writer) *reading {
	r := &reading{flags: flag.NewFlagSet(name, flag.ContinueOnError), now: now}
	r.flags.SetOutput(stderr)
	r.flags.Func("output", "`FORMAT`: text or json (default text)", func(format string) error {
		r.json = format == "json"
		if format != "text" && format != "json" {
			return errors.New("say text or json")
		}
		return nil
	})
	return r
}

// timeRange adds --since and --until.
func (r *reading) timeRange() {
	moment := func(to *time.Time) func(string) error {
		return func(text string) (err error) {
			*to, err = parseTime(text, r.now)
			return err
		}
	}
	r.flags.Func("since", "`TIME` before which incidents are left out: 2026-11-23, 2026-11-23T14:00:00Z, or 7d for seven days ago", moment(&r.since))
	r.flags.Func("until", "`TIME` after which incidents are left out", moment(&r.until))
}

// parse parses a command line with that many arguments besides the options, which may
// stand anywhere.
func (r *reading) parse(args []string, arguments int) ([]string, error) {
	var rest []string
	for {
		if err := r.flags.Parse(args); err != nil {
			if !errors.Is(err, flag.ErrHelp) {
				err = usageError{error: err, said: true}
			}
			return nil, err
		}
		if args = r.flags.Args(); len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	switch {
	case len(rest) > arguments:
		return nil, usagef("%s does not know what to do with %q: %w", r.flags.Name(), rest[arguments], errUsage)
	case len(rest) < arguments:
		return nil, usagef("%s wants an ID, as crmbridge history shows them: %w", r.flags.Name(), errUsage)
	}
	return rest, nil
}

// parseTime reads a date, a time, or how long ago.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	ago, err := sla.ParseWindow(text)
	if err != nil {
		return time.Time{}, errors.New("give a date like 2026-11-23, a time like 2026-11-23T14:00:00Z, or how long ago, like 7d")
	}
	return now.Add(-ago), nil
}

// place is a time as the user wants to see it.
func (r *reading) place(t time.Time) time.Time {
	if r.utc {
		return t.UTC()
	}
	return t.In(r.now.Location())
}

// readings is what was read.
type readings struct {
	log     *journal.Log
	records []incident.Record // merged
	watched []journal.Watch
}

// load reads the journals. What nodes had not finished writing is made up from their
// events: a node that lost its power has no last word.
func (r *reading) load(ctx context.Context, within journal.Range) (readings, error) {
	l, err := journal.Read(ctx, within, r.journals...)
	if err != nil {
		return readings{}, err
	}
	records, err := l.Records()
	if err != nil {
		return readings{}, err
	}
	watched := l.Watched(r.now)
	for _, w := range watched {
		events, err := l.During(w)
		if err != nil {
			return readings{}, err
		}
		records = append(records, unwritten(events, w, records)...)
	}
	return readings{log: l, records: incident.Merge(records), watched: watched}, nil
}

// lastWords is how much before its end a node may not have written a record of what was over.
const lastWords = time.Minute

// unwritten are the records that a node would have written if it had not ended. All of its events
// count: one that begins in the middle of an incident does not understand what follows.
func unwritten(events []incident.Event, w journal.Watch, written []incident.Record) []incident.Record {
	if !slices.ContainsFunc(events, func(e incident.Event) bool { return e.Kind == incident.ResourceKnown }) {
		return nil // the begin was not read, and without it not much can be understood
	}
	t := incident.NewTracker(w.Node)
	from := lastWordsFrom(w, written)
	begin := slices.IndexFunc(events, func(e incident.Event) bool { return !e.Seen.Wall.Before(from) })
	if begin < 0 {
		begin = len(events)
	}
	t.Skim(events[:begin])
	made := t.Replay(events[begin:])
	made = append(made, t.Unfinished()...)
	return slices.DeleteFunc(made, func(r incident.Record) bool {
		return !r.Open && w.To.Sub(r.End.At) > lastWords || slices.ContainsFunc(written, func(o incident.Record) bool {
			return o.ID == r.ID && slices.Contains(o.Observers, w.Node)
		})
	})
}

// lastWordsFrom is from when on the events of a watch matter for what it left unwritten: a record takes much
// less than the extra minute to be written, but for one that was not over, and that was written as such.
func lastWordsFrom(w journal.Watch, written []incident.Record) time.Time {
	from := w.To.Add(-2 * lastWords)
	last := map[string]incident.Record{}
	for _, r := range written {
		if slices.Contains(r.Observers, w.Node) && !r.Begin.At.After(w.To) && !r.End.At.Before(w.From) {
			last[r.ID] = r
		}
	}
	for _, r := range last {
		if begin := r.Begin.At.Add(-lastWords); begin.Before(from) && (r.Open || r.End.At.After(from)) {
			from = begin
		}
	}
	return from
}

// visible says whether a record lies in the range of times.
func (r *reading) visible(x incident.Record) bool {
	return (r.since.IsZero() || !x.End.At.Before(r.since)) && (r.until.IsZero() || !x.Begin.At.After(r.until))
}

// finish prints an error and gives its exit status: failed for one while working.
func finish(stderr io.Writer, err error, failed int) int {
	var usage usageError
	wrong := errors.As(err, &usage)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if !usage.said {
		fmt.Fprintf(stderr, "crmbridge: %v\n", err)
	}
	if wrong {
		return exitUsage
	}
	return failed
}

// asJSON prints a value for programs.
func asJSON(out io.Writer, value any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// seconds is a duration as people compare them.
func seconds(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return d.Round(time.Second).String()
	case d >= time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return fmt.Sprintf("%.3f s", d.Seconds())
}

// orNone is a text, or a dash so that a column is not empty.
func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// timeZone is the name of the zone of what is printed.
func (r *reading) timeZone() string {
	name, _ := r.place(r.now).Zone()
	return name
}
