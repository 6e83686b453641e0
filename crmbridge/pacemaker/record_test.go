//go:build lab

package pacemaker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"holdfast/crmbridge/corosync"
	"holdfast/crmbridge/qb"
)

// TestMain makes a recorder of the test binary that is run with the argument "record":
// it writes all that the daemons say to standard output until its standard input ends.
// tests/cluster makes crmbridge/incident/testdata with it.
func TestMain(m *testing.M) {
	if len(os.Args) != 2 || os.Args[1] != "record" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := record(ctx, json.NewEncoder(os.Stdout)); ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "record: %v\n", err)
		os.Exit(1)
	}
}

// entry is a line of a recording.
type entry struct {
	Received time.Time       `json:"received"`
	Source   string          `json:"source"` // snapshot, cib, fencer, history, quorum, journal, lost
	XML      string          `json:"xml,omitempty"`
	Message  []byte          `json:"message,omitempty"` // of Corosync, as it came
	Journal  json.RawMessage `json:"journal,omitempty"`
	Error    string          `json:"error,omitempty"`
}

type recorder struct {
	mu  sync.Mutex
	out *json.Encoder
}

func (r *recorder) write(e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.out.Encode(e)
}

// record follows every source until ctx ends.
func record(ctx context.Context, out *json.Encoder) error {
	r := &recorder{out: out}
	d, err := NewDialer()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	keep := func(d *qb.Dialer, service string, serve func(context.Context, *qb.Conn) error) {
		wg.Go(func() {
			_ = d.Keep(ctx, service, serve, func(err error) {
				r.write(entry{Received: time.Now(), Source: "lost", Error: err.Error()})
			})
		})
	}
	keep(d, ServiceCIB, r.cib)
	keep(d, ServiceFencer, r.fencer)
	keep(corosync.NewDialer(), "quorum", r.quorum)
	wg.Go(func() { r.journal(ctx) })
	wg.Wait()
	return ctx.Err()
}

func (r *recorder) cib(ctx context.Context, c *qb.Conn) error {
	cib, err := OpenCIB(ctx, c)
	if err != nil {
		return err
	}
	s, err := cib.Follow(ctx)
	if err != nil {
		return err
	}
	xml, err := write(s.CIB)
	if err != nil {
		return err
	}
	r.write(entry{Received: s.Asked, Source: "snapshot", XML: string(xml)})
	return r.events(ctx, c, "cib", nil)
}

func (r *recorder) fencer(ctx context.Context, c *qb.Conn) error {
	f, err := OpenFencer(ctx, c)
	if err != nil {
		return err
	}
	return r.events(ctx, c, "fencer", func() error {
		answer, err := f.ask(ctx, historyRequest(1))
		if err != nil {
			return err
		}
		xml, err := write(answer)
		r.write(entry{Received: time.Now(), Source: "history", XML: string(xml)})
		return err
	})
}

// events writes what comes; after is called after each.
func (r *recorder) events(ctx context.Context, c *qb.Conn, source string, after func() error) error {
	for {
		e, err := c.Event(ctx)
		if err != nil {
			return err
		}
		_, xml, err := Decode(e.Data)
		if err != nil {
			return err
		}
		r.write(entry{Received: e.Received, Source: source, XML: string(xml)})
		if after != nil {
			if err := after(); err != nil {
				return err
			}
		}
	}
}

func (r *recorder) quorum(ctx context.Context, c *qb.Conn) error {
	if _, err := corosync.FollowQuorum(ctx, c); err != nil {
		return err
	}
	for {
		e, err := c.Event(ctx)
		if err != nil {
			return err
		}
		r.write(entry{Received: e.Received, Source: "quorum", Message: e.Data})
	}
}

func (r *recorder) journal(ctx context.Context) {
	cmd := exec.CommandContext(ctx, "journalctl", "--follow", "--lines=0", "--output=json",
		"--unit=pacemaker", "--unit=corosync", "--unit=mariadb",
		"--output-fields=MESSAGE,MESSAGE_ID,PRIORITY,SYSLOG_IDENTIFIER,_PID,_SYSTEMD_UNIT,_SOURCE_REALTIME_TIMESTAMP,_HOSTNAME")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.write(entry{Received: time.Now(), Source: "lost", Error: err.Error()})
		return
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r.write(entry{Received: time.Now(), Source: "journal", Journal: append(json.RawMessage(nil), lines.Bytes()...)})
	}
	_ = cmd.Wait() // ends with ctx
}
