// Package junit writes a run as JUnit XML, which every CI system shows: a test
// suite for each fault and one for what was promised of the whole run, a test
// case for each repetition. There is no standard; the elements are those of the
// schema that Jenkins' xUnit plugin has (junit-10.xsd).
//
// A broken promise is a failure. A repetition that could not be measured as it
// should is an error: it was stopped, its fault could not be injected, the cluster
// was not clean before or after it, the rows of a node could not be compared. It may
// be both. Whatever else was not measured is said in system-out.
// Nothing is ever skipped: a skipped test looks like a harmless one.
//
// Not its business: measuring and judging (package sla).
package junit
