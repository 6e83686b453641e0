package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/qb"
)

// How large the storm is, and what the daemon may keep of it.
const (
	stormResources = 1000
	stormDiffs     = 20_000
	// stormHeap bounds what is in use after a collection. With GOGC=25 (the unit's) and
	// what a Go program needs besides, 25 MB resident follow; the test on the lab measures
	// that.
	stormHeap = 12 << 20
)

// stormConn is a connection to a CIB manager that announces one result after another, each
// made when it is asked for, and then ends.
type stormConn struct {
	*daemonConn
	sent int
}

func (c *stormConn) Event(context.Context) (qb.Event, error) {
	if c.sent == stormDiffs {
		return qb.Event{}, qb.ErrDisconnected
	}
	c.sent++
	return qb.Event{Data: message(0, stormPatch(c.sent-1)), Received: time.Now()}, nil
}

func stormOperation(resource, call int) string {
	return fmt.Sprintf(`<lrm_rsc_op id="s%d_last_0" operation_key="s%d_start_0" operation="start" crm-debug-origin="do_update_resource" crm_feature_set="3.16.1" `+
		`transition-key="%d:14:0:5d6439bf-c450-9d75-61a6-a36031971780" transition-magic="0:0;%d:14:0:5d6439bf-c450-9d75-61a6-a36031971780" exit-reason="" on_node="db1" `+
		`call-id="%d" rc-code="0" op-status="0" interval="0" last-rc-change="1795438190" exec-time="143" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/>`,
		resource, resource, call, call, call)
}

func stormCIB(updates int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<cib admin_epoch="0" epoch="3" num_updates="%d" have-quorum="1" dc-uuid="2"><configuration><crm_config/><nodes/><resources>`, updates)
	for r := range stormResources {
		fmt.Fprintf(&b, `<primitive id="s%d" class="ocf" provider="pacemaker" type="Dummy"/>`, r)
	}
	b.WriteString(`<clone id="galera-clone"><primitive id="galera" class="ocf" provider="holdfast" type="galera"/></clone><primitive id="vip" class="ocf" provider="holdfast" type="IPaddr2">`)
	b.WriteString(`<instance_attributes id="vip-i"><nvpair id="vip-i-ip" name="ip" value="192.168.205.70"/></instance_attributes></primitive>`)
	b.WriteString(`</resources><constraints/></configuration><status>`)
	for n := 1; n <= 3; n++ {
		fmt.Fprintf(&b, `<node_state id="%d" uname="db%d" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="%d"><lrm_resources>`, n, n, n)
		for r := range stormResources {
			fmt.Fprintf(&b, `<lrm_resource id="s%d" class="ocf" provider="pacemaker" type="Dummy">%s</lrm_resource>`, r, stormOperation(r, 1))
		}
		b.WriteString(`</lrm_resources></lrm></node_state>`)
	}
	b.WriteString(`</status></cib>`)
	return b.String()
}

// stormPatch gives a resource a new result; every other one replaces its whole history.
func stormPatch(i int) string {
	resource, node := i*37%stormResources, i%3+1
	history := fmt.Sprintf(`/cib/status/node_state[@id='%d']/lrm[@id='%d']/lrm_resources`, node, node)
	place := fmt.Sprintf(`%s/lrm_resource[@id='s%d']`, history, resource)
	operation := stormOperation(resource, i+10)
	change := fmt.Sprintf(`<change operation="modify" path="%s/lrm_rsc_op[@id='s%d_last_0']"><change-list/><change-result>%s</change-result></change>`, place, resource, operation)
	if i%2 == 1 {
		change = fmt.Sprintf(`<change operation="delete" path="%s"/><change operation="create" path="%s" position="%d">`+
			`<lrm_resource id="s%d" class="ocf" provider="pacemaker" type="Dummy">%s</lrm_resource></change>`, place, history, resource, resource, operation)
	}
	return fmt.Sprintf(`<notify t="cib_notify" subt="cib_diff_notify" cib_op="cib_modify" cib_rc="0"><cib_update_result><diff format="2"><version>`+
		`<source admin_epoch="0" epoch="3" num_updates="%d"/><target admin_epoch="0" epoch="3" num_updates="%d"/></version>`+
		`<change operation="modify" path="/cib"><change-list/><change-result><cib admin_epoch="0" epoch="3" num_updates="%d" have-quorum="1" dc-uuid="2"/></change-result></change>`+
		`%s</diff></cib_update_result></notify>`, i, i+1, i+1, change)
}

// forgetful is an output that only counts.
type forgetful struct{ events, records int }

func (f *forgetful) WriteEvent(incident.Event) error   { f.events++; return nil }
func (f *forgetful) WriteRecord(incident.Record) error { f.records++; return nil }

// TestStormStaysSmall: a CIB of 1,000 resources, 20,000 results of theirs, the connection
// lost, and the CIB read anew, leave no more in the memory than the one copy of the CIB.
// HOLDFAST_HEAP_PROFILE is a file to write the heap's profile to.
func TestStormStaysSmall(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	before := heap()
	observations := make(chan observation, backlog)
	out := &forgetful{}
	r := &recorder{translator: newTranslator("db1", stillMachine{}), tracker: incident.NewTracker("db1"), out: out}
	taken := make(chan error, 1)
	go func() {
		for o := range observations {
			if _, err := r.take(o); err != nil {
				taken <- err
				return
			}
		}
		taken <- nil
	}()
	s := &source{name: sourceCIB, out: observations, log: quiet()}
	d := &document{}
	for range 2 {
		c := &stormConn{daemonConn: newDaemonConn()}
		c.cib = func() string { return stormCIB(0) }
		err := d.follow(t.Context(), s, c)
		if !errors.Is(err, qb.ErrDisconnected) {
			t.Fatalf("ended with %v", err)
		}
		s.lost(t.Context(), err)
	}
	close(observations)
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	kept := heap() - before
	if file := os.Getenv("HOLDFAST_HEAP_PROFILE"); file != "" {
		writeProfile(t, file)
	}
	t.Logf("%d events; %.1f MB in use", out.events, float64(kept)/(1<<20))
	if out.events < 2*stormDiffs {
		t.Errorf("%d events of %d results", out.events, 2*stormDiffs)
	}
	if kept > stormHeap {
		t.Errorf("%.1f MB in use", float64(kept)/(1<<20))
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(d)
}

// heap is what is in use, without what could be collected.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func writeProfile(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := pprof.Lookup("heap").WriteTo(f, 0); err != nil {
		t.Fatal(err)
	}
}
