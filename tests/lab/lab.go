package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"holdfast/tests/lab/chassis"
	"holdfast/tests/lab/image"
)

// The lab's network: a /24 whose first address is the outside, where clients run and the power switch listens.
const (
	Outside         = "192.168.205.1"
	FloatingAddress = "192.168.205.70"
	Prefix          = 24
	PowerPort       = 8443
	PowerUser       = "power"
	PowerPassword   = "switch"
)

const chassisFile = "chassis.json"

// Errors that callers tell apart.
var (
	ErrUp   = errors.New("a lab is up")
	ErrDown = errors.New("no lab is up")
)

// Node is a machine of the lab.
type Node struct {
	Name    string
	Address string
}

// Nodes are the machines that every lab has.
func Nodes() []Node {
	return []Node{{"db1", "192.168.205.71"}, {"db2", "192.168.205.72"}, {"db3", "192.168.205.73"}}
}

// Options says how to start a lab.
type Options struct {
	State         string    // directory for the nodes' disks and logs, on a local file system; made if missing
	CacheDir      string    // of node images; image.CacheDir if empty
	Debs          []string  // Debian packages to install in every node
	Progress      io.Writer // where to tell what happens; may be nil
	Replace       bool      // take a lab down that is up in State, instead of failing with ErrUp
	DieWithParent bool      // end the lab when this process ends, however it ends
}

// Lab is a running lab.
type Lab struct {
	state    string
	pid      int // of the chassis
	progress io.Writer
	control  *control
}

// BecomeChassis turns the process into a lab's chassis if it was started to be one, and then does not return. Programs that use Start
// call it first in main or TestMain.
func BecomeChassis() {
	if os.Args[0] == chassis.Name {
		os.Exit(chassis.Main())
	}
}

// Main is the main function of a program that uses Start: run gets a context that ends with SIGINT or SIGTERM, and its result is the
// exit status.
func Main(run func(ctx context.Context, args []string) int) {
	BecomeChassis()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// Start boots a lab and returns when every node is up with opts.Debs installed. When it fails, or ctx ends, nothing is left but the logs
// in the state directory.
func Start(ctx context.Context, opts Options) (*Lab, error) {
	if os.Args[0] == chassis.Name {
		return nil, errors.New("lab.Start runs in a process started as a chassis: the program must call lab.BecomeChassis first")
	}
	if opts.Progress == nil {
		opts.Progress = io.Discard
	}
	opts.Progress = &lines{to: opts.Progress}
	if opts.CacheDir == "" {
		opts.CacheDir = image.CacheDir
	}
	if err := CheckHost(); err != nil {
		return nil, err
	}
	for _, deb := range opts.Debs {
		if _, err := os.Stat(deb); err != nil {
			return nil, fmt.Errorf("find the package to install: %w", err)
		}
	}
	state, err := claim(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer state.Close()
	tree, err := image.Ensure(ctx, opts.CacheDir, image.Node(), opts.Progress)
	if err != nil {
		return nil, err
	}
	l, err := start(ctx, opts, state, tree)
	if err != nil {
		return nil, errors.Join(err, Sweep(context.WithoutCancel(ctx), state.Name()))
	}
	state.Close() // from here on the lock is the chassis's alone, and tells whether it lives
	if err := l.bringUp(ctx, opts.Debs); err != nil {
		down, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
		defer cancel()
		return nil, errors.Join(err, l.Down(down))
	}
	return l, nil
}

// start runs the chassis in the claimed state directory.
func start(ctx context.Context, opts Options, state *os.File, tree string) (*Lab, error) {
	started := time.Now()
	used, err := image.Use(tree)
	if err != nil {
		return nil, err
	}
	defer used.Close()
	log, err := os.OpenFile(filepath.Join(state.Name(), chassis.LogsDir, "chassis.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the chassis's log: %w", err)
	}
	defer log.Close()
	config := chassis.Config{
		ID: identity(state.Name()), State: state.Name(), Image: tree, DieWithParent: opts.DieWithParent,
		Switch: chassis.SwitchConfig{Address: Outside, Prefix: Prefix, Port: PowerPort, User: PowerUser, Password: PowerPassword},
	}
	for _, n := range Nodes() {
		config.Nodes = append(config.Nodes, chassis.NodeConfig(n))
	}
	process, err := chassis.Start(ctx, config, state, used, log)
	if err != nil {
		return nil, fmt.Errorf("start the lab: %w", err)
	}
	record, err := json.Marshal(chassisRecord{PID: process.PID()})
	if err == nil {
		err = os.WriteFile(filepath.Join(state.Name(), chassisFile), record, 0o644)
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("record the chassis: %w", err), process.Kill())
		<-process.Exited()
		return nil, err
	}
	fmt.Fprintf(opts.Progress, "power is on (%.1f s)\n", time.Since(started).Seconds())
	return newLab(state.Name(), process.PID(), opts.Progress), nil
}

type chassisRecord struct {
	PID int `json:"pid"`
}

// Open finds the lab that is up in a state directory, and fails with ErrDown if there is none.
func Open(state string) (*Lab, error) {
	state, err := filepath.Abs(state)
	if err != nil {
		return nil, fmt.Errorf("find the state directory: %w", err)
	}
	dir, err := os.Open(state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s", ErrDown, state)
	}
	if err != nil {
		return nil, fmt.Errorf("open the state directory: %w", err)
	}
	defer dir.Close()
	// The chassis holds the lock, so the record cannot be about another process that got the same number later.
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err == nil {
		return nil, fmt.Errorf("%w in %s", ErrDown, state)
	}
	record, err := readRecord(state)
	if err != nil {
		return nil, fmt.Errorf("the lab in %s is just being started: %w", state, err)
	}
	return newLab(state, record.PID, io.Discard), nil
}

func readRecord(state string) (chassisRecord, error) {
	var record chassisRecord
	content, err := os.ReadFile(filepath.Join(state, chassisFile))
	if err != nil {
		return record, fmt.Errorf("read the chassis's record: %w", err)
	}
	if err := json.Unmarshal(content, &record); err != nil {
		return record, fmt.Errorf("read the chassis's record %s: %w", chassisFile, err)
	}
	return record, nil
}

func newLab(state string, pid int, progress io.Writer) *Lab {
	return &Lab{state: state, pid: pid, progress: progress, control: newControl(state)}
}

// State is the lab's state directory; its logs are in State()/logs.
func (l *Lab) State() string { return l.state }

// PID is the process that holds the lab: when it ends, the lab ends.
func (l *Lab) PID() int { return l.pid }

// identity tells the labs of different checkouts apart.
func identity(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:])[:8]
}
