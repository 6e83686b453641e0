package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"holdfast/agents/galera/wsrep"
	"holdfast/agents/internal/crm"
)

type fakeDatabase struct {
	s *site
	n *machine
}

func (f *fakeDatabase) Status(ctx context.Context) (Wsrep, error) {
	f.s.burn()
	switch {
	case f.n.busy > 0:
		f.n.busy--
		return Wsrep{}, fmt.Errorf("%w: Error 1040: Too many connections", ErrBusy)
	case f.n.slow > 0:
		f.n.slow--
		return Wsrep{}, fmt.Errorf("no answer in time on its socket: %w", context.DeadlineExceeded)
	case f.n.joining():
		return Wsrep{}, ErrNoServer
	case f.n.hung:
		return Wsrep{}, fmt.Errorf("no answer in time on its socket: %w", context.DeadlineExceeded)
	case !f.n.running:
		return Wsrep{}, ErrNoServer
	case f.n.left != "":
		return Wsrep{ClusterStatus: f.n.left, State: joining, Comment: "Joining", Closed: true}, nil
	case f.n.parted > 0:
		f.n.parted--
		return Wsrep{ClusterStatus: "non-Primary", Comment: "Initialized"}, nil
	case !f.n.primary:
		return Wsrep{ClusterStatus: "non-Primary", Comment: "Initialized"}, nil
	}
	if f.n.status.State != 0 {
		return f.n.status, nil
	}
	return Wsrep{ClusterStatus: primary, State: synced, Comment: "Synced"}, ctx.Err()
}

type fakeCluster struct {
	s *site
	n *machine
}

func (f *fakeCluster) LocalNode(context.Context) (string, error) { f.s.burn(); return f.n.name, nil }

func (f *fakeCluster) Version(context.Context) (string, error) {
	f.s.burn()
	return strings.ReplaceAll(fmt.Sprint(*f.status()), " ", "_"), nil
}

func (f *fakeCluster) Status(context.Context) (*crm.Status, error) {
	f.s.burn()
	f.s.looks++
	if f.s.later != nil {
		f.s.later()
	}
	return f.status(), nil
}

func (f *fakeCluster) status() *crm.Status {
	st := &crm.Status{Quorate: !f.s.quiet, Attributes: map[string]map[string]string{}}
	for _, n := range f.s.nodes {
		st.Nodes = append(st.Nodes, crm.Node{Name: n.name, Online: n.online})
		if !n.online {
			continue
		}
		values := map[string]string{}
		for k, v := range f.s.attrs[n.name] {
			values[k] = v
		}
		st.Attributes[n.name] = values
		if n.role != "Stopped" {
			st.Instances = append(st.Instances, crm.Instance{Resource: "galera", Node: n.name, Promoted: n.role == "Promoted", Failed: n.failed})
		}
	}
	return st
}

func (f *fakeCluster) Update(_ context.Context, changes ...crm.Change) error {
	for _, c := range changes {
		f.s.burn()
		if c.Value == "" {
			delete(f.s.attrs[c.Node], c.Name)
		} else {
			f.s.attrs[c.Node][c.Name] = c.Value
		}
	}
	return nil
}

func (f *fakeCluster) Request(_ context.Context, c crm.Change) error {
	if f.s.refuses {
		return errors.New("fork: resource temporarily unavailable")
	}
	f.s.requested = append(f.s.requested, c)
	return f.Update(context.Background(), c)
}

type fakeFiles struct {
	s *site
	n *machine
}

// stall blocks as a read of a frozen file system does.
func (f *fakeFiles) stall(ctx context.Context) error {
	if !f.n.stalled {
		return nil
	}
	_, err := bounded(ctx, "/var/lib/mysql", func() (int, error) { <-f.s.t.Context().Done(); return 0, nil })
	return err
}

func (f *fakeFiles) Grastate(ctx context.Context) ([]byte, error) {
	f.s.burn()
	if err := f.stall(ctx); err != nil {
		return nil, err
	}
	if f.n.grastate == "" {
		return nil, fs.ErrNotExist
	}
	return []byte(f.n.grastate), nil
}

func (f *fakeFiles) MarkSafe(ctx context.Context, state wsrep.State) error {
	f.s.burn()
	if err := f.stall(ctx); err != nil {
		return err
	}
	state.SafeToBootstrap = true
	f.n.write(state)
	return nil
}

// DropTorn is for what starts a server: it writes.
func (f *fakeFiles) DropTorn(ctx context.Context) ([]string, error) {
	f.s.burn()
	f.n.dropped++
	return nil, f.stall(ctx)
}

func (f *fakeFiles) DropGrastate(ctx context.Context) error {
	f.s.burn()
	f.n.grastate = ""
	return f.stall(ctx)
}
func (f *fakeFiles) Initialised() bool { return !f.n.empty }
func (f *fakeFiles) Size(ctx context.Context) (int64, error) {
	return 123_000_000, f.stall(ctx)
}
func (f *fakeFiles) Free() (uint64, error)            { return f.n.free, nil }
func (f *fakeFiles) Note(name string) (string, error) { f.s.burn(); return f.n.notes[name], nil }

func (f *fakeFiles) LastWrite(context.Context) (time.Time, error) { return f.n.written, nil }

func (f *fakeFiles) SaveNote(name, text string) error {
	f.s.burn()
	f.n.notes[name] = text
	return nil
}

type fakeHost struct{ n *machine }

func (f *fakeHost) Executable(path string) bool  { return !f.n.missing[path] }
func (f *fakeHost) RegularFile(path string) bool { return !f.n.missing[path] }
func (f *fakeHost) Directory(path string) bool   { return !f.n.missing[path] }
func (f *fakeHost) User(name string) bool        { return !f.n.missing["user "+name] }
func (f *fakeHost) Group(name string) bool       { return !f.n.missing["group "+name] }

func (f *fakeHost) PrepareDirectory(path, user, _ string) error {
	if f.n.readOnly[path] {
		return fmt.Errorf("user %s cannot write in %s", user, path)
	}
	return nil
}

// fakeClock moves only when somebody waits.
type fakeClock struct {
	s *site
	n *machine
}

func (f *fakeClock) Now() time.Time { return f.s.now }

// During looks for as long as the question lasts.
func (f *fakeClock) During(every time.Duration, look, do func()) {
	if len(f.n.lasts) > 0 {
		lasts := f.n.lasts[0]
		f.n.lasts = f.n.lasts[1:]
		for lasted := every; lasted < lasts; lasted += every {
			f.s.now = f.s.now.Add(every)
			look()
		}
	}
	do()
}

func (f *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	f.s.now = f.s.now.Add(d)
	return ctx.Err()
}
