package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/beevik/etree"
)

// FencingState is how far a fencing operation is (enum op_state).
type FencingState int

// The states of a fencing operation.
const (
	FencingQuery     FencingState = 0 // looking for a device
	FencingExecuting FencingState = 1
	FencingDone      FencingState = 2
	FencingDuplicate FencingState = 3 // waits for another one like it
	FencingFailed    FencingState = 4
)

func (s FencingState) String() string {
	switch s {
	case FencingQuery:
		return "query"
	case FencingExecuting:
		return "executing"
	case FencingDone:
		return "done"
	case FencingDuplicate:
		return "duplicate"
	case FencingFailed:
		return "failed"
	}
	return fmt.Sprintf("state %d", int(s))
}

// Fencing is one fencing operation.
type Fencing struct {
	Target    string // the node
	Action    string // reboot, off, on
	Operation string // the operation's id, alike on all nodes; "" in the history
	Origin    string // the node that asked
	Client    string // the program that asked, as "pacemaker-controld.240"
	Delegate  string // the node whose device did it
	State     FencingState
	// Completed is when it ended, by the clock of the node that says so, in steps of a
	// few milliseconds; zero while it has not. Pacemaker stores no begin.
	Completed time.Time
}

// FencingEvent is what the fencer announces.
type FencingEvent struct {
	Received time.Time
	// Ended is the operation that ended, or nil: then the history changed, which is
	// how the begin of an operation shows. Ask History.
	Ended *Fencing
	// Status is how it ended: 0 is success (pcmk_exec_status: op-status).
	Status int
	// Reason is the device's or the fencer's text about a failure.
	Reason string
}

// Fencer follows the fencer on a connection to ServiceFencer. One goroutine at a time may
// use it, and another one Next.
type Fencer struct {
	client
	calls int
}

// The fencer's notifications that we subscribe to.
const (
	notifyFence         = "st_notify_fence"
	notifyHistory       = "st_notify_history"
	notifyHistorySynced = "st_notify_history_synced"
)

// OpenFencer registers with the fencer and subscribes to fencing and to changes of
// its history.
func OpenFencer(ctx context.Context, c conn) (*Fencer, error) {
	f := &Fencer{client: client{conn: c}}
	if _, err := f.ask(ctx, element("stonith_command", "t", "stonith-ng", "st_op", "register", "st_clientname", clientName)); err != nil {
		return nil, fmt.Errorf("register with the fencer: %w", err)
	}
	for _, kind := range []string{notifyFence, notifyHistory, notifyHistorySynced} {
		err := f.tell(ctx, element("stonith_command", "t", "stonith-ng", "st_op", "st_notify", "st_notify_activate", kind))
		if err != nil {
			return nil, fmt.Errorf("subscribe to %s of the fencer: %w", kind, err)
		}
	}
	return f, nil
}

// Next waits for the next event, until ctx ends or the connection is lost.
func (f *Fencer) Next(ctx context.Context) (FencingEvent, error) {
	root, received, err := f.event(ctx, "st_notify")
	if err != nil {
		return FencingEvent{}, fmt.Errorf("follow the fencer: %w", err)
	}
	e, err := parseFencing(root)
	e.Received = received
	return e, err
}

// ParseFencing parses the XML of an event of the fencer, as a recording holds it.
func ParseFencing(xml []byte) (FencingEvent, error) {
	root, err := read(xml)
	if err != nil {
		return FencingEvent{}, err
	}
	return parseFencing(root)
}

func parseFencing(root *etree.Element) (FencingEvent, error) {
	if root.SelectAttrValue("subt", "") != notifyFence {
		return FencingEvent{}, nil
	}
	var e FencingEvent
	var errs [2]error
	e.Status, errs[0] = number[int](root, "op-status")
	e.Reason = root.SelectAttrValue("exit-reason", root.SelectAttrValue("st_output", ""))
	data := root.FindElement("./st_calldata/" + notifyFence)
	if data == nil {
		return FencingEvent{}, fmt.Errorf("%w: fencing of nobody", ErrMalformed)
	}
	var state int
	state, errs[1] = number[int](data, "state")
	e.Ended = &Fencing{
		Target: data.SelectAttrValue("st_target", ""), Action: data.SelectAttrValue("st_device_action", ""),
		Operation: data.SelectAttrValue("st_remote_op", ""), Origin: data.SelectAttrValue("st_origin", ""),
		Client: data.SelectAttrValue("st_clientname", ""), Delegate: data.SelectAttrValue("st_delegate", ""),
		State: FencingState(state),
	}
	return e, errors.Join(errs[:]...)
}

// History gives the fencing operations that the fencers remember, the newest 500, of
// every node. They forget them when the last fencer stops.
func (f *Fencer) History(ctx context.Context) ([]Fencing, error) {
	f.calls++
	answer, err := f.ask(ctx, historyRequest(f.calls))
	if err != nil {
		return nil, fmt.Errorf("ask for the fencing history: %w", err)
	}
	history, err := parseHistory(answer)
	if err != nil {
		return nil, fmt.Errorf("ask for the fencing history: %w", err)
	}
	return history, nil
}

func historyRequest(call int) *etree.Element {
	return element("stonith_command", "t", "stonith-ng", "st_op", "st_fence_history",
		"st_async_id", clientName, "st_callid", strconv.Itoa(call), "st_callopt", strconv.Itoa(callSync), "st_timeout", "5")
}

// ParseHistory parses the XML of an answer of the fencer, as a recording holds it.
func ParseHistory(xml []byte) ([]Fencing, error) {
	root, err := read(xml)
	if err != nil {
		return nil, err
	}
	return parseHistory(root)
}

func parseHistory(answer *etree.Element) ([]Fencing, error) {
	rc, err := number[int](answer, "st_rc")
	if err != nil {
		return nil, err
	}
	if answer.Tag != "st-reply" || rc != 0 {
		return nil, fmt.Errorf("%w: <%s st_rc=\"%d\"> for a history", ErrMalformed, answer.Tag, rc)
	}
	list := answer.FindElement(".//st_history")
	if list == nil {
		return nil, nil // nothing was fenced
	}
	var history []Fencing
	for _, e := range list.SelectElements("st_execute") {
		state, err1 := number[int](e, "st_state")
		seconds, err2 := number[int64](e, "st_date")
		nanoseconds, err3 := number[int64](e, "st_date_nsec")
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, err
		}
		f := Fencing{
			Target: e.SelectAttrValue("st_target", ""), Action: e.SelectAttrValue("st_device_action", ""),
			Origin: e.SelectAttrValue("st_origin", ""), Client: e.SelectAttrValue("st_clientname", ""),
			Delegate: e.SelectAttrValue("st_delegate", ""), State: FencingState(state),
		}
		if seconds != 0 {
			f.Completed = time.Unix(seconds, nanoseconds)
		}
		history = append(history, f)
	}
	return history, nil
}
