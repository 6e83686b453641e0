// Package incident turns what happened in a cluster into records of its failovers: what
// failed, who noticed it when, what was decided, how long each phase took, when the
// service was back, whether it was planned, and how one knows.
//
// An [Event] is one thing that a source said, with the time of it. A [Tracker] takes
// events as they come, and gives a [Record] when what they tell of is over, as far as
// one can know. The record depends on which events there are and on their own times,
// never on the order in which they came or on repetitions: see DESIGN.md. What no source
// could see is in the record as a gap.
//
// Events and records are values with a stable form in JSON, which is how they are kept
// in the journal and how the records of several nodes are brought together ([Merge]).
//
// Not its business: where events come from, what the clock says (times come with the
// events, and with Advance), the journal, and printing.
package incident
