package chassis

import "time"

// Name is argument zero of a chassis process: what ps shows, and how a program that uses the lab recognises that it is to become one.
const Name = "holdfast-chassis"

// Names of files in the state directory.
const (
	SocketFile   = "control.sock"
	NodesDir     = "nodes"
	LogsDir      = "logs"
	PowerLogFile = "power.log" // in LogsDir
)

// Descriptors that a chassis inherits from the process that starts it.
const (
	fdReady = 3 // written to once: "ok", or why not
	fdState = 4 // the state directory; whoever holds its lock is the lab's chassis
	fdImage = 5 // the image; a shared lock says it is in use
)

// Config is what a chassis is told on its standard input.
type Config struct {
	ID     string // names the cgroup of the lab
	State  string // absolute path of the state directory
	Image  string // absolute path of the image's tree
	Nodes  []NodeConfig
	Switch SwitchConfig
	// DieWithParent ends the lab when standard input ends, which the kernel sees to if the parent dies.
	DieWithParent bool
}

// NodeConfig is a node as the chassis knows it.
type NodeConfig struct {
	Name    string
	Address string // IPv4, without prefix
}

// SwitchConfig describes the lab's outside: its address on the bridge, and the power switch that listens there.
type SwitchConfig struct {
	Address        string // IPv4, without prefix
	Prefix         int    // of the lab's network
	Port           int
	User, Password string
}

// Cable says whether a node's network cable is plugged in.
type Cable string

// The states of a cable.
const (
	CableIn  Cable = "in"
	CableOut Cable = "out"
)

// Status is the answer to a status request on the control socket.
type Status struct {
	Nodes []NodeStatus `json:"nodes"`
}

// NodeStatus is one node's state as seen from outside the node.
type NodeStatus struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Power   string    `json:"power"` // a power.State
	Cable   Cable     `json:"cable"`
	Init    int       `json:"init"`    // PID of the node's init in the chassis's PID namespace, 0 without power
	Since   time.Time `json:"since"`   // of the present power state
	Frozen  bool      `json:"frozen"`  // all of the node's processes are stopped
	Crashed bool      `json:"crashed"` // all of the node's processes are dead, and power is on
	Cgroup  string    `json:"cgroup"`  // of the node's processes, below /sys/fs/cgroup in the chassis
}
