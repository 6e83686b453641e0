// Package result holds what a chaos run found, as values: faults, the figures of
// each kind of client, the state of each node over time, violations. The monitor
// fills them, the pages and summaries show them, and summary.json and the JSON
// lines are their encoding. chaos(8) documents the fields.
//
// Not its business: measuring, judging or printing.
package result
