package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// printTable shows the rows to people. The original's figure stands behind ours.
func printTable(out io.Writer, rows []row) error {
	width := 0
	for _, r := range rows {
		width = max(width, len(r.Action))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%-*s\t\tCPU ms\t\t\twall ms\t\t\texecs\t\tpeak MiB\t\t\n", width, "")
	fmt.Fprintf(w, "%-*s\tn\tours\theartbeat\tratio\tours\theartbeat\tratio\tours\theartbeat\tours\theartbeat\t  goals missed\n", width, "action")
	for _, r := range rows {
		missed := r.Missed
		if missed == "" {
			missed = "-"
		}
		fmt.Fprintf(w, "%-*s\t%d\t%.1f\t%.1f\t%s\t%.1f\t%.1f\t%s\t%d\t%d\t%.1f\t%.1f\t  %s\n", width, r.Action, r.Count,
			r.OursCPU, r.OriginalCPU, fraction(r.CPURatio), r.OursWall, r.OriginalWall, fraction(r.WallRatio),
			r.OursExecs, r.OriginalExecs, float64(r.OursPeak)/1024, float64(r.OriginalPeak)/1024, missed)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	fmt.Fprintln(out, "\nMedians. CPU of galera's start, promote, demote and stop: the whole node's, the server included; of all else: the agent's and")
	fmt.Fprintln(out, "its children's, background included. Execs without the agent's own. Peak: of the largest process that ended.")
	return nil
}

// fraction writes a ratio below 1 as the part of the original that it is.
func fraction(r float64) string {
	if r <= 0 || r > 0.5 {
		return fmt.Sprintf("%.2f", r)
	}
	return fmt.Sprintf("1/%.1f", 1/r)
}

func writeJSON(file string, rows []row) error {
	text, err := json.MarshalIndent(rows, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
