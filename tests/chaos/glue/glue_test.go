package glue_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"holdfast/tests/chaos/glue"
)

const address = "198.51.100.70"

// network is a bridge with two machines on it that both have the address; for
// everybody else it is the first one's. All of it is in namespaces of the test.
type network struct {
	ifi  *net.Interface
	macs map[string]net.HardwareAddr
}

func newNetwork(t *testing.T) network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("network namespaces need root: run the tests as root")
	}
	runtime.LockOSThread() // for good: the thread ends with the test
	home, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = home.Close() })
	run(t, "ip link set lo up; ip link add br0 type bridge; ip addr add 198.51.100.1/24 dev br0; ip link set br0 up")
	n := network{macs: map[string]net.HardwareAddr{}}
	for _, machine := range []string{"a", "b"} {
		n.macs[machine] = boot(t, home, machine)
	}
	run(t, "ip neigh replace "+address+" lladdr "+n.macs["a"].String()+" nud permanent dev br0")
	if n.ifi, err = net.InterfaceByName("br0"); err != nil {
		t.Fatal(err)
	}
	return n
}

// boot makes a machine that has the address and says its name to who connects.
func boot(t *testing.T, home netns.NsHandle, name string) net.HardwareAddr {
	t.Helper()
	machine, err := netns.New() // and this thread is in it
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close() //nolint:errcheck // the sockets keep it
	run(t, "ip link add eth0 type veth peer name port-"+name)
	port, err := netlink.LinkByName("port-" + name)
	if err == nil {
		err = netlink.LinkSetNsFd(port, int(home))
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, "ip addr add "+address+"/24 dev eth0; ip link set eth0 up")
	eth0, err := net.InterfaceByName("eth0")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", address+":3306")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, name)
			_ = conn.Close()
		}
	}()
	if err := netns.Set(home); err != nil {
		t.Fatal(err)
	}
	run(t, "ip link set port-"+name+" master br0; ip link set port-"+name+" up")
	return eth0.HardwareAddr
}

// run runs a command of the network on this thread, and so in its namespace.
func run(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command("sh", "-ec", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return string(out)
}

func answer(t *testing.T, d net.Dialer) string {
	t.Helper()
	d.Timeout = 10 * time.Second // the bridge needs a moment before it forwards
	conn, err := d.DialContext(t.Context(), "tcp4", address+":3306")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	name, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(name)
}

func TestGlued(t *testing.T) {
	n := newNetwork(t)
	path, err := glue.Open(netip.MustParseAddr(address), n.ifi, netip.MustParseAddr("198.51.100.1"))
	if err != nil {
		t.Fatal(err)
	}
	glued := net.Dialer{Control: path.Control}
	for _, machine := range []string{"b", "a", "b"} {
		if err := path.To(n.macs[machine]); err != nil {
			t.Fatal(err)
		}
		if got := answer(t, glued); got != machine {
			t.Errorf("the glued socket reached %s, not %s", got, machine)
		}
		if got := answer(t, net.Dialer{}); got != "a" {
			t.Errorf("an ordinary socket reached %s", got)
		}
	}
	if err := path.Close(); err != nil {
		t.Fatal(err)
	}
	if got := answer(t, glued); got != "a" {
		t.Errorf("when nothing was left, the socket reached %s", got)
	}
	if left := run(t, "ip rule; ip neigh; ip route show table all"); strings.Contains(left, "20570") || strings.Contains(left, "192.0.2.1") {
		t.Errorf("something is left:\n%s", left)
	}
}

func TestClearAfterAnotherProcess(t *testing.T) {
	n := newNetwork(t)
	for range 2 { // the first one is left behind
		path, err := glue.Open(netip.MustParseAddr(address), n.ifi, netip.MustParseAddr("198.51.100.1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := path.To(n.macs["b"]); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := glue.Clear(); err != nil {
			t.Fatal(err)
		}
	}
	if left := run(t, "ip rule; ip neigh; ip route show table all"); strings.Contains(left, "20570") || strings.Contains(left, "192.0.2.1") {
		t.Errorf("something is left:\n%s", left)
	}
}
