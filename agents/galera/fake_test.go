package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/galera/wsrep"
	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

// site is a whole installation in memory: nodes with their data and servers, the
// cluster's attributes, and Galera's rules of who can start how. It has a state;
// tests speak to it in the domain's words and then look at it.
type site struct {
	t     *testing.T
	nodes []*machine
	attrs map[string]map[string]string
	// requested are the changes of attributes that nobody waited for.
	requested []crm.Change
	refuses   bool // no such change can be asked for
	quiet     bool // no quorum
	now       time.Time
	looks     int    // at the whole cluster
	later     func() // happens before each look at the cluster; nil: nothing

	acked   int64 // the highest seqno that a client was told of
	history string
	founded int // how often a cluster was bootstrapped

	// fuse counts calls to the outside; at zero the agent is killed. 0: never.
	fuse int
}

// killed is what happens to an agent when the fuse burns down.
type killed struct{}

// machine is one node.
type machine struct {
	s       *site
	name    string
	online  bool
	role    string // what Pacemaker believes: Stopped, Unpromoted, Promoted
	failed  bool
	running bool
	hung    bool // the server runs but does not answer
	primary bool

	grastate  string // the file; "": none
	innodb    bootstrap.Position
	recoverAs string // what a recovery run logs instead
	broken    string // why the server does not start
	noUnit    bool
	missing   map[string]bool // files and accounts that do not exist
	readOnly  map[string]bool
	order     Boot
	env       map[string]string

	transfer time.Duration // how long a join takes to be synced
	began    time.Time     // of the join; zero: not joining
	status   Wsrep         // what the server says beside its primary component
	slow     int           // questions that it does not answer in time
	busy     int           // questions for which it has no connection left
	free     uint64        // bytes on its disk
	result   string        // how the unit ended
	frozen   bool
	stray    int  // a server outside of the unit
	prepared bool // transactions that nobody can complete
	empty    bool // no system tables
	demoted  int
	dropped  int             // times that torn files were looked for, to delete them
	stalled  bool            // its file system does not answer
	noDisk   bool            // its server waits for a disk
	noWaits  bool            // none of its threads waits for one
	lasts    []time.Duration // how long it leaves each question of a monitor without an answer
	written  time.Time
	waited   uint64
	parted   int    // questions that find it outside of the primary component
	left     string // the cluster status with which Galera has left the group for good, "" if it has not
	notes    map[string]string
}

func newSite(t *testing.T) *site {
	s := &site{t: t, attrs: map[string]map[string]string{}, now: time.Now(), history: historyA, acked: -1}
	for _, name := range []string{"db1", "db2", "db3"} {
		s.nodes = append(s.nodes, &machine{
			s: s, name: name, online: true, free: 1 << 30, role: "Stopped", innodb: bootstrap.NoPosition(), env: map[string]string{}, notes: map[string]string{},
		})
		s.attrs[name] = map[string]string{}
	}
	return s
}

const historyA = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"

func (s *site) node(name string) *machine {
	for _, n := range s.nodes {
		if n.name == name {
			return n
		}
	}
	s.t.Fatalf("no node %s", name)
	return nil
}

// has gives a node data as an orderly stop leaves it.
func (n *machine) has(history string, seqno int64, safe bool) {
	n.innodb = bootstrap.Position{UUID: history, Seqno: seqno}
	n.write(wsrep.State{Version: "2.1", Position: n.innodb, SafeToBootstrap: safe})
}

// crashed gives a node data as a crash leaves it.
func (n *machine) crashed(history string, seqno int64) {
	n.innodb = bootstrap.Position{UUID: history, Seqno: seqno}
	n.write(wsrep.State{Version: "2.1", Position: bootstrap.Position{UUID: history, Seqno: -1}})
}

func (n *machine) write(state wsrep.State) { n.grastate = string(state.Format()) }

// kill is kill -9 of the server.
func (n *machine) kill() { n.running, n.primary, n.hung, n.began = false, false, false, time.Time{} }

// act runs one action of the agent on a node as Pacemaker does.
func (s *site) act(node, action string, env ...string) (ocf.Code, string) {
	n := s.node(node)
	vars := map[string]string{
		"OCF_RESKEY_wsrep_cluster_address": "gcomm://db1,db2,db3",
		"OCF_RESKEY_CRM_meta_on_node":      node,
		"OCF_RESKEY_CRM_meta_promoted_max": "3",
		"OCF_RESKEY_CRM_meta_timeout":      "60000",
		"OCF_RESKEY_CRM_meta_interval":     "10000",
		"OCF_RESOURCE_INSTANCE":            "galera",
	}
	for k, v := range n.env {
		vars[k] = v
	}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		vars[k] = v
	}
	var stderr bytes.Buffer
	a := newAgent(func(settings) world {
		return world{server: &fakeServer{s, n}, database: &fakeDatabase{s, n}, cluster: &fakeCluster{s, n},
			files: &fakeFiles{s, n}, host: &fakeHost{n}, clock: &fakeClock{s, n}}
	})
	if action == "demote" {
		n.demoted++
	}
	code := ocf.Run(s.t.Context(), a, ocf.Env{
		Args: []string{action}, Getenv: func(k string) string { return vars[k] }, Stdout: &stderr, Stderr: &stderr,
	})
	_, reason, _ := strings.Cut(stderr.String(), "ocf-exit-reason:")
	reason, _, _ = strings.Cut(reason, "\n")
	if s.fuse < 0 {
		s.fuse = 0 // burnt
	}
	if testing.Verbose() {
		s.t.Logf("%s %s -> %s\n%s", node, action, code, stderr.String())
	}
	return code, reason
}

// burn is called at each call to the outside.
func (s *site) burn() {
	if s.fuse > 0 {
		if s.fuse--; s.fuse == 0 {
			s.fuse = -1
			panic(killed{})
		}
	}
}

// component is the running primary component.
func (s *site) component() []*machine {
	var members []*machine
	for _, n := range s.nodes {
		if n.running && n.primary {
			members = append(members, n)
		}
	}
	return members
}

// commit is a client's transactions: acknowledged when all members have them.
func (s *site) commit(n int64) {
	s.t.Helper()
	members := s.component()
	if len(members) == 0 {
		s.t.Fatal("no primary component takes writes")
	}
	s.acked = members[0].innodb.Seqno + n
	for _, m := range members {
		m.innodb.Seqno = s.acked
	}
}

type fakeServer struct {
	s *site
	n *machine
}

func (f *fakeServer) State(context.Context) (UnitState, error) {
	f.s.burn()
	switch {
	case f.n.noUnit:
		return UnitState{}, ErrNoUnit
	case f.n.running && !f.n.began.IsZero():
		return UnitState{Active: "activating", MainPID: 42, StatusText: "WSREP state transfer ongoing"}, nil
	case f.n.running:
		return UnitState{Active: "active", MainPID: 42, Frozen: f.n.frozen}, nil
	}
	return UnitState{Active: "inactive", Result: f.n.result}, nil
}

func (f *fakeServer) Prepare(context.Context, Launch) error {
	f.s.burn()
	f.n.order = Boot{}
	return nil
}

func (f *fakeServer) Release(context.Context) (func() error, error) {
	f.s.burn()
	f.n.order = Boot{}
	return func() error { return nil }, nil
}

func (f *fakeServer) Start(ctx context.Context, boot Boot, look func(context.Context, string) error) error {
	f.s.burn()
	f.n.order = boot
	f.s.burn() // the order is written, the unit is not started
	defer func() { f.n.order = Boot{}; delete(f.n.notes, noteRecovered) }()
	if f.n.broken != "" {
		return errors.New("mariadb.service failed to start (failed)")
	}
	state, err := wsrep.ParseState([]byte(f.n.grastate))
	none := err != nil
	if boot.NewCluster {
		return f.bootstrap(state, none)
	}
	return f.join(ctx, state, none, look)
}

// bootstrap checks what no run may do, besides what Galera checks.
func (f *fakeServer) bootstrap(state wsrep.State, none bool) error {
	if !none && !state.SafeToBootstrap && !state.Position.None() {
		return errors.New("it may not be safe to bootstrap the cluster from this node")
	}
	if len(f.s.component()) > 0 {
		f.s.t.Errorf("SPLIT: %s bootstraps a second cluster", f.n.name)
	}
	if f.n.innodb.Seqno < f.s.acked {
		f.s.t.Errorf("LOSS: %s bootstraps at %d, but %d was acknowledged", f.n.name, f.n.innodb.Seqno, f.s.acked)
	}
	if none {
		f.n.innodb = bootstrap.Position{UUID: f.s.history, Seqno: 0}
	}
	f.s.founded++
	f.run()
	f.s.burn() // the server runs, the agent does not know
	return nil
}

func (f *fakeServer) join(ctx context.Context, state wsrep.State, none bool, look func(context.Context, string) error) error {
	members := f.s.component()
	for len(members) == 0 { // Galera waits for somebody to be there
		f.s.now = f.s.now.Add(time.Second)
		f.n.running = true
		if err := look(ctx, "waiting for a primary component"); err != nil {
			return err
		}
		members = f.s.component()
	}
	if f.n.transfer > 0 {
		f.n.running, f.n.began = true, f.s.now
		for f.n.joining() {
			f.s.now = f.s.now.Add(time.Second)
			if err := look(ctx, "WSREP state transfer ongoing"); err != nil {
				return err
			}
		}
	}
	if !none && state.Clean() && state.Position.UUID == f.n.innodb.UUID && f.n.innodb.Seqno > members[0].innodb.Seqno {
		return errors.New("reversing history")
	}
	f.n.innodb = members[0].innodb
	f.run()
	f.s.burn()
	return nil
}

// joining ends the state transfer when its time has come.
func (n *machine) joining() bool {
	if n.began.IsZero() {
		return false
	}
	if n.s.now.Sub(n.began) < n.transfer {
		return true
	}
	n.began = time.Time{}
	if members := n.s.component(); len(members) > 0 {
		n.innodb = members[0].innodb
		(&fakeServer{n.s, n}).run()
	}
	return false
}

func (f *fakeServer) Create(context.Context, Launch) error {
	f.s.burn()
	f.n.empty = false
	return nil
}

func (f *fakeServer) Stray(context.Context) (int, error) { return f.n.stray, nil }

// DiskWaits is one thread that does not come back from a stalled disk, or one that always does.
func (f *fakeServer) DiskWaits() diskWaits {
	if f.n.noWaits {
		return nil
	}
	if !f.n.noDisk {
		f.n.waited++
	}
	return diskWaits{7: f.n.waited}
}

func (f *fakeServer) Frozen() int {
	if f.n.frozen {
		return 42
	}
	return 0
}

func (f *fakeServer) run() {
	f.n.running, f.n.primary = true, true
	f.n.write(wsrep.State{Version: "2.1", Position: bootstrap.Position{UUID: f.n.innodb.UUID, Seqno: -1}})
}

func (f *fakeServer) Stop(context.Context, time.Duration) (string, error) {
	f.s.burn()
	f.n.order = Boot{}
	if f.n.noUnit {
		return "", ErrNoUnit
	}
	if f.n.running && !f.n.primary && f.n.status.ClusterStatus == "non-Primary" {
		f.n.write(wsrep.State{Version: "2.1", Position: f.n.innodb}) // in order, but apart
	}
	if f.n.running && f.n.primary && !f.n.hung {
		last := len(f.s.component()) == 1
		f.n.write(wsrep.State{Version: "2.1", Position: f.n.innodb, SafeToBootstrap: last})
	}
	f.n.kill()
	return "", nil
}

func (f *fakeServer) Recover(_ context.Context, launch Launch) (string, error) {
	f.s.burn()
	if slices.Contains(launch.Args, "--tc-heuristic-recover=ROLLBACK") {
		f.n.prepared = false
		return "[Note] Please restart without --tc-heuristic-recover\n", nil
	}
	if f.n.prepared {
		return "[ERROR] Found 1 prepared transactions! It means that server was not shut down properly last time\n", errors.New("failed")
	}
	if f.n.running {
		f.s.t.Errorf("%s: a recovery run beside the server", f.n.name)
	}
	if f.n.recoverAs != "" {
		return f.n.recoverAs, nil
	}
	return "[Note] WSREP: Recovered position: " + f.n.innodb.String() + "\n", nil
}

func (f *fakeServer) Cause(context.Context) string { return f.n.broken }
