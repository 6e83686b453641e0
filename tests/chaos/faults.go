package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"holdfast/tests/chaos/fault"
)

// catalogueOutput is one entry of chaos faults --output json.
type catalogueOutput struct {
	Name        string   `json:"fault"`
	Description string   `json:"description"`
	Expected    string   `json:"expected"`
	Needs       []string `json:"needs"` // beyond a shell on the node
}

// listFaults is chaos faults.
func listFaults(args []string, stdout io.Writer) error {
	set := flag.NewFlagSet("chaos faults", flag.ContinueOnError)
	output := set.String("output", "text", "")
	if err := parseFlags(set, args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return usageError("unexpected argument %q: chaos faults takes --output only", set.Arg(0))
	}
	all := []catalogueOutput{}
	for _, f := range fault.Catalogue() {
		entry := catalogueOutput{Name: f.Name, Description: f.Description, Expected: f.Expected, Needs: []string{}}
		for _, verb := range f.Needs() {
			entry.Needs = append(entry.Needs, string(verb))
		}
		all = append(all, entry)
	}
	switch *output {
	case "json":
		return writeJSON(stdout, all)
	case "text":
		return tableFaults(stdout, all)
	}
	return usageError("--output is %q: give text or json", *output)
}

func tableFaults(stdout io.Writer, all []catalogueOutput) error {
	tab := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, f := range all {
		fmt.Fprintf(tab, "%s\t%s\n\t-> %s\n", f.Name, f.Description, f.Expected)
		if len(f.Needs) > 0 {
			fmt.Fprintf(tab, "\tneeds %s\n", strings.Join(f.Needs, ", "))
		}
	}
	return tab.Flush()
}
