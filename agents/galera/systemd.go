package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

const (
	unitName = "mariadb.service"
	// unitPoll is how often a server that stops is looked at: systemd forgets its
	// process within milliseconds, and the stop counts as a part of every move.
	unitPoll    = 20 * time.Millisecond
	jobPoll     = time.Second
	replaceJobs = "replace"
)

// systemd drives mariadb.service over systemd's D-Bus interface
// (org.freedesktop.systemd1(5)).
type systemd struct {
	datadir string
	pidFile string
	log     string // the server's log file; "": the journal
	started time.Time
	conn    *dbus.Conn
}

// connect opens the connection once per call of the agent. It outlives the
// action's deadline, because cleaning up after it needs it.
func (s *systemd) connect(ctx context.Context) (*dbus.Conn, error) {
	if s.conn != nil {
		return s.conn, nil
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel) // dialling is bounded, the connection is not
	conn, err := dbus.NewWithContext(life)
	if !stop() || err != nil {
		cancel()
		return nil, fmt.Errorf("connect to systemd: %w", errors.Join(err, ctx.Err()))
	}
	s.conn = conn // closed by the end of the process
	return conn, nil
}

// State implements Server.
func (s *systemd) State(ctx context.Context) (UnitState, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return UnitState{}, err
	}
	props, err := conn.GetAllPropertiesContext(ctx, unitName)
	if err != nil {
		return UnitState{}, fmt.Errorf("ask systemd for %s: %w", unitName, err)
	}
	text := func(name string) string { s, _ := props[name].(string); return s }
	switch text("LoadState") {
	case "loaded":
	case "masked":
		return UnitState{}, errors.New("mariadb.service is masked; run: systemctl unmask mariadb")
	case "not-found":
		return UnitState{}, ErrNoUnit
	default:
		return UnitState{}, fmt.Errorf("mariadb.service cannot be loaded (%s); see systemctl status mariadb", text("LoadState"))
	}
	pid, _ := props["MainPID"].(uint32)
	return UnitState{
		Active: text("ActiveState"), MainPID: int(pid), StatusText: text("StatusText"),
		Enabled: text("UnitFileState") == "enabled",
		Result:  text("Result"), Frozen: frozen(int(pid)),
	}, nil
}

// Prepare implements Server.
func (s *systemd) Prepare(ctx context.Context, launch Launch) error {
	s.log = launch.Log
	if err := dropBoot(); err != nil {
		return err
	}
	if err := s.stopAuxiliary(ctx); err != nil {
		return err
	}
	return s.configure(ctx, launch, recoveryFile(launch))
}

// configure writes both units' configuration and lets systemd read it if anything
// changed.
func (s *systemd) configure(ctx context.Context, launch Launch, auxiliary []byte) error {
	server, err := writeUnit(dropInPath, dropIn(launch))
	if err != nil {
		return err
	}
	beside, err := writeUnit(auxiliaryPath, auxiliary)
	if err != nil {
		return err
	}
	if !server && !beside {
		return nil
	}
	return s.reload(ctx)
}

// Release implements Server. Systemd takes its time to read its configuration again, and
// nothing that is left to do depends on it.
func (s *systemd) Release(ctx context.Context) (wait func() error, err error) {
	nothing := func() error { return nil }
	if err := errors.Join(dropBoot(), remove(recoveredFile), remove(auxiliaryLog)); err != nil {
		return nothing, err
	}
	if removed, err := removeUnits(); err != nil || !removed {
		return nothing, err
	}
	done := make(chan error, 1)
	go func() { done <- s.reload(ctx) }()
	return func() error { return <-done }, nil
}

func (s *systemd) reload(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := conn.ReloadContext(ctx); err != nil {
		return fmt.Errorf("let systemd read its configuration again: %w", err)
	}
	return nil
}

// Start implements Server. The order to bootstrap is a file that the unit reads:
// it is deleted here whatever happens, and by the unit itself as soon as the
// server is up or has failed, should this process be killed meanwhile.
func (s *systemd) Start(ctx context.Context, boot Boot, look func(context.Context, string) error) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dropBoot() }()
	if err := writeBoot(boot); err != nil {
		return err
	}
	_ = conn.ResetFailedUnitContext(ctx, unitName) // else earlier failures count against the start limit
	s.started = time.Now()
	result := make(chan string, 1)
	// Start, never restart: a server that runs already must not be given the order.
	if _, err := conn.StartUnitContext(ctx, unitName, replaceJobs, result); err != nil {
		return fmt.Errorf("start %s: %w", unitName, err)
	}
	return s.awaitStart(ctx, result, look)
}

func (s *systemd) awaitStart(ctx context.Context, result <-chan string, look func(context.Context, string) error) error {
	tick := time.NewTicker(jobPoll)
	defer tick.Stop()
	doing := "it has not said what it is doing"
	for {
		select {
		case r := <-result:
			if r != "done" {
				return fmt.Errorf("mariadb.service failed to start (%s); see journalctl -u mariadb", r)
			}
			return nil
		case <-ctx.Done():
			return fmt.Errorf("mariadb.service is not ready in time (%s): %w", doing, ctx.Err())
		case <-tick.C:
			if st, err := s.State(ctx); err == nil && st.StatusText != "" {
				doing = st.StatusText
			}
			if err := look(ctx, doing); err != nil {
				return err
			}
		}
	}
}

// Stop implements Server.
func (s *systemd) Stop(ctx context.Context, grace time.Duration) (killed string, err error) {
	if err := dropBoot(); err != nil {
		return "", err
	}
	if err := s.stopAuxiliary(ctx); err != nil {
		return "", err
	}
	state, err := s.State(ctx)
	if errors.Is(err, ErrNoUnit) {
		return "", s.stopStray(ctx, grace)
	}
	if err != nil {
		return "", err
	}
	if !state.Down() {
		if killed, err = s.stopUnit(ctx, grace, state); err != nil {
			return killed, err
		}
	}
	return killed, s.stopStray(ctx, grace)
}

func (s *systemd) stopUnit(ctx context.Context, grace time.Duration, state UnitState) (killed string, err error) {
	// A signal, as systemd itself would send it, and no stop job: the unit is ordered before pacemaker.service, so that while Pacemaker
	// is being stopped a job would wait for Pacemaker, which waits for this agent.
	if err := s.signal(ctx, syscall.SIGTERM); err != nil {
		return "", fmt.Errorf("stop %s: %w", unitName, err)
	}
	killed = fmt.Sprintf("it had not ended after %v", grace.Round(time.Second))
	if state.Frozen { // it does not hear, and woken up it would go on as if no time had passed
		grace, killed = 0, "it was stopped by a signal"
	}
	gone := func(ctx context.Context) (bool, error) {
		if alive(state.MainPID) {
			return false, nil // systemd has nothing to tell yet
		}
		st, err := s.State(ctx)
		return err == nil && st.Down(), err
	}
	var still stillness
	hangs := false
	ended, err := await(ctx, grace, func(ctx context.Context) (bool, error) {
		if now := time.Now(); still.due(now) {
			did, known := activityOf(state.MainPID)
			hangs = known && still.look(now, did)
		}
		ok, err := gone(ctx)
		hangs = hangs && !ok
		return ok || hangs, err
	})
	switch {
	case err != nil:
		return "", err
	case hangs:
		killed = fmt.Sprintf("it was told to end, and did nothing for %v", stillLimit)
	case ended:
		return "", nil
	}
	if err := s.signal(ctx, syscall.SIGKILL); err != nil {
		return killed, fmt.Errorf("kill %s: %w", unitName, err)
	}
	ok, err := await(ctx, time.Hour, gone)
	if err != nil || !ok {
		return killed, errors.Join(fmt.Errorf("mariadb.service (process %d) survives SIGKILL", state.MainPID), err)
	}
	return killed, nil
}

// signal sends a signal to every process of the unit. The unit may have ended since it was looked
// at, by somebody else's order; whoever calls this waits until it is down in any case.
func (s *systemd) signal(ctx context.Context, sig syscall.Signal) error {
	err := s.conn.KillUnitWithTarget(ctx, unitName, dbus.All, int32(sig))
	if forgotten(err) {
		return nil
	}
	return err
}

// forgotten says whether systemd does not know a unit because it was unloaded: one that nothing refers
// to is, as soon as it is inactive, and a signal does not load it again (systemd.unit(5), CollectMode=;
// org.freedesktop.systemd1(5), KillUnit).
func forgotten(err error) bool {
	answer := godbus.Error{}
	return errors.As(err, &answer) && answer.Name == "org.freedesktop.systemd1.NoSuchUnit"
}

// Frozen implements Server.
func (s *systemd) Frozen() int {
	if pid, ok := s.pidOfFile(); ok && alive(pid) && frozen(pid) {
		return pid
	}
	return 0
}

// DiskWaits implements Server.
func (s *systemd) DiskWaits() diskWaits {
	pid, ok := s.pidOfFile()
	if !ok {
		return nil
	}
	return diskWaitsIn("/proc/" + strconv.Itoa(pid) + "/task")
}

// pidOfFile is what the PID file says; it may be of a server that has ended.
func (s *systemd) pidOfFile() (int, bool) {
	text, err := os.ReadFile(s.pidFile)
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid, err == nil
}

// Stray implements Server.
func (s *systemd) Stray(ctx context.Context) (int, error) {
	return bounded(ctx, s.datadir, func() (int, error) { return strayServer(s.datadir), nil })
}

// stopStray ends a server on our datadir that somebody started without systemd.
func (s *systemd) stopStray(ctx context.Context, grace time.Duration) error {
	pid, err := s.Stray(ctx)
	if err != nil || pid == 0 {
		return err
	}
	gone := func(context.Context) (bool, error) { return !alive(pid), nil }
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("send %s to the server outside systemd (process %d): %w", signal, pid, err)
		}
		if ok, _ := await(ctx, grace, gone); ok {
			return nil
		}
	}
	return fmt.Errorf("a server outside systemd (process %d) survives SIGKILL", pid)
}

// await polls until check says yes, the time is over (false, nil) or check fails
// at the context's end.
func await(ctx context.Context, limit time.Duration, check func(context.Context) (bool, error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		if ok, err := check(ctx); ok {
			return true, nil
		} else if err != nil && ctx.Err() == nil {
			return false, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(unitPoll):
		}
	}
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("delete %s: %w", filepath.Base(path), err)
	}
	return nil
}
