package main

import (
	"testing"
	"time"

	"holdfast/cib"
	"holdfast/crmbridge/incident"
)

// TestAnotherCluster: Debian's own cluster of one node is destroyed, and another one set up. Pacemaker that
// was killed may have lost some changes, and is still of the same.
func TestAnotherCluster(t *testing.T) {
	document := func(text string) *cib.Document {
		d, err := cib.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const node1, three = `<node id="1" uname="node1"/>`, `<node id="1" uname="db1"/><node id="2" uname="db2"/><node id="3" uname="db3"/>`
	cibOf := func(version, nodes string) *cib.Document {
		return document(`<cib ` + version + `><configuration><crm_config/><nodes>` + nodes + `</nodes><resources/><constraints/></configuration><status/></cib>`)
	}
	const late, early = `admin_epoch="0" epoch="5" num_updates="7"`, `admin_epoch="0" epoch="4" num_updates="90"`
	was := cibOf(late, node1)
	for _, c := range []struct {
		name string
		told []cib.Fact
		now  *cib.Document
		want bool
	}{
		{"nothing was read before", nil, cibOf(early, three), false},
		{"it is empty yet", was.Told(), cibOf(`admin_epoch="0" epoch="0" num_updates="0"`, ""), true},
		{"its nodes are there already", was.Told(), cibOf(early, three), true},
		{"a change was lost", was.Told(), cibOf(early, node1), false},
		{"it has come just as far", was.Told(), cibOf(late, three), true},
		{"it only went on", was.Told(), cibOf(`admin_epoch="0" epoch="6" num_updates="0"`, node1+`<node id="2" uname="db2"/>`), false},
		{"it tells of no nodes", was.Told(), cibOf(`admin_epoch="0" epoch="6" num_updates="0"`, ""), false},
	} {
		if got := another(was.Version(), c.told, c.now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestAnotherClusterIsTold with what there is in it, and without what there was in the one before.
func TestAnotherClusterIsTold(t *testing.T) {
	translator := newTranslator("db1", stillMachine{})
	at := func(what any) observation { return observation{source: sourceCIB, received: time.Now(), what: what} }
	first := cibRead{version: cib.Version{Epoch: 5}, facts: []cib.Fact{cib.Cluster{DC: "1"}, cib.Node{ID: "1", Name: "node1"}}}
	translator.events(at(first))
	translator.events(at(seeing{since: time.Now()}))
	events := translator.events(at(cibRead{another: true, facts: []cib.Fact{cib.Cluster{}}}))
	if len(events) != 2 || events[0].Kind != incident.AnotherCluster || events[0].Initial || events[1].Kind != incident.DCChanged || !events[1].Initial {
		t.Errorf("told as %v", events)
	}
	if name := translator.cib.name("1"); name != "1" {
		t.Errorf("a node of the cluster before is still called %s", name)
	}
}
