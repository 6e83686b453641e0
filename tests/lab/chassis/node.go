package chassis

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"holdfast/tests/lab/power"
)

const (
	exitReboot    = 133                // systemd-nspawn --keep-unit: the node asked for a reboot (EXIT_FORCE_RESTART)
	haltSignal    = syscall.Signal(37) // SIGRTMIN+3: systemd's order to halt (systemd(1))
	cutTimeout    = 5 * time.Second    // for a killed node to be gone
	bootTimeout   = 30 * time.Second   // for nspawn to reach the node's init
	pollInterval  = 10 * time.Millisecond
	nspawnProgram = "systemd-nspawn"
)

// node is one machine of the lab.
type node struct {
	config  NodeConfig
	root    string
	disk    disk
	cgroup  cgroup
	console *os.File

	// operation serialises what changes the node's power, so that a reset sees no other half done.
	operation sync.Mutex

	mu      sync.Mutex // guards what follows
	wanted  bool       // power is to be on: a node that reboots itself comes back, one that was switched off does not
	halting bool
	frozen  bool
	crashed bool          // nothing runs although power is on
	init    int           // 0 without power
	gone    chan struct{} // closed when the running nspawn has ended; nil without power
	since   time.Time
	cable   Cable
}

func (n *node) status() NodeStatus {
	n.mu.Lock()
	defer n.mu.Unlock()
	return NodeStatus{
		Name: n.config.Name, Address: n.config.Address, Power: string(n.powerState()), Cable: n.cable,
		Init: n.init, Since: n.since, Frozen: n.frozen, Crashed: n.crashed, Cgroup: strings.TrimPrefix(string(n.cgroup), cgroupRoot),
	}
}

// powerState is called with mu held.
func (n *node) powerState() power.State {
	switch {
	case n.crashed:
		return power.On
	case n.gone == nil:
		return power.Off
	case n.halting:
		return power.PoweringOff
	default:
		return power.On
	}
}

// powerOn boots the node from its disk as it is, and returns when its init runs.
func (n *node) powerOn(ctx context.Context) error {
	n.operation.Lock()
	defer n.operation.Unlock()
	n.mu.Lock()
	n.wanted = true
	running := n.gone != nil && !n.halting || n.crashed
	n.mu.Unlock()
	if running {
		return nil
	}
	if err := n.awaitGone(ctx); err != nil { // a graceful shutdown may still be under way
		return err
	}
	return n.boot(ctx)
}

// boot starts nspawn. The caller holds operation, and the node is off.
func (n *node) boot(ctx context.Context) error {
	if err := removePort(n.config.Name); err != nil {
		return err
	}
	if err := errors.Join(n.disk.thaw(), n.cgroup.renew(ctx)); err != nil {
		return err
	}
	dir, err := os.Open(string(n.cgroup))
	if err != nil {
		return fmt.Errorf("open the node's cgroup: %w", err)
	}
	defer dir.Close()
	cmd := exec.Command(nspawnProgram, "--quiet", "--register=no", "--keep-unit", "--directory="+n.root, "--machine="+n.config.Name,
		"--network-veth", "--network-bridge="+bridgeName, "--resolv-conf=off", "--console=read-only", "--kill-signal=SIGRTMIN+3",
		"--system-call-filter=adjtimex", // whoever asks how good the clock is gets an answer, as on a machine; nobody in a node may set it
		"--boot")
	cmd.Stdout, cmd.Stderr = n.console, n.console
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", nspawnProgram, err)
	}
	gone := make(chan struct{})
	n.mu.Lock()
	n.gone, n.since, n.halting, n.frozen, n.init = gone, time.Now(), false, false, 0
	n.mu.Unlock()
	go n.attend(cmd, gone)

	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	init, err := n.awaitInit(ctx, gone)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.init = init
	cable := n.cable
	n.mu.Unlock()
	return plug(n.config.Name, cable) // nspawn plugs every new cable in
}

// attend waits for nspawn's end, which is the node's, and lets a node that asked for a reboot have it.
func (n *node) attend(cmd *exec.Cmd, gone chan struct{}) {
	err := cmd.Wait()
	n.mu.Lock()
	init := n.init
	n.gone, n.init, n.halting, n.frozen = nil, 0, false, false
	if !n.crashed {
		n.since = time.Now()
	}
	n.mu.Unlock()
	if init != 0 {
		// If nspawn died before init, init became the chassis's child. ECHILD otherwise.
		_, _ = unix.Wait4(init, nil, unix.WNOHANG, nil)
	}
	close(gone)
	log.Printf("%s: power is off (%s: %v)", n.config.Name, nspawnProgram, cmd.ProcessState)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == exitReboot {
		n.reboot()
	}
}

// reboot boots the node again unless its power was cut meanwhile.
func (n *node) reboot() {
	n.operation.Lock()
	defer n.operation.Unlock()
	n.mu.Lock()
	due := n.wanted && n.gone == nil
	n.mu.Unlock()
	if !due {
		return
	}
	log.Printf("%s: rebooting", n.config.Name)
	if err := n.boot(context.Background()); err != nil {
		log.Printf("%s: reboot: %v", n.config.Name, err)
	}
}

// awaitInit finds the node's init: the process in the node's cgroup that is the first of its PID namespace.
func (n *node) awaitInit(ctx context.Context, gone <-chan struct{}) (int, error) {
	for {
		if init := firstProcess(n.cgroup); init != 0 {
			return init, nil
		}
		select {
		case <-gone:
			return 0, fmt.Errorf("%s ended before the node's init started; see %s.console", nspawnProgram, n.config.Name)
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the node's init; see %s.console: %w", n.config.Name, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// cut takes the power away and returns when nothing is left. What the node had handed to its kernel stays on its disks, for the host's
// kernel does not lose power.
func (n *node) cut(ctx context.Context) error {
	n.operation.Lock()
	defer n.operation.Unlock()
	n.mu.Lock()
	n.wanted = false
	running := n.gone != nil
	if n.crashed {
		n.crashed, n.since = false, time.Now()
	}
	n.mu.Unlock()
	if !running {
		return nil
	}
	return n.end(ctx)
}

// crash leaves the node as a kernel does that panics and does not start again: nothing runs, nobody is told, and the power stays on until
// somebody cuts it.
func (n *node) crash(ctx context.Context) error {
	n.operation.Lock()
	defer n.operation.Unlock()
	n.mu.Lock()
	running := n.gone != nil
	if running {
		n.crashed, n.wanted = true, false // before it is gone, so that the switch never says Off
	}
	crashed := n.crashed
	n.mu.Unlock()
	switch {
	case running:
		return n.end(ctx)
	case crashed:
		return nil
	default:
		return fmt.Errorf("%s has no power", n.config.Name)
	}
}

// end kills the node's init, and the kernel all that ran under it. It returns when nothing is left. The caller holds operation.
func (n *node) end(ctx context.Context) error {
	n.mu.Lock()
	init := n.init
	n.mu.Unlock()
	// A machine without power falls silent, whereas the kernel says goodbye for killed processes by resetting their connections: the
	// cable goes first. The port is removed below, and the next boot makes another.
	err := plug(n.config.Name, CableOut)
	if err != nil {
		return err
	}
	if init != 0 {
		err = syscall.Kill(init, syscall.SIGKILL)
	} else { // nspawn has not come as far
		err = n.cgroup.kill()
	}
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill the node's init: %w", err)
	}
	if err := n.disk.thaw(); err != nil { // not even SIGKILL ends a process that writes to a frozen file system
		return err
	}
	wait, cancel := context.WithTimeout(ctx, cutTimeout)
	defer cancel()
	if n.awaitGone(wait) != nil {
		if err := errors.Join(n.cgroup.kill(), n.disk.thaw()); err != nil { // the node may just have been freezing it
			return err
		}
		if err := n.awaitGone(ctx); err != nil {
			return err
		}
	}
	// Only when the kernel has let go of every process is what they held (sockets, locks) free.
	return errors.Join(removePort(n.config.Name), n.cgroup.remove(ctx))
}

// halt asks the node to shut down, as a power button does.
func (n *node) halt() error {
	n.operation.Lock()
	defer n.operation.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wanted = false
	if n.init == 0 {
		return nil
	}
	n.halting = true
	if err := syscall.Kill(n.init, haltSignal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ask the node's init to halt: %w", err)
	}
	return nil
}

// retire cuts the node's power and removes its cgroup.
func (n *node) retire(ctx context.Context) error {
	if err := n.cut(ctx); err != nil {
		return fmt.Errorf("retire %s: %w", n.config.Name, err)
	}
	return n.cgroup.remove(ctx)
}

func (n *node) awaitGone(ctx context.Context) error {
	n.mu.Lock()
	gone := n.gone
	n.mu.Unlock()
	if gone == nil {
		return nil
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the node to be gone: %w", ctx.Err())
	}
}

func (n *node) setCable(cable Cable) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := plug(n.config.Name, cable); err != nil {
		return err
	}
	n.cable = cable
	return nil
}

func (n *node) setFrozen(frozen bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.gone == nil {
		return fmt.Errorf("%s has no power", n.config.Name)
	}
	if err := silence(n.config.Name, frozen); err != nil {
		return err
	}
	if err := n.cgroup.freeze(frozen); err != nil {
		return err
	}
	n.frozen = frozen
	return nil
}

// firstProcess finds a process in cg or below that is number 1 in a PID namespace of its own (proc(5), NSpid), or 0.
func firstProcess(cg cgroup) int {
	found := 0
	_ = filepath.WalkDir(string(cg), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return nil //nolint:nilerr // cgroups come and go while a node boots
		}
		procs, _ := os.ReadFile(path)
		for _, field := range strings.Fields(string(procs)) {
			if pid, err := strconv.Atoi(field); err == nil && isInit(pid) {
				found = pid
				return fs.SkipAll
			}
		}
		return nil
	})
	return found
}

func isInit(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && firstOfNamespace(string(status))
}

// firstOfNamespace reads /proc/PID/status: the process is number 1 in a PID namespace below the reader's (proc(5), NSpid). Until it has
// become init it is nspawn's own child, which waits for its network: nspawn still plugs the cable in.
func firstOfNamespace(status string) bool {
	for line := range strings.Lines(status) {
		if name, ok := strings.CutPrefix(line, "Name:"); ok && strings.Contains(name, "nspawn") {
			return false
		}
		if ids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			fields := strings.Fields(ids)
			return len(fields) > 1 && fields[len(fields)-1] == "1"
		}
	}
	return false
}
