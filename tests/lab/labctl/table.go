package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"holdfast/tests/lab"
)

// table writes a report for people.
func table(w io.Writer, report []lab.NodeReport) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tADDRESS\tPOWER\tCABLE\tSYSTEM\tSINCE")
	for _, n := range report {
		power := n.Power
		if n.Crashed {
			power += ", crashed"
		}
		if n.Frozen {
			power += ", frozen"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", n.Name, n.Address, power, n.Cable, n.System, n.Since.Local().Format(time.DateTime))
	}
	return t.Flush()
}
