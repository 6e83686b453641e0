package main

import (
	"context"
	"errors"
	"time"

	"holdfast/agents/galera/bootstrap"
	"holdfast/agents/galera/wsrep"
	"holdfast/agents/internal/crm"
)

// world is everything outside the agent, in the words of its domain.
type world struct {
	server   Server
	database Database
	cluster  Cluster
	files    Files
	host     Host
	clock    Clock
}

// Server is the database server as a process: mariadb.service.
type Server interface {
	// State asks for the unit's state; ErrNoUnit if it is not installed.
	State(ctx context.Context) (UnitState, error)
	// Prepare puts the unit's configuration in place, without a trace of an
	// earlier bootstrap.
	Prepare(ctx context.Context, launch Launch) error
	// Start starts the unit once and returns when it is ready. Meanwhile it tells
	// look what the server says it is doing, and gives up with look's error.
	Start(ctx context.Context, boot Boot, look func(ctx context.Context, doing string) error) error
	// Stop ends the unit and its processes and returns when they are gone. After
	// grace, or when they do nothing any more, it kills them, and tells why.
	Stop(ctx context.Context, grace time.Duration) (killed string, err error)
	// Frozen is the server of the PID file if a signal keeps it from running at all,
	// else 0. It costs next to nothing.
	Frozen() int
	// DiskWaits are the threads of the server of the PID file that wait for a disk.
	DiskWaits() diskWaits
	// Stray is a server on our datadir that runs outside of the unit; 0 if there is none.
	// It is asked for only while the unit is down.
	Stray(ctx context.Context) (int, error)
	// Release takes back what Prepare put in place. What it returns waits until systemd
	// knows.
	Release(ctx context.Context) (wait func() error, err error)
	// Recover runs the server just to tell its position, and returns its log.
	Recover(ctx context.Context, launch Launch) (string, error)
	// Create makes the system tables of a new database in an empty datadir.
	Create(ctx context.Context, launch Launch) error
	// Cause is the line in which the server says why it failed; "" if none does.
	Cause(ctx context.Context) string
}

// ErrNoUnit is that mariadb.service is not installed.
var ErrNoUnit = errors.New("mariadb.service is not installed; install mariadb-server")

// UnitState is what systemd knows of mariadb.service.
type UnitState struct {
	Active     string // active, activating, deactivating, inactive, failed
	MainPID    int    // 0: none
	Enabled    bool   // systemd would start it at boot, behind the cluster's back
	StatusText string // what the server says it is doing
	Result     string // how its last run ended: success, signal, exit-code, oom-kill, ...
	Frozen     bool   // a signal keeps the process from running
}

// Down says whether nothing of the unit runs.
func (s UnitState) Down() bool {
	return (s.Active == "inactive" || s.Active == "failed") && s.MainPID == 0
}

// Launch is how the server has to be started, each time.
type Launch struct {
	Binary  string
	Args    []string // --defaults-file comes first
	User    string
	Group   string
	Address string
	Log     string // its log file; "": the journal
}

// Boot is what only one start needs.
type Boot struct {
	NewCluster bool
	Position   string // for --wsrep-start-position; "": grastate.dat has it
}

// Database is the server as its SQL clients see it, on this machine.
type Database interface {
	Status(ctx context.Context) (Wsrep, error)
}

// Errors of a Database.
var (
	// ErrNoServer is that nobody listens: the server does not run.
	ErrNoServer = errors.New("no server listens")
	// ErrLogin is that the server refused the check user.
	ErrLogin = errors.New("login refused")
	// ErrBusy is that all of the server's connections are in use.
	ErrBusy = errors.New("no connection left")
)

// Wsrep is what the server says of its part in the cluster.
type Wsrep struct {
	ClusterStatus string // Primary, non-Primary, Disconnected; "": no wsrep
	State         int    // wsrep_local_state; 4 is Synced
	Comment       string // wsrep_local_state_comment
	NotReady      bool   // wsrep_ready is OFF: queries are refused
	ReadOnly      bool
	Committed     string // wsrep_last_committed: the last transaction that it has
	// Closed says that Galera has no connection to any group: wsrep_evs_state is not there, which gcomm tells for
	// as long as it is open (gcs_core_get_status in gcs/src/gcs_core.cpp). ClusterStatus may still be non-Primary.
	Closed bool
}

// apart says whether the server has no connection to any cluster.
func (s Wsrep) apart() bool {
	return s.ClusterStatus == disconnected || s.Closed && s.ClusterStatus != primary
}

// Cluster is Pacemaker.
type Cluster interface {
	LocalNode(ctx context.Context) (string, error)
	Status(ctx context.Context) (*crm.Status, error)
	// Version names the cluster's state: while it is the same, so is Status.
	Version(ctx context.Context) (string, error)
	Update(ctx context.Context, changes ...crm.Change) error
	// Request has a change made without waiting for it.
	Request(ctx context.Context, change crm.Change) error
}

// Files are those that Galera and the agent keep about the position. What looks into the
// datadir ends with its context, because a dead disk never answers; notes are in memory.
type Files interface {
	// Grastate reads grastate.dat; an error satisfying errors.Is(err,
	// fs.ErrNotExist) if there is none.
	Grastate(ctx context.Context) ([]byte, error)
	// MarkSafe rewrites grastate.dat with safe_to_bootstrap: 1, atomically.
	MarkSafe(context.Context, wsrep.State) error
	// DropTorn deletes what a full disk or a crash left unfinished, that no server starts with, and
	// that holds nothing. It returns the names.
	DropTorn(ctx context.Context) ([]string, error)
	// DropGrastate deletes grastate.dat, so that Galera fetches a whole copy.
	DropGrastate(ctx context.Context) error
	// Initialised says whether the datadir holds a database.
	Initialised() bool
	// Size is how many bytes the datadir holds.
	Size(ctx context.Context) (int64, error)
	// Free is how many bytes the server can still write there. The kernel knows it without
	// asking the disk.
	Free() (uint64, error)
	// LastWrite is when the server last wrote to its redo log, as the kernel knows it without
	// asking the disk.
	LastWrite(ctx context.Context) (time.Time, error)
	// Note reads what an earlier action left for a later one; "" if it left nothing.
	// Notes are gone with a reboot.
	Note(name string) (string, error)
	// SaveNote leaves a note; "" takes it back.
	SaveNote(name, text string) error
}

// The notes.
const (
	// noteRecovered is what the last recovery run found. The unit deletes it when the
	// server runs again.
	noteRecovered = "galera-recovered"
	// noteJoining is when a promotion left its server to go on joining, RFC 3339.
	noteJoining = "galera-joining"
	// noteWithdrawn is when the score of a failed database was taken back, RFC 3339.
	noteWithdrawn = "galera-withdrawn"
	// noteCrashed is when a demotion found that the server had crashed, and left its position to be
	// found by what follows, RFC 3339.
	noteCrashed = "galera-crashed"
	// noteState is the state that the cluster shows of this node (attrState).
	noteState = "galera-state"
	// noteLooked is the cluster's state in which this node last found nothing to do, and when.
	noteLooked = "galera-looked"
	// noteParted is the position at which the server was stopped in order, but apart
	// from the primary component.
	noteParted = "galera-parted"
	// noteInvite is when this node bootstrapped the cluster, RFC 3339, until the nodes that
	// wait for one have been told.
	noteInvite = "galera-invite"
)

// Host answers questions about this machine's files and accounts.
type Host interface {
	Executable(path string) bool
	RegularFile(path string) bool
	Directory(path string) bool
	User(name string) bool
	Group(name string) bool
	// PrepareDirectory creates path for the user if it is missing and says
	// whether the user may write in it.
	PrepareDirectory(path, user, group string) error
}

// Clock is the time.
type Clock interface {
	Now() time.Time
	// Sleep returns early with the context's error when it ends.
	Sleep(ctx context.Context, d time.Duration) error
	// During does something, and looks again and again while it lasts; the last look is over when
	// During returns.
	During(every time.Duration, look, do func())
}

// report is what a node publishes of itself.
type report struct {
	Position bootstrap.Position
	// Text is the position in the server's own words, for --wsrep-start-position;
	// "" if grastate.dat has it all.
	Text string
	// recovered is the position in the server's own words, whatever grastate.dat says.
	recovered  string
	NoGrastate bool
	Denied     bool // grastate.dat is there, but does not vouch for the data
	Safe       bool
	// Interrupted is that the database did not leave the cluster in order.
	Interrupted bool
	State       *wsrep.State // nil: no usable grastate.dat
}

// bootstrapText is where the server begins that is the first of its cluster.
func (r report) bootstrapText() string {
	if r.NoGrastate && !r.Denied && r.Position.Known() {
		return r.recovered
	}
	return r.Text
}
