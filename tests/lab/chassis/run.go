package chassis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/tests/lab/power"
)

// downTimeout bounds the way down; what is left then dies with the process.
const downTimeout = 20 * time.Second

// Main runs a chassis in a process that was started for it (see Start) and returns its exit status. It reports to fdReady and logs to
// standard error.
func Main() int {
	syscall.CloseOnExec(fdReady) // no node may keep the chassis's descriptors, and with them its locks
	syscall.CloseOnExec(fdState)
	syscall.CloseOnExec(fdImage)
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	ready := os.NewFile(fdReady, "ready")
	if err := run(ready); err != nil {
		log.Print(err)
		fmt.Fprint(ready, err) // a parent that has its answer already does not read this one
		return 1
	}
	return 0
}

func run(ready *os.File) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	ctx, down := context.WithCancel(ctx)
	defer down()

	var config Config
	if err := json.NewDecoder(os.Stdin).Decode(&config); err != nil {
		return fmt.Errorf("read the chassis's configuration: %w", err)
	}
	if config.DieWithParent {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // any end of it is the parent's end
			down()
		}()
	}
	state, err := os.OpenRoot(config.State)
	if err != nil {
		return fmt.Errorf("open the state directory: %w", err)
	}
	assembly, cancel := context.WithTimeout(ctx, downTimeout) // it may have to wait for a predecessor's end
	defer cancel()
	rack, err := assemble(assembly, config, state)
	if err != nil {
		return err
	}
	defer rack.dismantle()
	servers, err := rack.serve(down)
	if err != nil {
		return err
	}
	defer servers.close()
	if err := coverTmp(); err != nil {
		return err
	}
	if err := rack.powerOnAll(ctx); err != nil {
		return err
	}
	if _, err := fmt.Fprint(ready, "ok"); err != nil {
		return fmt.Errorf("tell the parent that the lab is up: %w", err)
	}
	if err := ready.Close(); err != nil {
		return fmt.Errorf("tell the parent that the lab is up: %w", err)
	}
	<-ctx.Done()
	log.Print("going down")
	return nil
}

// rack is the chassis with its nodes in place.
type rack struct {
	config Config
	state  *os.Root
	cgroup cgroup
	nodes  []*node
	power  *log.Logger
}

// assemble makes everything nodes need, in the chassis's own namespaces.
func assemble(ctx context.Context, config Config, state *os.Root) (r *rack, err error) {
	for _, dir := range []string{NodesDir, LogsDir} {
		if err := state.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("make the directory %s of the lab: %w", dir, err)
		}
	}
	if err := isolate(); err != nil {
		return nil, err
	}
	cg, err := newCgroup(ctx, config.ID)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, cg.remove(ctx))
		}
	}()
	if err := makeBridge(config.Switch); err != nil {
		return nil, err
	}
	powerLog, err := openLog(state, PowerLogFile)
	if err != nil {
		return nil, err
	}
	r = &rack{config: config, state: state, cgroup: cg, power: log.New(powerLog, "", 0)}
	for _, nc := range config.Nodes {
		n, err := r.insert(ctx, nc)
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", nc.Name, err)
		}
		r.nodes = append(r.nodes, n)
	}
	return r, nil
}

// insert gives a node its file systems, its identity and its console.
func (r *rack) insert(ctx context.Context, nc NodeConfig) (*node, error) {
	root, err := mountRoot(r.config, nc.Name)
	if err != nil {
		return nil, err
	}
	if err := provision(root, nc, r.config); err != nil {
		return nil, err
	}
	disk, err := mountDisk(ctx, r.config, nc.Name, root)
	if err != nil {
		return nil, err
	}
	console, err := openLog(r.state, nc.Name+".console")
	if err != nil {
		return nil, err
	}
	return &node{
		config: nc, root: root, disk: disk, cgroup: r.cgroup.child(nc.Name), console: console, cable: CableIn, since: time.Now(),
	}, nil
}

func openLog(state *os.Root, name string) (*os.File, error) {
	f, err := state.OpenFile(LogsDir+"/"+name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log %s: %w", name, err)
	}
	return f, nil
}

func (r *rack) powerOnAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range r.nodes {
		group.Go(func() error {
			return r.Reset(ctx, power.Reset{System: n.config.Name, Type: power.ResetOn, From: "lab up"})
		})
	}
	return group.Wait()
}

// dismantle cuts all power and removes what outlives the process: the nodes' files and cgroups.
func (r *rack) dismantle() {
	ctx, cancel := context.WithTimeout(context.Background(), downTimeout)
	defer cancel()
	var group errgroup.Group
	for _, n := range r.nodes {
		group.Go(func() error { return n.retire(ctx) })
	}
	err := group.Wait()
	err = errors.Join(err, unmount(r.nodes), r.cgroup.remove(ctx), r.state.RemoveAll(NodesDir), r.state.RemoveAll(SocketFile))
	if err != nil {
		log.Printf("dismantle the lab: %v", err)
	}
}

// servers are the chassis's two doors: the power switch in the lab's network and the control socket.
type servers []*http.Server

func (r *rack) serve(down func()) (servers, error) {
	sc := r.config.Switch
	redfish := power.Handler(r)
	ip := net.ParseIP(sc.Address)
	certificate, err := power.SelfSigned(ip, time.Now())
	if err != nil {
		return nil, err
	}
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip, Port: sc.Port})
	if err != nil {
		return nil, fmt.Errorf("listen for the power switch: %w", err)
	}
	control, err := listenControl(r.state)
	if err != nil {
		return nil, err
	}
	https := &http.Server{
		Handler:           power.BasicAuth(sc.User, sc.Password, redfish),
		TLSConfig:         tlsConfig(certificate),
		ReadHeaderTimeout: 10 * time.Second,
	}
	local := &http.Server{Handler: controlHandler(r, redfish, down), ReadHeaderTimeout: 10 * time.Second}
	go logServe("power switch", func() error { return https.ServeTLS(tcp, "", "") })
	go logServe("control socket", func() error { return local.Serve(control) })
	return servers{https, local}, nil
}

func (s servers) close() {
	for _, server := range s {
		_ = server.Close() // on the way down; the process's end closes it in any case
	}
}

func logServe(what string, serve func() error) {
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		log.Printf("%s: %v", what, err)
	}
}
