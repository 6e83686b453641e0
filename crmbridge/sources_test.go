package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/cib"
	"holdfast/crmbridge/pacemaker"
	"holdfast/crmbridge/qb"
)

// daemonConn is a connection to a small CIB manager or fencer: it answers what it is
// asked, and announces what the test puts into events. The end of events is the end of
// the connection.
type daemonConn struct {
	answers chan []byte
	events  chan qb.Event
	cib     func() string // what a query gives
	history func() string
}

func newDaemonConn() *daemonConn {
	return &daemonConn{answers: make(chan []byte, 10), events: make(chan qb.Event, 10)}
}

// message is XML as the daemons send it: see pacemaker.Decode.
func message(id uint32, xml string) []byte {
	b := make([]byte, 40+len(xml)+1)
	binary.NativeEndian.PutUint32(b[0:], id)
	binary.NativeEndian.PutUint32(b[8:], uint32(len(b)))
	binary.NativeEndian.PutUint32(b[24:], uint32(len(xml)+1))
	b[36] = 1
	copy(b[40:], xml)
	return b
}

func (d *daemonConn) Send(_ context.Context, request []byte) error {
	id, xml, err := pacemaker.Decode(request)
	if err != nil {
		return err
	}
	answer := `<ack status="0"/>`
	switch text := string(xml); {
	case strings.Contains(text, `cib_op="register"`):
		answer = `<cib_common_callback_worker cib_clientid="me"/>`
	case strings.Contains(text, `cib_op="cib_query"`):
		answer = `<cib-reply cib_rc="0"><cib_calldata>` + d.cib() + `</cib_calldata></cib-reply>`
	case strings.Contains(text, `st_op="st_fence_history"`):
		answer = `<st-reply st_rc="0"><st_calldata><st_history>` + d.history() + `</st_history></st_calldata></st-reply>`
	}
	d.answers <- message(uint32(id), answer)
	return nil
}

func (d *daemonConn) Receive(context.Context) ([]byte, error) { return <-d.answers, nil }

func (d *daemonConn) Event(context.Context) (qb.Event, error) {
	e, ok := <-d.events
	if !ok {
		return qb.Event{}, qb.ErrDisconnected
	}
	return e, nil
}

func (d *daemonConn) announce(xml string) {
	d.events <- qb.Event{Data: message(0, xml), Received: time.Now()}
}

func clusterAt(updates int, dc string) string {
	return fmt.Sprintf(`<cib epoch="1" num_updates="%d" dc-uuid="%s"/>`, updates, dc)
}

// patch is an announcement of a new DC, from one version to the next.
func patch(from int, dc, digest string) string {
	return fmt.Sprintf(`<notify t="cib_notify" subt="cib_diff_notify" cib_op="cib_modify" cib_rc="0"><cib_update_result><diff format="2"%s><version>`+
		`<source epoch="1" num_updates="%d"/><target epoch="1" num_updates="%d"/></version>`+
		`<change operation="modify" path="/cib"><change-result>%s</change-result></change></diff></cib_update_result></notify>`,
		digest, from, from+1, clusterAt(from+1, dc))
}

// summary is an observation in a few words.
func summary(o observation) string {
	dc := func(changes []cib.Change) string {
		if len(changes) == 0 {
			return "nothing"
		}
		return changes[0].Before.(cib.Cluster).DC + "->" + changes[0].After.(cib.Cluster).DC
	}
	switch what := o.what.(type) {
	case cibRead:
		return fmt.Sprintf("read %v: %s", what.version, dc(what.changes))
	case cibChanged:
		return fmt.Sprintf("changed %v: %s", what.version, dc(what.changes))
	case fencingSeen:
		return fmt.Sprintf("fencing ended %v, history %v", what.ended != nil, what.history)
	}
	return fmt.Sprintf("%T", o.what)
}

// TestDocumentIsReadAnew after a gap, after a patch that makes another CIB than
// Pacemaker's, and on the next connection; never quietly.
func TestDocumentIsReadAnew(t *testing.T) {
	out := make(chan observation, 20)
	s := &source{name: sourceCIB, out: out, log: quiet()}
	var d document
	states := []string{clusterAt(1, "a"), clusterAt(6, "c"), clusterAt(7, "d"), clusterAt(9, "e")}
	next := func() string {
		first := states[0]
		states = states[1:]
		return first
	}
	c := newDaemonConn()
	c.cib = next
	c.announce(patch(1, "b", ""))
	c.announce(patch(5, "c", "")) // from 2 to 5: missed
	c.announce(patch(6, "d", ` digest="00000000000000000000000000000000"`))
	close(c.events)
	err := d.follow(t.Context(), s, c)
	if !errors.Is(err, qb.ErrDisconnected) {
		t.Errorf("ended with %v", err)
	}
	s.lost(t.Context(), err)
	again := newDaemonConn()
	again.cib = next
	close(again.events)
	if err := d.follow(t.Context(), s, again); !errors.Is(err, qb.ErrDisconnected) {
		t.Errorf("ended with %v", err)
	}
	close(out)
	var got []string
	for o := range out {
		got = append(got, summary(o))
	}
	want := []string{
		"main.seeing", "read 0.1.1: nothing", "changed 0.1.2: a->b",
		"main.blind", "main.seeing", "read 0.1.6: b->c",
		"main.blind", "main.seeing", "read 0.1.7: c->d",
		"main.blind", "main.seeing", "read 0.1.9: d->e",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFencerIsAskedAfterEveryEvent(t *testing.T) {
	out := make(chan observation, 20)
	c := newDaemonConn()
	asked := 0
	c.history = func() string {
		asked++
		return fmt.Sprintf(`<st_execute st_target="db3" st_device_action="reboot" st_state="%d"/>`, min(asked, 2))
	}
	c.announce(`<notify t="st_notify" subt="st_notify_history"/>`)
	c.announce(`<notify t="st_notify" subt="st_notify_fence"><st_calldata><st_notify_fence state="2" st_target="db3"/></st_calldata></notify>`)
	close(c.events)
	if err := followFencer(t.Context(), &source{name: sourceFencer, out: out, log: quiet()}, c); !errors.Is(err, qb.ErrDisconnected) {
		t.Errorf("ended with %v", err)
	}
	close(out)
	var got []string
	for o := range out {
		got = append(got, summary(o)[:min(len(summary(o)), 19)])
	}
	want := []string{"main.seeing", "fencing ended false", "fencing ended false", "fencing ended true,"}
	for i := range got {
		got[i] = strings.TrimSpace(got[i])
	}
	if len(got) != 4 || got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) || !strings.HasPrefix(got[3], "fencing ended true") || asked != 3 {
		t.Errorf("asked %d times: %q", asked, got)
	}
}

// hurriedConn announces a change while the answer to a query is still on its way.
type hurriedConn struct{ *daemonConn }

func (c hurriedConn) Receive(ctx context.Context) ([]byte, error) {
	answer, err := c.daemonConn.Receive(ctx)
	if strings.Contains(string(answer), "cib_calldata") {
		c.announce(patch(1, "b", ""))
		close(c.events)
	}
	return answer, err
}

// TestTheCIBIsFromBeforeItsChanges: a change that comes before the CIB has been read is
// still later than what the CIB says. Otherwise an operation that has ended seems to be
// under way for ever.
func TestTheCIBIsFromBeforeItsChanges(t *testing.T) {
	out := make(chan observation, 20)
	c := hurriedConn{newDaemonConn()}
	c.cib = func() string { return clusterAt(1, "a") }
	var d document
	if err := d.follow(t.Context(), &source{name: sourceCIB, out: out, log: quiet()}, c); !errors.Is(err, qb.ErrDisconnected) {
		t.Fatalf("ended with %v", err)
	}
	close(out)
	var read, changed time.Time
	for o := range out {
		switch o.what.(type) {
		case cibRead:
			read = o.received
		case cibChanged:
			changed = o.received
		}
	}
	if read.IsZero() || !read.Before(changed) {
		t.Errorf("read at %v, changed at %v", read, changed)
	}
}
