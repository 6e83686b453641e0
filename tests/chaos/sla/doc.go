// Package sla holds what was observed against what was promised: an objective of
// availability over a window of time, a longest interruption, and the promises
// that have no budget at all (no acknowledged write lost, never two halves).
//
// The error budget is the time that the service may be away within one window:
// window x (1 - objective), so 21m36s of 30d at 99.95% ("Site Reliability
// Engineering", O'Reilly 2016, chapters 3 and 4). An observation longer than the
// window is judged by its worst window, a shorter one by what it used of the
// budget; the verdict says how much of a window was observed.
//
// What could not be seen is never counted as good: a verdict that would differ
// if it had been bad is [Unknown].
//
// Not its business: the clock, finding interruptions in answers (package
// outage), exit statuses and printing.
package sla
