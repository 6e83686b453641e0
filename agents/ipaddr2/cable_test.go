package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"holdfast/ocf/ocftest"
)

// cable is a network of this test's own: eth0 with addresses of its own, and beyond
// its cable a client's interface.
type cable struct {
	agent     string
	announce  string // the program that announces
	client    *net.Interface
	near, far netns.NsHandle // the agent's machine, the client's machine
}

// newCable enters a network namespace that is gone when the test ends; the client's
// interface is in another. /run is the test's own too: notes and named namespaces stay
// in it.
func newCable(t *testing.T) cable {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("run this test as root: it makes network namespaces")
	}
	agent := filepath.Join(t.TempDir(), "IPaddr2")
	announce := filepath.Join(t.TempDir(), "announce")
	for _, args := range [][]string{
		{"build", "-o", announce, "../announce"},
		{"build", "-ldflags", "-X main.announce=" + announce, "-o", agent, "."},
	} {
		if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
			t.Fatalf("build the agent: %v\n%s", err, out)
		}
	}
	// Namespaces belong to a thread. This one is never unlocked, so that it ends with
	// the test and with it everything that was made here.
	runtime.LockOSThread()
	privateRun(t)
	far, near := namespaces(t)
	t.Cleanup(func() {
		far.Close()
		near.Close()
	})
	for _, command := range []string{
		"link set lo up",
		"link add eth0 type veth peer name client",
		"addr add 192.168.144.1/24 brd + dev eth0",
		"link set eth0 up",
	} {
		ip(t, command)
	}
	peer, err := netlink.LinkByName("client")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetNsFd(peer, int(far)); err != nil {
		t.Fatal(err)
	}
	c := cable{agent: agent, announce: announce, near: near, far: far}
	t.Cleanup(func() {
		for _, p := range c.announcers(t) {
			_ = p.Kill() // it may have ended meanwhile
		}
	})
	c.atClient(t, func() {
		ip(t, "link set client up")
		if c.client, err = net.InterfaceByName("client"); err != nil {
			t.Fatal(err)
		}
	})
	ip(t, "-6 addr add 2001:db8:1234::1/64 dev eth0 nodad")
	return c
}

// privateRun gives the thread a mount namespace with an empty /run.
func privateRun(t *testing.T) {
	t.Helper()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
}

// namespaces makes two for the network, and leaves the thread in the second.
func namespaces(t *testing.T) (far, near netns.NsHandle) {
	t.Helper()
	far, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	if near, err = netns.New(); err != nil {
		t.Fatal(err)
	}
	return far, near
}

// atClient does something on the client's machine.
func (c cable) atClient(t *testing.T, do func()) {
	t.Helper()
	if err := netns.Set(c.far); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := netns.Set(c.near); err != nil {
			t.Error(err)
		}
	}()
	do()
}

func ip(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(command)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", command, err, out)
	}
	return string(out)
}

// run runs the agent; a recurring monitor unless the action says otherwise.
func (c cable) run(t *testing.T, action string, params ...string) ocftest.Result {
	t.Helper()
	env := map[string]string{"OCF_RESKEY_CRM_meta_timeout": "20000", "OCF_RESKEY_CRM_meta_interval": "10000", "OCF_RESOURCE_INSTANCE": t.Name()}
	if action == "probe" {
		action, env["OCF_RESKEY_CRM_meta_interval"] = "monitor", "0"
	}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		env["OCF_RESKEY_"+name] = value
	}
	// The child must be forked by the thread that is in the namespace, and is.
	return ocftest.Call(t, c.agent, env, &syscall.SysProcAttr{}, action)
}

func (c cable) want(t *testing.T, code int, action string, params ...string) ocftest.Result {
	t.Helper()
	r := c.run(t, action, params...)
	if r.Code != code {
		t.Errorf("%s %v: status %d, not %d: %s", action, params, r.Code, code, r.Stderr)
	}
	return r
}

func on(t *testing.T, link, prefix string) bool {
	t.Helper()
	return strings.Contains(ip(t, "-o addr show dev "+link), " "+prefix+" ")
}
