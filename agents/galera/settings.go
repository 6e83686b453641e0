package main

import (
	"path/filepath"
	"slices"

	"holdfast/ocf"
)

const defaultServer = "/usr/sbin/mariadbd"

// settings are the parameters of one call in the form that the actions use. With
// wrong parameters (stop, monitor) they are as complete as possible.
type settings struct {
	resource string // its id, without a clone's ":N"
	node     string // this node, as Pacemaker calls it; "" until identify
	nodes    []string
	hosts    hostMap

	address string
	binary  string
	client  string // "": not given
	config  string
	datadir string
	user    string
	group   string
	logFile string // "": where the configuration says
	pid     string
	socket  string
	extra   []string

	checkUser     string
	checkPassword string
	emptyPassword bool

	twoNode  bool
	creation bool
}

func newSettings(req *ocf.Request) settings {
	p := req.Params
	s := settings{
		resource: req.Resource(),
		node:     nodeName(req.Meta),
		address:  p.String("wsrep_cluster_address"),
		binary:   serverBinary(p.String("binary")),
		config:   p.String("config"), datadir: p.String("datadir"),
		user: p.String("user"), group: p.String("group"),
		pid: p.String("pid"), socket: p.String("socket"),
		checkUser: p.String("check_user"), checkPassword: p.String("check_passwd"),
		emptyPassword: p.Bool("check_passwd_use_empty"),
		twoNode:       p.Bool("two_node_mode"),
		creation:      p.Bool("enable_creation"),
	}
	s.logFile, _ = p.Given("log")
	s.client, _ = p.Given("client_binary")
	// Values with a problem were replaced by their default, which parses.
	s.hosts, _ = parseHostMap(p.String("cluster_host_map"))
	s.extra, _ = splitWords(p.String("additional_parameters"))
	if galera, err := parseAddress(s.address); err == nil {
		s.nodes = s.hosts.pacemakerNames(galera)
	}
	return s
}

// nodeName follows ocf_attribute_target of resource-agents: the attributes of a
// bundle's containers belong to the physical host if it is configured so.
func nodeName(m ocf.Meta) string {
	if m.Get("container_attribute_target") == "host" && m.Get("physical_host") != "" {
		return m.Get("physical_host")
	}
	return m.OnNode()
}

// serverBinary replaces the wrapper scripts: systemd restarts, limits and logs.
func serverBinary(path string) string {
	wrappers := []string{"mysqld_safe", "mariadbd-safe", "safe_mysqld"}
	if slices.Contains(wrappers, filepath.Base(path)) {
		return defaultServer
	}
	return path
}

// launch is how the server is started for these settings.
func (s *settings) launch() Launch {
	args := []string{ // the server wants --defaults-file first
		"--defaults-file=" + s.config,
		"--datadir=" + s.datadir,
		"--pid-file=" + s.pid,
		"--socket=" + s.socket,
	}
	if s.logFile != "" {
		args = append(args, "--log-error="+s.logFile)
	}
	return Launch{
		Binary: s.binary, Args: append(args, s.extra...),
		User: s.user, Group: s.group, Address: s.address, Log: s.logFile,
	}
}
