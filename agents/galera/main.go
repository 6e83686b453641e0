package main

import (
	"os"

	"holdfast/agents/internal/crm"
	"holdfast/ocf"
)

func main() { os.Exit(int(ocf.Main(newAgent(openWorld)))) }

// openWorld wires the hands. None of them does anything before it is asked.
func openWorld(s settings) world {
	return world{
		server:   &systemd{datadir: s.datadir, pidFile: s.pid},
		database: &mariadb{settings: s},
		cluster:  crm.New(),
		files:    &files{datadir: s.datadir},
		host:     host{},
		clock:    clock{},
	}
}
