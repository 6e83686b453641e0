package cib_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/cib"
)

const small = `<cib admin_epoch="0" epoch="3" num_updates="7" have-quorum="1" dc-uuid="2">
  <configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>
    <nodes>
      <node id="1" uname="db1"><instance_attributes id="n1"><nvpair id="n1-s" name="standby" value="on"/></instance_attributes></node>
      <node id="2" uname="db2"/>
    </nodes>
    <resources>
      <clone id="galera-clone"><primitive id="galera" class="ocf" provider="holdfast" type="galera"/>
        <meta_attributes id="m"><nvpair id="m-p" name="promotable" value="true"/></meta_attributes></clone>
      <primitive id="vip" class="ocf" provider="holdfast" type="IPaddr2">
        <instance_attributes id="vip-i"><nvpair id="vip-ip" name="ip" value="192.0.2.1"/></instance_attributes>
      </primitive>
    </resources>
    <constraints>
      <rsc_location id="cli-prefer-vip" rsc="vip" role="Started" node="db2" score="INFINITY"/>
      <rsc_location id="never-one" rsc="vip" node="db1" score="-INFINITY"/>
    </constraints>
  </configuration>
  <status>
    <node_state id="2" uname="db2" in_ccm="true" crmd="online" join="member" expected="member">
      <transient_attributes id="2"><instance_attributes id="status-2"><nvpair id="a" name="master-galera" value="100"/></instance_attributes></transient_attributes>
      <lrm id="2"><lrm_resources><lrm_resource id="vip" class="ocf" provider="holdfast" type="IPaddr2">
        <lrm_rsc_op id="vip_last_0" operation="start" crm-debug-origin="do_update_resource" transition-key="9:14:0:dc" transition-magic="0:0;9:14:0:dc" call-id="31" rc-code="0" op-status="0" interval="0" last-rc-change="1795438190" exec-time="143" queue-time="1"/>
        <lrm_rsc_op id="vip_monitor_1000" operation="monitor" transition-key="10:14:0:dc" call-id="33" rc-code="1" op-status="4" interval="1000" exit-reason="gone" last-rc-change="1795438195"/>
      </lrm_resource></lrm_resources></lrm>
    </node_state>
    <node_state id="1" uname="db1" in_ccm="0" crmd="0" join="down" expected="down"/>
  </status>
</cib>`

func TestStateReadsACIB(t *testing.T) {
	s := parse(t, []byte(small)).State()
	want := cib.State{
		Cluster:     cib.Cluster{Quorate: true, DC: "2"},
		Properties:  []cib.Property{{Set: "o", Name: "stonith-enabled", Value: "true"}},
		Nodes:       []cib.Node{{ID: "1", Name: "db1"}, {ID: "2", Name: "db2"}},
		NodeStates:  []cib.NodeState{{ID: "2", Name: "db2", Member: true, Online: true, Join: "member", Expected: "member"}, {ID: "1", Name: "db1", Join: "down", Expected: "down"}},
		Attributes:  []cib.Attribute{{NodeID: "1", Node: "db1", Name: "standby", Value: "on"}, {NodeID: "2", Node: "db2", Name: "master-galera", Value: "100", Transient: true}},
		Resources:   []cib.Resource{{ID: "galera-clone", Kind: "clone"}, {ID: "galera", Kind: "primitive", Class: "ocf", Provider: "holdfast", Type: "galera", Parent: "galera-clone"}, {ID: "vip", Kind: "primitive", Class: "ocf", Provider: "holdfast", Type: "IPaddr2"}},
		Addresses:   []cib.Address{{Resource: "vip", IP: "192.0.2.1"}},
		Settings:    []cib.Setting{{Resource: "galera-clone", Name: "promotable", Value: "true"}},
		Constraints: []cib.Constraint{{ID: "cli-prefer-vip", Resource: "vip", Node: "db2", Role: "Started", Score: "INFINITY"}, {ID: "never-one", Resource: "vip", Node: "db1", Score: "-INFINITY"}},
		Operations: []cib.Operation{
			{NodeID: "2", Node: "db2", Resource: "vip", Entry: "vip_last_0", Action: "start", CallID: 31, Changed: time.Unix(1795438190, 0).UTC(), Exec: 143 * time.Millisecond, Queued: time.Millisecond, Transition: cib.Transition{Action: 9, Number: 14, DC: "dc"}, Magic: "0:0;9:14:0:dc"},
			{NodeID: "2", Node: "db2", Resource: "vip", Entry: "vip_monitor_1000", Action: "monitor", Interval: time.Second, CallID: 33, Status: cib.StatusError, RC: 1, Changed: time.Unix(1795438195, 0).UTC(), Transition: cib.Transition{Action: 10, Number: 14, DC: "dc"}, Reason: "gone"},
		},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !s.Standby("db1") || s.Standby("db2") || s.Maintenance("db1") {
		t.Error("db1, and only db1, is in standby, and nobody in maintenance")
	}
	if !s.Constraints[0].ByAdministrator() || s.Constraints[1].ByAdministrator() {
		t.Error("only cli-prefer-vip is an administrator's")
	}
	if s.Operations[0].Failed() || !s.Operations[1].Failed() {
		t.Error("the monitor failed, the start did not")
	}
	if diff := cmp.Diff(map[string]cib.Role{"db2": cib.Started}, s.Roles("vip")); diff != "" {
		t.Errorf("roles, -want +got:\n%s", diff)
	}
}

// patch makes a patchset of one version step from small.
func patch(changes string) string {
	return `<diff format="2"><version><source admin_epoch="0" epoch="3" num_updates="7"/><target admin_epoch="0" epoch="3" num_updates="8"/></version>` +
		`<change operation="modify" path="/cib"><change-list/><change-result><cib admin_epoch="0" epoch="3" num_updates="8" have-quorum="1" dc-uuid="2"/></change-result></change>` + changes + `</diff>`
}

const status = "/cib/status/node_state[@id='2']"

func TestApply(t *testing.T) {
	resources := "/cib/configuration/resources"
	for _, tt := range []struct{ name, changes, want string }{
		{"a membership ends", `<change operation="modify" path="` + status + `"><change-result><node_state id="2" uname="db2" in_ccm="false" crmd="offline" join="down" expected="member"/></change-result></change>`,
			"  cib.NodeState{ID:2 Name:db2 Member:true Online:true Join:member Expected:member} -> cib.NodeState{ID:2 Name:db2 Member:false Online:false Join:down Expected:member}"},
		{"history goes with its element", `<change operation="delete" path="` + status + `/lrm[@id='2']"/>`,
			"- db2: vip_last_0 start/0s call 31 transition 14, status 0 rc 0 exec 143ms\n- db2: vip_monitor_1000 monitor/1s call 33 transition 14, status 4 rc 1 exec 0s FAILED gone"},
		{"what is gone can be deleted", `<change operation="delete" path="/cib/status/node_state[@id='9']"/>`, ""},
		{"replaced by the same", `<change operation="delete" path="/cib/configuration/constraints/rsc_location[@id='never-one']"/>` +
			`<change operation="create" path="/cib/configuration/constraints" position="1"><rsc_location id="never-one" rsc="vip" node="db1" score="-INFINITY"/></change>`, ""},
		{"order is no change", `<change operation="move" path="` + resources + `/primitive[@id='vip']" position="0"/>`, ""},
		{"a number that is none", `<change operation="create" path="` + status + `/lrm[@id='2']/lrm_resources/lrm_resource[@id='vip']" position="2"><lrm_rsc_op id="x" call-id="many"/></change>`,
			"+ cib.Unreadable{Path:" + status + "/lrm[@id='2']/lrm_resources/lrm_resource[@id='vip']/lrm_rsc_op[@id='x'] Problem:this is not what Pacemaker writes: call-id=\"many\"}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, []byte(small))
			changes, err := d.Apply(element(t, patch(tt.changes)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range changes {
				got = append(got, tell(c))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if d.Version() != (cib.Version{Epoch: 3, NumUpdates: 8}) {
				t.Errorf("version %v", d.Version())
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, diff string
		want       error
	}{
		{"a gap", strings.Replace(patch(""), `epoch="3" num_updates="7"`, `epoch="3" num_updates="9"`, 1), cib.ErrGap},
		{"a step back", strings.Replace(patch(""), `epoch="3" num_updates="7"`, `epoch="3" num_updates="6"`, 1), cib.ErrGap},
		{"another version than announced", strings.Replace(patch(""), `<target admin_epoch="0" epoch="3" num_updates="8"`, `<target admin_epoch="0" epoch="4" num_updates="0"`, 1), cib.ErrDiverged},
		{"a wrong digest", strings.Replace(patch(""), `format="2"`, `format="2" digest="c048eae664dba840e1d2060f00299e9d"`, 1), cib.ErrDiverged},
		{"an element that is not there", patch(`<change operation="modify" path="/cib/status/node_state[@id='9']"><change-result><node_state/></change-result></change>`), cib.ErrDiverged},
		{"a place that is not there", patch(`<change operation="move" path="` + status + `" position="7"/>`), cib.ErrDiverged},
		{"another format", strings.Replace(patch(""), `format="2"`, `format="1"`, 1), cib.ErrMalformed},
		{"no versions", `<diff format="2"/>`, cib.ErrMalformed},
		{"an unknown operation", patch(`<change operation="turn" path="/cib"/>`), cib.ErrMalformed},
		{"a path that is none", patch(`<change operation="delete" path="status"/>`), cib.ErrMalformed},
		{"the end of everything", patch(`<change operation="delete" path="/cib"/>`), cib.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, []byte(small))
			if _, err := d.Apply(element(t, tt.diff)); !errors.Is(err, tt.want) {
				t.Errorf("%v, not %v", err, tt.want)
			}
			if _, err := d.Apply(element(t, patch(""))); !errors.Is(err, cib.ErrStale) {
				t.Errorf("then %v, not stale", err)
			}
			if _, err := d.Replace(element(t, small)); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Apply(element(t, patch(""))); err != nil {
				t.Errorf("after a replacement: %v", err)
			}
		})
	}
}

// TestDigestIsPacemakers takes a patchset to which Pacemaker added its digest, as it
// does once a minute.
func TestDigestIsPacemakers(t *testing.T) {
	checked := 0
	for _, name := range []string{"planned-move", "standby", "mariadb-killed", "power-cut", "cable-out"} {
		snapshot, patches := stream(t, name)
		d := parse(t, snapshot)
		for _, p := range patches {
			if _, err := d.Apply(p); err != nil {
				t.Fatal(err)
			}
			if want := p.SelectAttrValue("digest", ""); want != "" {
				checked++
				if got := d.Digest(); got != want {
					t.Errorf("%s, %v: %s, not %s", name, d.Version(), got, want)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no recording has a digest")
	}
}

func TestDigestEscapes(t *testing.T) {
	a := parse(t, []byte(`<cib a="&lt;&gt;&quot;&apos;&amp;" cib-last-written="now"/>`))
	b := parse(t, []byte("<cib a='&lt;&gt;\"&#39;&amp;' update-user='root'/>"))
	if a.Digest() != b.Digest() {
		t.Error("what is not counted changes the digest")
	}
	if c := parse(t, []byte(`<cib a="&lt;&gt;&quot;&apos;&amp;&amp;"/>`)); c.Digest() == a.Digest() {
		t.Error("a value does not change the digest")
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	order := []cib.Version{{}, {NumUpdates: 5}, {Epoch: 1}, {Epoch: 1, NumUpdates: 1}, {AdminEpoch: 1}}
	for i, v := range order {
		for j, w := range order {
			if got := v.Compare(w); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%v against %v: %d", v, w, got)
			}
		}
	}
	if got := fmt.Sprint(cib.Version{AdminEpoch: 1, Epoch: 2, NumUpdates: 3}); got != "1.2.3" {
		t.Error(got)
	}
}

// TestReplaceTellsWhatAFailedPatchsetChanged: it was applied, and nobody was told.
func TestReplaceTellsWhatAFailedPatchsetChanged(t *testing.T) {
	d := parse(t, []byte(small))
	changes := `<change operation="delete" path="/cib/configuration/constraints/rsc_location[@id='never-one']"/>` +
		`<change operation="create" path="/cib/configuration/constraints" position="1"><rsc_location id="never-two" rsc="vip" node="db2" score="-INFINITY"/></change>`
	wrong := strings.Replace(patch(changes), `format="2"`, `format="2" digest="c048eae664dba840e1d2060f00299e9d"`, 1)
	if _, err := d.Apply(element(t, wrong)); !errors.Is(err, cib.ErrDiverged) {
		t.Fatal(err)
	}
	xml, err := d.XML()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range mustReplace(t, d, xml) {
		got = append(got, tell(c))
	}
	want := []string{
		"- cib.Constraint{ID:never-one Resource:vip Node:db1 Role: Score:-INFINITY}",
		"+ cib.Constraint{ID:never-two Resource:vip Node:db2 Role: Score:-INFINITY}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFailed(t *testing.T) {
	monitor := func(interval time.Duration, rc, target int) cib.Operation {
		return cib.Operation{Action: "monitor", Interval: interval, RC: rc, Transition: cib.Transition{Target: target}}
	}
	for _, tt := range []struct {
		name string
		o    cib.Operation
		want bool
	}{
		{"as expected", monitor(time.Second, 8, 8), false},
		{"gone", monitor(time.Second, 7, 8), true},
		{"a probe that finds it running", monitor(0, 8, 7), false},
		{"a probe that fails", monitor(0, 1, 7), true},
		{"pending", cib.Operation{Status: cib.StatusPending, RC: 193}, false},
		{"cancelled", cib.Operation{Status: cib.StatusCancelled, RC: 7}, false},
		{"too late", cib.Operation{Action: "start", Status: cib.StatusTimeout, RC: 1}, true},
	} {
		if got := tt.o.Failed(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestSchedules reads how actions are configured, with every unit that Pacemaker knows.
func TestSchedules(t *testing.T) {
	s := parse(t, []byte(`<cib epoch="1"><configuration><resources><primitive id="vip" class="ocf" provider="holdfast" type="IPaddr2"><operations>`+
		`<op id="a" name="monitor" interval="2s" timeout="20" role="Master"/><op id="b" name="start" timeout="1min" interval="0s"/>`+
		`<op id="c" name="monitor" interval="1500ms" enabled="false"/><op id="d" name="monitor" interval="PT2S"/></operations></primitive></resources></configuration></cib>`)).State()
	want := []cib.Schedule{
		{ID: "a", Resource: "vip", Action: "monitor", Role: "Promoted", Interval: 2 * time.Second, Timeout: 20 * time.Second},
		{ID: "b", Resource: "vip", Action: "start", Timeout: time.Minute},
		{ID: "c", Resource: "vip", Action: "monitor", Interval: 1500 * time.Millisecond, Disabled: true},
	}
	if diff := cmp.Diff(want, s.Schedules); diff != "" || len(s.Unreadable) != 1 {
		t.Errorf("unreadable %v, -want +got:\n%s", s.Unreadable, diff)
	}
}
