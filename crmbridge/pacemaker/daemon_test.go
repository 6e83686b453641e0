package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/qb"
)

const (
	fenced = `<notify t="st_notify" subt="st_notify_fence" st_op="st_notify_fence" op-status="0" rc-code="0" st_rc="0">` +
		`<st_calldata><st_notify_fence state="2" st_rc="0" st_target="db3" st_device_action="reboot" st_delegate="db2" ` +
		`st_remote_op="8066be8e" st_origin="db1" st_clientid="c" st_clientname="pacemaker-controld.240"/></st_calldata></notify>`
	began   = `<notify t="st_notify" subt="st_notify_history" st_op="st_notify_history" op-status="0" rc-code="0" st_rc="0"/>`
	history = `<st-reply t="stonith-ng" st_op="st_fence_history" st_rc="0"><st_calldata><st_history>` +
		`<st_execute st_target="db3" st_device_action="reboot" st_origin="db1" st_delegate="db2" st_clientname="c" ` +
		`st_date="1795390737" st_date_nsec="656080517" st_state="2"/>` +
		`<st_execute st_target="db2" st_device_action="reboot" st_origin="db1" st_state="1"/></st_history></st_calldata></st-reply>`
	ack        = `<ack function="f" line="1" status="0"/>`
	registered = `<cib_common_callback_worker cib_op="register" cib_clientid="uuid"/>`
)

// patch is the notification of a change from one version to another.
func patch(source, target string) string {
	version := func(tag, v string) string {
		n := strings.Split(v, ".")
		return fmt.Sprintf(`<%s admin_epoch="%s" epoch="%s" num_updates="%s"/>`, tag, n[0], n[1], n[2])
	}
	return `<notify t="cib_notify" subt="cib_diff_notify" cib_op="cib_modify" cib_rc="0" cib_object_type="status">` +
		`<cib_generation><generation_tuple update-client="crmd" update-user="hacluster"/></cib_generation>` +
		`<cib_update_result><diff format="2"><version>` + version("source", source) + version("target", target) + `</version>` +
		`<change operation="modify" path="/cib/status/node_state[@id='3']"><change-list>` +
		`<change-attr name="in_ccm" operation="set" value="false"/></change-list>` +
		`<change-result><node_state id="3" in_ccm="false"/></change-result></change></diff></cib_update_result></notify>`
}

func snapshot(epoch, updates int) string {
	return fmt.Sprintf(`<cib-reply t="cib" cib_op="cib_query" cib_rc="0"><cib_calldata>`+
		`<cib admin_epoch="0" epoch="%d" num_updates="%d"/></cib_calldata></cib-reply>`, epoch, updates)
}

// daemon answers questions in their order and says what it says by itself.
type daemon struct {
	answers []string
	events  []string
	asked   []string
	late    int // answers to earlier questions that come first
	pending [][]byte
}

func (d *daemon) Send(_ context.Context, message []byte) error {
	id, xml, err := Decode(message)
	if err != nil {
		return err
	}
	d.asked = append(d.asked, string(xml))
	for i := range d.late {
		d.pending = append(d.pending, encode(id-1-int32(i), []byte("<late/>")))
	}
	if len(d.answers) > 0 {
		d.pending = append(d.pending, encode(id, []byte(d.answers[0])))
		d.answers = d.answers[1:]
	}
	return nil
}

func (d *daemon) Receive(context.Context) ([]byte, error) {
	if len(d.pending) == 0 {
		return nil, qb.ErrDisconnected
	}
	b := d.pending[0]
	d.pending = d.pending[1:]
	return b, nil
}

func (d *daemon) Event(context.Context) (qb.Event, error) {
	if len(d.events) == 0 {
		return qb.Event{}, qb.ErrDisconnected
	}
	xml := d.events[0]
	d.events = d.events[1:]
	return qb.Event{Data: encode(1, []byte(xml)), Received: time.Unix(100, 0)}, nil
}

func TestCIBFollows(t *testing.T) {
	failed := strings.Replace(patch("0.5.8", "0.5.9"), `cib_rc="0"`, `cib_rc="-62"`, 1)
	other := `<notify t="cib_notify" subt="cib_post_notify" cib_rc="0"/>`
	for _, test := range []struct {
		name   string
		events []string
		want   []string // versions, "gap", or "lost"
	}{
		{"in order", []string{patch("0.5.8", "0.5.9"), patch("0.5.9", "0.6.0")}, []string{"0.5.9", "0.6.0", "lost"}},
		{"older ones were on their way", []string{patch("0.5.6", "0.5.7"), patch("0.5.7", "0.5.8"), patch("0.5.8", "0.5.9")}, []string{"0.5.9", "lost"}},
		{"one is missing", []string{patch("0.5.9", "0.5.10")}, []string{"gap", "lost"}},
		{"nothing follows a gap", []string{patch("0.5.9", "0.5.10"), patch("0.5.10", "0.5.11")}, []string{"gap", "gap", "lost"}},
		{"the CIB was replaced by an older one", []string{patch("0.5.8", "0.5.9"), patch("0.4.1", "0.4.2")}, []string{"0.5.9", "gap", "lost"}},
		{"one comes twice", []string{patch("0.5.8", "0.5.9"), patch("0.5.8", "0.5.9")}, []string{"0.5.9", "gap", "lost"}},
		{"failed updates and others are no changes", []string{failed, other, patch("0.5.8", "0.5.9")}, []string{"0.5.9", "lost"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cib, err := OpenCIB(t.Context(), &daemon{answers: []string{registered, ack, snapshot(5, 8)}, events: test.events, late: 2})
			if err != nil {
				t.Fatal(err)
			}
			s, err := cib.Follow(t.Context())
			if err != nil || s.Version.String() != "0.5.8" {
				t.Fatalf("followed from %v, %v", s.Version, err)
			}
			for i, want := range test.want {
				p, err := cib.Next(t.Context())
				got := p.Target.String()
				switch {
				case errors.Is(err, ErrGap):
					got = "gap"
				case errors.Is(err, qb.ErrDisconnected):
					got = "lost"
				case err != nil:
					t.Fatal(err)
				case p.Client != "crmd" || p.User != "hacluster" || p.Operation != "cib_modify" || p.Received != time.Unix(100, 0):
					t.Errorf("patch %+v", p)
				}
				if got != want {
					t.Fatalf("%d. change: %s, want %s (%v)", i+1, got, want, err)
				}
			}
		})
	}
}

func TestCIBAnswersThatAreNone(t *testing.T) {
	for name, answers := range map[string][]string{
		"no client id":       {`<cib_common_callback_worker/>`},
		"subscription fails": {registered, `<ack status="64"/>`},
		"no acknowledgement": {registered, `<nack status="0"/>`},
		"no XML":             {`not XML`},
		"nobody answers":     {},
	} {
		if _, err := OpenCIB(t.Context(), &daemon{answers: answers}); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	for name, answer := range map[string]string{
		"refused":        `<cib-reply cib_rc="-13"/>`,
		"empty":          `<cib-reply cib_rc="0"/>`,
		"no version":     `<cib-reply cib_rc="0"><cib_calldata><cib epoch="x"/></cib_calldata></cib-reply>`,
		"no return code": `<cib-reply cib_rc="x"/>`,
	} {
		cib, err := OpenCIB(t.Context(), &daemon{answers: []string{registered, ack, answer}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cib.Follow(t.Context()); err == nil {
			t.Errorf("%s: followed", name)
		}
	}
}

func TestFencer(t *testing.T) {
	d := &daemon{answers: []string{`<st-reply st_clientid="c"/>`, ack, ack, ack, history}, events: []string{began, `<other/>`, fenced}}
	f, err := OpenFencer(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := f.Next(t.Context()); err != nil || e.Ended != nil || e.Received != time.Unix(100, 0) {
		t.Errorf("the begin: %+v, %v", e, err)
	}
	want := Fencing{Target: "db3", Action: "reboot", Operation: "8066be8e", Origin: "db1", Client: "pacemaker-controld.240", Delegate: "db2", State: FencingDone}
	if e, err := f.Next(t.Context()); err != nil || e.Ended == nil || *e.Ended != want {
		t.Errorf("the end: %+v, %v", e, err)
	}
	h, err := f.History(t.Context())
	if err != nil || len(h) != 2 {
		t.Fatalf("history %+v, %v", h, err)
	}
	if h[0].Completed != time.Unix(1795390737, 656080517) || h[1].State != FencingExecuting || !h[1].Completed.IsZero() {
		t.Errorf("history %+v", h)
	}
}

func TestAttributes(t *testing.T) {
	d := &daemon{answers: []string{
		`<ack status="112"/>`, `<ack status="112"/>`, `<query attr_name="a"><node attr_host="db1" attr_value="7"/><node attr_host="db2"/></query>`, ack,
	}}
	a := OpenAttributes(d)
	if err := a.Update(t.Context(), "db1", "a", `<&"`); err != nil {
		t.Error(err)
	}
	if err := a.Delete(t.Context(), "db1", "a"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(d.asked[0], `attr_value="&lt;&amp;&quot;"`) || strings.Contains(d.asked[1], "attr_value") {
		t.Errorf("asked %q", d.asked)
	}
	if v, err := a.Query(t.Context(), "a"); err != nil || len(v) != 1 || v["db1"] != "7" {
		t.Errorf("queried %v, %v", v, err)
	}
	if _, err := a.Query(t.Context(), "b"); !errors.Is(err, ErrNoAttribute) {
		t.Errorf("queried with %v", err)
	}
}

func TestController(t *testing.T) {
	result := func(rc string) string {
		return `<create_request_adv crm_task="lrm_invoke"><crm_xml><node_state><lrm><lrm_resources><lrm_resource id="vip">` +
			`<lrm_rsc_op operation="asyncmon" rc-code="` + rc + `" exit-reason="why"/></lrm_resource></lrm_resources></lrm></node_state></crm_xml></create_request_adv>`
	}
	for rc, wanted := range map[string]string{"0": "", "4": "OCF code 4: why", "x": "never sends"} {
		d := &daemon{answers: []string{ack, `<ack status="112"/>`}, events: []string{began, result(rc)}}
		k, err := OpenController(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		err = k.ReportFailure(t.Context(), Failure{Node: "db1", Resource: "vip", Class: "ocf", Provider: "holdfast", Type: "IPaddr2"})
		if wanted == "" && err != nil || wanted != "" && (err == nil || !strings.Contains(err.Error(), wanted)) {
			t.Errorf("rc %s: %v", rc, err)
		}
		if !strings.Contains(d.asked[1], `crm_task="lrm_fail"`) || !strings.Contains(d.asked[1], `<primitive id="vip"`) {
			t.Errorf("asked %q", d.asked)
		}
	}
}
