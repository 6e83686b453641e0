package client_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
)

// stalledMonitor turns the test's own program into a monitor that the test stops
// in its tracks.
const stalledMonitor = "HOLDFAST_STALLED_MONITOR"

func TestMain(m *testing.M) {
	if address := os.Getenv(stalledMonitor); address != "" {
		os.Exit(monitor(address))
	}
	os.Exit(m.Run())
}

// seen is what the stalled monitor reports.
type seen struct {
	Longest, Stalled time.Duration
}

// monitor writes to the service for two seconds and prints what it saw.
func monitor(address string) int {
	c := client.Client{Kind: client.NewConnection, Interval: 10 * ms, Close: func() {}, Do: func(ctx context.Context, _ string, _ uint64) mariadb.Outcome {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return mariadb.Outcome{Verdict: ledger.Refused, Class: mariadb.ConnectionRefused, Err: err}
		}
		defer conn.Close()
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			return mariadb.Outcome{Verdict: ledger.Refused, Class: mariadb.ConnectionLost, Err: err}
		}
		return mariadb.Outcome{Verdict: ledger.Acknowledged, Node: "here"}
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	origin, out, record := time.Now(), make(chan client.Answered, 1), &client.Record{Client: c}
	go func() {
		c.Run(ctx, "run", origin, 250*ms, out)
		close(out)
	}()
	for a := range out {
		record.Add(a.Attempt)
		if a.Tick == 30 {
			_, _ = os.Stdout.WriteString("steady\n")
		}
	}
	frame := client.Frame{End: time.Since(origin), Threshold: 100 * ms, Deadline: 250 * ms}
	s := seen{Longest: record.Interruptions(frame).Interruption.Length()}
	for _, stall := range record.Stalls(100 * ms) {
		s.Stalled = max(s.Stalled, stall.To-stall.From)
	}
	if json.NewEncoder(os.Stdout).Encode(s) != nil {
		return 1
	}
	return 0
}

// TestStalledMonitorHidesNothing stops a whole monitor (SIGSTOP) while the
// service goes away and comes back behind its back. It cannot have seen the
// outage; it must not say that there was none.
func TestStalledMonitorHidesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	serve(t, listener)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), stalledMonitor+"="+address)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stdout)
	if line, err := said.ReadString('\n'); line != "steady\n" {
		t.Fatalf("the monitor said %q, %v", line, err)
	}
	const away = 600 * ms
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(away) // the length of the outage is the test's own choice
	if listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	serve(t, listener)
	took := time.Since(begin)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	var s seen
	if err := json.NewDecoder(said).Decode(&s); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if s.Longest < took || s.Stalled < took-50*ms {
		t.Errorf("the service was away for %v while the monitor stood still; it reports an interruption of %v and that it was held up for %v", took, s.Longest, s.Stalled)
	}
}

// serve answers every connection with a line.
func serve(t *testing.T, listener net.Listener) {
	t.Helper()
	t.Cleanup(func() { _ = listener.Close() }) // closed already, when the test closes it
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = conn.Write([]byte("ok\n"))
				_ = conn.Close()
			}
		}
	}()
}
