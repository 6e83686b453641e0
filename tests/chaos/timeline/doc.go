// Package timeline turns samples into stays: for how long a node was seen in one
// view, and for how long which node answered for the floating address. Lanes of
// the page and verdicts are made of them.
//
// A stay lasts from the first to the last sample that showed it, never longer:
// what was between two samples is not claimed. All times are offsets from the
// start of the observation on the monotonic clock.
//
// Not its business: taking samples (package sample) and judging them (package
// judge).
package timeline
