package ocf

import (
	"context"
	"os"
)

// Main runs the agent in the process's own environment and returns its exit
// status; an agent's main is os.Exit(int(ocf.Main(agent))).
func Main(a *Agent) Code {
	return Run(context.Background(), a, Env{
		Args:   os.Args[1:],
		Getenv: os.Getenv,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
	})
}
