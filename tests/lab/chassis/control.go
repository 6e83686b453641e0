package chassis

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// Paths of the control socket. The power of a node is changed there as on the switch, by Redfish.
const (
	StatusPath = "/lab"
	DownPath   = "/lab/down"
)

// CablePath takes a POST with the query in=true or in=false.
func CablePath(node string) string { return "/lab/nodes/" + node + "/cable" }

// FreezePath takes a POST with the query frozen=true or frozen=false.
func FreezePath(node string) string { return "/lab/nodes/" + node + "/freeze" }

// CrashPath takes a POST.
func CrashPath(node string) string { return "/lab/nodes/" + node + "/crash" }

// BegunHeader is in every answer: when the chassis began to do what it was asked, in UTC.
const BegunHeader = "Holdfast-Begun"

// timed tells it.
func timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set(BegunHeader, time.Now().UTC().Format(time.RFC3339Nano))
		next.ServeHTTP(w, req)
	})
}

// listenControl listens on the socket in the state directory. It goes through the directory's descriptor, because the name of a unix
// socket may have 107 characters at most, and the path of a checkout can be longer.
func listenControl(state *os.Root) (net.Listener, error) {
	if err := state.RemoveAll(SocketFile); err != nil { // left by a killed chassis
		return nil, fmt.Errorf("remove an old control socket: %w", err)
	}
	dir, err := state.Open(".")
	if err != nil {
		return nil, fmt.Errorf("open the state directory: %w", err)
	}
	defer dir.Close()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: SocketName(dir), Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	listener.SetUnlinkOnClose(false) // by then the name means nothing; dismantle removes the file
	return listener, state.Chmod(SocketFile, 0o600)
}

// SocketName is the name under which the control socket in the open directory dir can be reached.
func SocketName(dir *os.File) string { return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), SocketFile) }

// controlHandler serves the control socket, which only root can open.
func controlHandler(r *rack, redfish http.Handler, down func()) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/redfish/", func(w http.ResponseWriter, req *http.Request) {
		req.RemoteAddr = "control socket" // where a unix socket has no address to show
		redfish.ServeHTTP(w, req)
	})
	mux.HandleFunc("GET "+StatusPath, func(w http.ResponseWriter, _ *http.Request) {
		var status Status
		for _, n := range r.nodes {
			status.Nodes = append(status.Nodes, n.status())
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(status) // the peer hung up: nobody is left to tell
	})
	mux.HandleFunc("POST "+DownPath, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		down()
	})
	mux.HandleFunc("POST "+CablePath("{node}"), nodeAction(r, func(n *node, req *http.Request) error {
		cable := CableOut
		if req.FormValue("in") == "true" {
			cable = CableIn
		}
		return n.setCable(cable)
	}))
	mux.HandleFunc("POST "+FreezePath("{node}"), nodeAction(r, func(n *node, req *http.Request) error {
		return n.setFrozen(req.FormValue("frozen") == "true")
	}))
	mux.HandleFunc("POST "+CrashPath("{node}"), nodeAction(r, func(n *node, req *http.Request) error {
		// As with a reset, half of it would be a state that no machine is ever in.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), 2*cutTimeout)
		defer cancel()
		return n.crash(ctx)
	}))
	return timed(mux)
}

func nodeAction(r *rack, do func(*node, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		n, err := r.find(req.PathValue("node"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		if err := do(n, req); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
