package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"holdfast/cib"
	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journalctl"
	"holdfast/crmbridge/kernel"
	"holdfast/crmbridge/pacemaker"
)

var update = flag.Bool("update", false, "write the expected output anew")

// recordings are what the daemons of real nodes said around a fault: tests/cluster
// records them.
const recordings = "incident/testdata"

// entry is a line of a recording.
type entry struct {
	Received time.Time       `json:"received"`
	Source   string          `json:"source"`
	XML      string          `json:"xml"`
	Message  []byte          `json:"message"`
	Journal  json.RawMessage `json:"journal"`
	Error    string          `json:"error"`
}

// stillMachine is a machine whose clocks say what the recording says.
type stillMachine struct{}

func (stillMachine) moment(t time.Time) incident.Moment { return incident.Moment{Wall: t.UTC()} }
func (stillMachine) boot() string                       { return "boot" }
func (stillMachine) interfaceName(int) string           { return "host0" }
func (stillMachine) clock() (kernel.Clock, error)       { return kernel.Clock{Synchronized: true}, nil }

// readRecording reads a recording. That of a node that lost its power may end anywhere.
func readRecording(t *testing.T, file string) []entry {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	lines := bufio.NewReader(zip)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			return entries
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		entries = append(entries, e)
	}
}

// replay makes the observations of a recording, as the sources would have.
func replay(t *testing.T, entries []entry) []observation {
	t.Helper()
	var all []observation
	r := replayer{t: t}
	for _, e := range entries {
		if what := r.what(e); what != nil {
			all = append(all, observation{r.source(e), r.received(e), what})
		}
	}
	begin := entries[0].Received
	return append([]observation{{sourceClock, begin, seeing{}}, {sourceQuorum, begin, r.nodes}, {sourceFencer, begin, fencingSeen{}}}, all...)
}

type replayer struct {
	t        *testing.T
	document *cib.Document
	nodes    corosync.Settings
	fencing  *pacemaker.FencingEvent
}

func (r *replayer) source(e entry) sourceName {
	switch e.Source {
	case "snapshot":
		return sourceCIB
	case "history":
		return sourceFencer
	}
	return sourceName(e.Source)
}

func (r *replayer) received(e entry) time.Time {
	if e.Source == "history" {
		return r.fencing.Received
	}
	return e.Received
}

func (r *replayer) what(e entry) any {
	r.t.Helper()
	must := func(err error) {
		if err != nil {
			r.t.Fatalf("%s at %v: %v", e.Source, e.Received, err)
		}
	}
	switch e.Source {
	case "snapshot":
		var err error
		r.document, err = cib.Parse([]byte(e.XML))
		must(err)
		s := r.document.State()
		for _, n := range s.Nodes {
			id, err := strconv.ParseUint(n.ID, 10, 32)
			must(err)
			r.nodes.Nodes = append(r.nodes.Nodes, corosync.Node{ID: uint32(id), Name: n.Name})
		}
		return cibRead{version: r.document.Version(), facts: r.document.Facts(), state: s}
	case "cib":
		p, ok, err := pacemaker.ParsePatch([]byte(e.XML))
		must(err)
		if !ok || p.Target.Compare(r.document.Version()) <= 0 {
			return nil
		}
		changes, err := r.document.Apply(p.Diff)
		must(err)
		return cibChanged{version: p.Target, client: p.Client, user: p.User, changes: changes}
	case "fencer":
		f, err := pacemaker.ParseFencing([]byte(e.XML))
		must(err)
		f.Received = e.Received
		r.fencing = &f
	case "history":
		history, err := pacemaker.ParseHistory([]byte(e.XML))
		must(err)
		return fencingSeen{ended: r.fencing.Ended, status: r.fencing.Status, reason: r.fencing.Reason, history: history}
	case "journal":
		l, err := journalctl.Parse(e.Journal)
		must(err)
		return l
	case "quorum":
		c, err := corosync.ParseEvent(e.Message)
		must(err)
		return c
	}
	return nil
}

// TestRecordingsTellEvents tells, of each recording, the events that the daemon would
// have seen.
func TestRecordingsTellEvents(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings, "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl.gz")
		t.Run(name, func(t *testing.T) {
			entries := readRecording(t, file)
			if len(entries) == 0 {
				t.Fatal("an empty recording")
			}
			node := name[strings.LastIndex(name, "-")+1:]
			translator := newTranslator(node, stillMachine{})
			var text bytes.Buffer
			for _, o := range replay(t, entries) {
				for _, e := range translator.events(o) {
					tellEvent(&text, e)
				}
			}
			compare(t, filepath.Join("testdata", name+".events"), text.Bytes())
		})
	}
}

// TestNodesAgreeOnTheCluster: with the same version of the CIB all nodes call the cluster
// the same.
func TestNodesAgreeOnTheCluster(t *testing.T) {
	for _, fault := range []string{"planned-move", "standby", "power-cut", "mariadb-killed"} {
		called := map[string]string{}
		agreed := 0
		for _, node := range []string{"db1", "db2", "db3"} {
			entries := readRecording(t, filepath.Join(recordings, fault+"-"+node+".jsonl.gz"))
			if len(entries) == 0 {
				continue // it had lost its power
			}
			translator := newTranslator(node, stillMachine{})
			for _, o := range replay(t, entries) {
				for _, e := range translator.events(o) {
					if e.CIB == "" || e.Initial {
						continue
					}
					before, known := called[e.CIB]
					switch {
					case e.Cluster == "" || known && before != e.Cluster:
						t.Fatalf("%s: with version %s %s calls the cluster %q, another node %q", fault, e.CIB, node, e.Cluster, before)
					case known:
						agreed++
					}
					called[e.CIB] = e.Cluster
				}
			}
		}
		if agreed == 0 {
			t.Errorf("%s: no version was seen by two nodes", fault)
		}
	}
}

func tellEvent(w io.Writer, e incident.Event) {
	marks := ""
	if e.Initial {
		marks += " initial"
	}
	if e.Basis != incident.Measured {
		marks += " " + string(e.Basis)
	}
	if e.Op.Failed {
		marks += " FAILED"
	}
	if e.By != "" {
		marks += " by " + e.By
	}
	fmt.Fprintf(w, "%s %-8s %v%s\n", e.At.Wall.Format("15:04:05.000"), e.Source, e, marks)
}

func compare(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got, or run with -update):\n%s", golden, diff)
	}
}

// TestResourcesThatAppear: the daemon is there before the cluster is set up, and learns of
// the address and the database when they are made.
func TestResourcesThatAppear(t *testing.T) {
	translator := newTranslator("db1", stillMachine{})
	var got []incident.Known
	for _, f := range []cib.Fact{
		cib.Resource{ID: "galera", Kind: "primitive", Type: "galera", Parent: "galera-clone"}, cib.Resource{ID: "fence", Class: "stonith", Type: "fence_x"},
		cib.Resource{ID: "vip", Kind: "primitive", Type: "IPaddr2"}, cib.Address{Resource: "vip", IP: "192.168.205.70"},
	} {
		for _, e := range translator.change(cib.Change{After: f}) {
			got = append(got, e.Known)
		}
	}
	want := []incident.Known{
		{Resource: "galera", Role: incident.RoleDatabase, Parent: "galera-clone", Unit: "mariadb.service"},
		{Resource: "vip", Role: incident.RoleAddress}, {Resource: "vip", Role: incident.RoleAddress, IP: "192.168.205.70"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestANodeThatJoinsFinds: with one patchset it becomes a part of the cluster, and is told
// the history of all others, failures included. None of it happened then.
func TestANodeThatJoinsFinds(t *testing.T) {
	translator := newTranslator("db2", stillMachine{})
	old := cib.Operation{Node: "db3", Resource: "vip", Entry: "vip_last_0", Action: "start", CallID: 7, Magic: "0:0;1:1:0:dc"}
	failure := cib.Operation{Node: "db1", Resource: "galera", Entry: "galera_last_failure_0", Action: "monitor", Interval: time.Second, RC: 7, Magic: "0:7;1:1:0:dc"}
	self := func(join string) cib.NodeState {
		return cib.NodeState{ID: "2", Name: "db2", Member: true, Online: true, Join: join, Expected: "member"}
	}
	update := 24
	told := func(changes ...cib.Change) []incident.Event {
		update++
		c := cibChanged{version: cib.Version{Epoch: 7, NumUpdates: update}, changes: changes}
		return translator.cibChanged(observation{source: sourceCIB, received: time.Now(), what: c}, c)
	}
	joins := told(cib.Change{Before: cib.Cluster{}, After: cib.Cluster{Quorate: true, DC: "1"}}, cib.Change{After: old}, cib.Change{After: failure})
	late := failure // the DC does not give all of it at once
	late.Node, late.Magic = "db3", "0:7;1:2:0:dc"
	for _, e := range append(joins, told(cib.Change{Before: self("down"), After: self("member")}, cib.Change{After: late})...) {
		own := e.Kind == incident.NodeChanged && e.Node == "db2"
		if e.Initial == own || e.Op.Failed {
			t.Errorf("%v, initial %v", e, e.Initial)
		}
	}
	news := old
	news.Action, news.CallID, news.Magic = "stop", 8, "0:0;1:3:0:dc"
	if events := told(cib.Change{Before: old, After: news}); len(events) != 1 || events[0].Initial {
		t.Errorf("what happens then is told as %v", events)
	}
}

// TestANodeThatLeftKnowsNothing: when Pacemaker is started again on this node, its CIB has
// no state of anybody, until it joins. Nobody was lost; only it has left and returned.
func TestANodeThatLeftKnowsNothing(t *testing.T) {
	translator := newTranslator("db1", stillMachine{})
	state := func(node string, member, online bool, join string) cib.NodeState {
		return cib.NodeState{ID: node, Name: node, Member: member, Online: online, Join: join, Expected: "member"}
	}
	at := func(what any) observation { return observation{source: sourceCIB, received: time.Now(), what: what} }
	whole := cib.Cluster{Quorate: true, DC: "2"}
	first := cibRead{facts: []cib.Fact{whole, state("db1", true, true, "member"), state("db2", true, true, "member")}}
	translator.cibRead(at(first), first)
	translator.seeing(at(nil), seeing{since: time.Now()})
	again := cibRead{changes: []cib.Change{{Before: whole, After: cib.Cluster{}}, {Before: state("db2", true, true, "member")}, {Before: state("db1", true, true, "member")}}}
	if events := translator.cibRead(at(again), again); len(events) != 0 {
		t.Errorf("what it does not know is told as %v", events)
	}
	var news []string
	for _, c := range [][]cib.Change{
		{{After: state("db1", true, true, "")}, {After: state("db2", true, true, "")}},
		{{Before: cib.Cluster{}, After: whole}, {Before: state("db2", true, true, ""), After: state("db2", true, true, "member")}},
		{{Before: state("db1", true, true, ""), After: state("db1", true, true, "member")}},
	} {
		changed := cibChanged{changes: c}
		for _, e := range translator.cibChanged(at(changed), changed) {
			if !e.Initial {
				news = append(news, e.String()+" "+e.State.Join)
			}
		}
	}
	if diff := cmp.Diff([]string{"node-changed on db1 ", "node-changed on db1 member"}, news); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFailuresWhileNobodyWatched are told when the program runs again, and older ones are
// not.
func TestFailuresWhileNobodyWatched(t *testing.T) {
	since := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	failure := func(magic string, at time.Time) cib.Fact {
		return cib.Operation{Node: "db2", Resource: "galera", Entry: magic, Action: "monitor", Interval: time.Second, RC: 7, Magic: magic, Changed: at}
	}
	translator := newTranslator("db2", stillMachine{})
	translator.missed(since, since.Add(2*time.Second))
	read := cibRead{version: cib.Version{Epoch: 7}, facts: []cib.Fact{failure("old", since.Add(-time.Minute)), failure("new", since.Add(time.Second))}}
	var told []incident.Event
	for _, e := range translator.cibRead(observation{source: sourceCIB, received: since.Add(3 * time.Second), what: read}, read) {
		if e.Kind == incident.OperationEnded {
			told = append(told, e)
		}
	}
	if len(told) != 1 || told[0].Op.Magic != "new" || told[0].Basis != incident.Estimated || !told[0].At.Wall.Equal(since.Add(time.Second)) || told[0].Initial {
		t.Errorf("%+v", told)
	}
}
