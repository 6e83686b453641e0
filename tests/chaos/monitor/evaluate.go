package monitor

import (
	"fmt"
	"net"
	"strings"
	"time"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/judge"
	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/timeline"
)

// evaluate makes the result of a repetition. Everything has ended.
func (o *observation) evaluate(r Repetition, b fault.Bound, t times, rows checked) result.Fault {
	frame := client.Frame{
		Injected: t.injected, End: t.end, Threshold: o.config.Threshold, Deadline: o.config.Deadline,
		Sparse: 4 * o.config.Interval, // the page takes five intervals without an attempt for silence
	}
	f := result.Fault{
		Name: r.Fault.Name, Description: r.Fault.Description, Expected: r.Fault.Expected, Repetition: r.Number,
		Targets: b.Targets, Injected: t.injectedAt, From: result.Of(-t.injected), To: result.Of(t.end - t.injected),
		Marks: o.marks(t, frame, rows), Lost: len(rows.result.Lost), Unmeasured: o.unmeasured(frame, rows),
	}
	for _, record := range o.records {
		if record.Client.Kind == client.Glued {
			if o.gluedWords() != "" {
				continue
			}
			record.Client.Node = o.glued.owner
		}
		f.Clients = append(f.Clients, record.Result(frame))
	}
	counts := o.book.Counts()
	f.Acked, f.Indeterminate = counts.Acknowledged, counts.Indeterminate
	for _, n := range o.config.Nodes {
		f.Lanes = append(f.Lanes, o.views.Lane(n.Name, t.injected, t.end))
	}
	if o.blind == nil {
		f.Lanes = append(f.Lanes, o.address.Lane(o.config.AddressName, t.injected, t.end))
	}
	for _, d := range o.address.Doublings() {
		f.Doubled = append(f.Doubled, result.Doubling{From: result.Of(d.From - t.injected), To: result.Of(d.To - t.injected), Nodes: d.Nodes})
	}
	f.Violations = append(judge.Running(judge.Observed{
		Injected: t.injected, Nodes: o.config.names(), Views: &o.views, Address: &o.address, Acks: o.acks(),
		Fenced: o.fencings(t), Doubled: o.config.Doubled,
	}), judge.Settled(rows.judged(), rows.result.Split, rows.at-t.injected)...)
	return f
}

func (c checked) judged() []judge.Rows {
	var all []judge.Rows
	for _, n := range c.result.Nodes {
		if n.Err == nil {
			all = append(all, judge.Rows{Node: n.Name, Findings: n.Findings, Checksum: c.checksums[n.Name]})
		}
	}
	return all
}

// acks are the acknowledgements of all writers, by the node that gave them.
func (o *observation) acks() []judge.Ack {
	var all []judge.Ack
	for _, record := range o.records {
		if !record.Client.Writes() {
			continue
		}
		for _, a := range record.Acks() {
			all = append(all, judge.Ack{Node: a.Answer.Node, Intended: a.Intended, Done: a.Done})
		}
	}
	return all
}

// fencings are those that Pacemaker dates after the injection.
func (o *observation) fencings(t times) []judge.Fencing {
	var all []judge.Fencing
	for _, n := range o.config.Nodes {
		if at, fenced := o.fenced[n.Name]; fenced && at.After(t.injectedAt) {
			all = append(all, judge.Fencing{Node: n.Name, At: at.Sub(o.origin)})
		}
	}
	return all
}

// marks are the visible phases.
func (o *observation) marks(t times, frame client.Frame, rows checked) []result.Mark {
	marks := []result.Mark{{Name: result.Injected}}
	add := func(name, node string, at time.Duration) {
		marks = append(marks, result.Mark{Name: name, Node: node, At: result.Of(at - t.injected)})
	}
	for _, s := range t.struck {
		add(result.Struck, s.Node, s.At.Sub(o.origin))
	}
	writer := o.records[0]
	if a, found := writer.Failure(t.injected); found {
		add(result.FirstError, "", a.Done)
	}
	if gap := writer.Interruptions(frame).Interruption; !gap.Open && gap.Length() >= frame.Threshold {
		add(result.FirstOK, gap.After, gap.To)
	}
	if s, found := o.newView(t.injected); found {
		add(result.ViewChanged, s.Node, s.From)
	}
	if node, at, found := o.otherAnswer(t.injected); found {
		add(result.ARPChanged, node, at)
	}
	if node, at, found := o.otherServer(t.injected); found {
		add(result.AddressMoved, node, at)
	}
	if t.undone > 0 {
		add(result.Undone, "", t.undone)
	}
	if t.whole {
		add(result.Healed, "", t.healed)
	}
	if at, found := o.synced(); found && rows.result.Passed() {
		add(result.Synced, "", max(at, t.injected))
	}
	return marks
}

// newView is the first primary view after the given time that has another number
// than the last one before it.
func (o *observation) newView(from time.Duration) (timeline.NodeStay, bool) {
	var first timeline.NodeStay
	found := false
	for _, n := range o.config.Nodes {
		old := uint64(0)
		for _, s := range o.views.Of(n.Name) {
			if s.From < from {
				old = s.ConfID
			} else if s.Primary && s.ConfID != old && (!found || s.From < first.From) {
				first, found = s, true
			}
		}
	}
	return first, found
}

// otherAnswer is the first ARP answer after the given time of a node that had
// not answered before it.
func (o *observation) otherAnswer(from time.Duration) (string, time.Duration, bool) {
	holder := ""
	for _, s := range o.address.Stays() {
		switch {
		case s.From <= from:
			holder = s.Node
		case s.Node != holder:
			return s.Node, s.From, true
		}
	}
	return "", 0, false
}

// otherServer is the first answer to the writer after the given time that came
// from another node than those before.
func (o *observation) otherServer(from time.Duration) (string, time.Duration, bool) {
	holder, last := "", time.Duration(-1)
	acks := o.records[0].Acks()
	for _, a := range acks {
		if a.Done < from && a.Done > last {
			holder, last = a.Answer.Node, a.Done
		}
	}
	var first client.Attempt
	found := false
	for _, a := range acks {
		if a.Done >= from && a.Answer.Node != holder && (!found || a.Done < first.Done) {
			first, found = a, true
		}
	}
	return first.Answer.Node, first.Done, found
}

// synced is when the last node became Synced for good.
func (o *observation) synced() (time.Duration, bool) {
	var last time.Duration
	for _, n := range o.config.Nodes {
		stays := o.views.Of(n.Name)
		i := len(stays)
		for i > 0 && stays[i-1].State == "Synced" {
			i--
		}
		if i == len(stays) {
			return 0, false
		}
		last = max(last, stays[i].From)
	}
	return last, true
}

// stalled is from which delay on the monitor itself is said to have been held up.
const stalled = 100 * time.Millisecond

// unmeasured says what could not be seen, a sentence each.
func (o *observation) unmeasured(frame client.Frame, rows checked) []string {
	all := rows.failures
	if o.blind != nil {
		all = append(all, fmt.Sprintf("Who answers for the address was not seen: %v.", o.blind))
	}
	if why := o.gluedWords(); why != "" {
		all = append(all, why)
	}
	if stalls := o.records[0].Stalls(max(stalled, o.config.Threshold)); len(stalls) > 0 {
		all = append(all, stallWords(stalls, frame.Injected))
	}
	if unknown := o.unknownMembers(); len(unknown) > 0 {
		all = append(all, fmt.Sprintf("%s did not say who its members are: a second primary component there would not be seen.", strings.Join(unknown, ", ")))
	}
	return all
}

// stallWords says when the monitor was held up.
func stallWords(stalls []client.Stall, injected time.Duration) string {
	longest := stalls[0]
	for _, s := range stalls {
		if s.To-s.From > longest.To-longest.From {
			longest = s
		}
	}
	return fmt.Sprintf("The monitor itself was held up %d times, for %v at most (from %+.2f s on); what it saw late counts as late.",
		len(stalls), (longest.To - longest.From).Round(time.Millisecond), (longest.From - injected).Seconds())
}

// unknownMembers are the nodes that were never seen with a complete view.
func (o *observation) unknownMembers() []string {
	var all []string
	for _, n := range o.config.Nodes {
		complete := false
		for _, s := range o.views.Of(n.Name) {
			complete = complete || s.Primary && len(s.Members) == s.Size
		}
		if !complete {
			all = append(all, n.Name)
		}
	}
	return all
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
