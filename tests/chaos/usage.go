package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

var errHelp = errors.New("help wanted") //nolint:gochecknoglobals // a sentinel

// usageOr prints the usage when it was asked for, and else passes err on.
func usageOr(err error, stdout io.Writer) error {
	if !errors.Is(err, errHelp) && !errors.Is(err, flag.ErrHelp) {
		return err
	}
	fmt.Fprint(stdout, usage)
	return nil
}

const usage = `chaos: what clients of a Galera cluster feel, with faults and without

  chaos init   --address HOST                                  make the table of writes
  chaos watch  --address HOST [--objective 99.95% --window 30d] [--max-interruption 2s]
  chaos faults [--output json]                                 the catalogue
  chaos run FAULT... --address HOST --node NAME=HOST... --target lab|ssh [options]
  chaos run    --address HOST --node NAME=HOST... [options] [-- COMMAND ARGS...]
  chaos undo   [--undo-file FILE]                              end what is still injected
  chaos verify --ledger FILE --node NAME=HOST... [options]

Where
  --address HOST[:PORT]    what clients connect to, normally the floating address (port 3306)
  --node NAME=HOST[:PORT]  a node at its own address, NAME its hostname; once for every node
  --user NAME              default chaos
  --password-file FILE     its first line is the password; else from CHAOS_PASSWORD
  --database NAME          default chaos; the table "writes" is created in it

Schedule
  --interval 10ms          between two attempts of a client; the resolution of all figures
                           (watch: 100ms)
  --timeout 250ms          deadline of one attempt, connecting included
  --threshold 100ms        from here on a gap between two answers is an interruption
                           (watch: 300ms)
  --before 3s              acknowledged writes without a gap before the fault
  --after 5s               acknowledged writes without a gap after it
  --limit 60s              for each of the two to happen, and for COMMAND to return
  --duration D             watch, or run without COMMAND: stop after D (default: at a signal)
  COMMAND ARGS...          a fault of your own; {node} becomes the node that answered last

Faults of the catalogue
  FAULT...                 names, or "all"
  --catalogue FILE         faults of your own beside them (chaos(8))
  --repeat N               each fault N times, at a random moment
  --target lab|ssh         the lab, or machines by ssh
  --inventory FILE         for ssh: how to reach the machines (chaos(8))
  --labctl COMMAND         for lab: labctl with its options, default labctl
  --yes                    do not ask before the first fault on real machines
  --address-resource ID    Pacemaker's name of the address, default vip
  --direct 50ms            interval of the clients straight to each node, and of the glued one
  --sample 20ms            between two looks at each node's view
  --arp 10ms               between two questions who has the address
  --heal 240s              for the cluster to be clean after a fault
  --max-doubled 5s         for two nodes to answer ARP for the address
  --out DIR                page, summary.json, junit.xml, log, events.jsonl, ledger.jsonl
  --continue               go on with the run in DIR that was cut off
  --undo-file FILE         where an injected fault stands until it is undone

Verdict
  --verify-wait 180s       for every node to be synced after the run
  --no-verify              do not look at the nodes; lost writes stay unknown
  --max-interruption D     longer is a breach
  --objective P --window D share of time with service, like 99.95% and 30d
  --ledger FILE            append the verdict of every write, for chaos verify
  --run NAME               chaos verify: this run of the ledger (default: its last)
  --output text|json       json: one object on standard output, all else on standard error

Exit status of init, run, undo, verify       Exit status of watch
  0 nothing lost, service back                 0 met
  1 a promise was broken, or not verified      1 breached
  2 usage                                      2 usage, or could not be measured
  3 could not start, or COMMAND failed
  4 longer than --max-interruption
`
