// Package page writes a run as one HTML page that needs nothing else: no script,
// no font, no picture from elsewhere, so that it reads the same in ten years and
// can be handed on. It has the summary, what was promised and kept, and for each
// repetition of a fault a timeline in SVG: a lane for each node and for the
// address, one for each other kind of client, the latency of each attempt.
//
// Horizontal positions are percentages and vertical ones pixels, so that a
// timeline fills a phone, a screen or a sheet and its letters keep their size.
// Nothing is told by colour alone: states have patterns and names, verdicts have
// rows of their own. The colours are those of Okabe and Ito (2008), which are
// distinct to colour-blind people.
//
// Scales, thinning, merging and places of labels are pure functions; the only
// output is to the writer that the caller gives.
//
// Not its business: measuring, judging (package sla) and files.
package page
