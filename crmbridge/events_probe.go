package main

import (
	"strconv"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journalctl"
)

// A client of the service says in the journal of any node that it is not answered any
// more, and that it is again: crmbridge(8), PROBES. Only root is believed.
const (
	probeEntry  = "cabe29a641aa41079d585a1a77ce6533" // MESSAGE_ID
	probeAnswer = "HOLDFAST_PROBE_ANSWER"            // bad or good
	probeAt     = "HOLDFAST_PROBE_AT_USEC"           // of the first bad or good answer, microseconds since 1970
	probeName   = "HOLDFAST_PROBE_NAME"              // what the client calls itself
)

// probeLate is how much later than the answer a probe may say it: one that waits longer,
// or is ahead of this machine's clock, is not believed about when.
const probeLate = time.Minute

// probed is what a probe's entry means; nothing if it does not say what was answered.
func (t *translator) probed(o observation, l journalctl.Line) []incident.Event {
	kind, ok := map[string]incident.Kind{"bad": incident.ProbeBad, "good": incident.ProbeGood}[l.Fields[probeAnswer]]
	if !ok {
		return nil
	}
	at, mono := l.At, l.Monotonic
	if us, err := strconv.ParseInt(l.Fields[probeAt], 10, 64); err == nil {
		if late := l.At.Sub(time.UnixMicro(us)); late >= 0 && late <= probeLate {
			at, mono = time.UnixMicro(us), l.Monotonic-late
		}
	}
	e := t.event(o, incident.Event{
		Kind: kind, At: t.thisBoot(at, mono),
		Change: incident.Change{Name: l.Fields[probeName], Value: l.Message},
	})
	e.Source = incident.FromProbe
	return one(e)
}
