// Command figures makes the figures of a campaign that stand in the tree: it says
// whether the campaign in a directory is whole, prints its table, and writes it into
// a page. tests/demo/evidence uses it.
//
//	figures missing DIR N      what a whole campaign of N repetitions would have beside it; 1 if there is something
//	figures text DIR           the table for people
//	figures into PAGE DIR      the table between the markers of a page of Markdown
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/figures"
	"holdfast/tests/chaos/result"
)

func main() {
	if err := command(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "figures: %v\n", err)
		os.Exit(1)
	}
}

func command(args []string, out io.Writer) error {
	switch {
	case len(args) == 3 && args[0] == "missing":
		return missing(args[1], args[2])
	case len(args) == 2 && args[0] == "text":
		all, err := read[[]result.Summary](args[1], "summary.json")
		if err != nil {
			return err
		}
		_, err = io.WriteString(out, figures.Text(all))
		return err
	case len(args) == 3 && args[0] == "into":
		return into(args[1], args[2])
	}
	return errors.New("want missing DIR N, text DIR, or into PAGE DIR")
}

func missing(dir, times string) error {
	n, err := strconv.Atoi(times)
	if err != nil || n < 1 {
		return fmt.Errorf("give how often each fault was to be done, 1 or more, not N=%s", times)
	}
	all, err := read[[]result.Summary](dir, "summary.json")
	if err != nil {
		return err
	}
	run, err := read[result.Run](dir, "run.json")
	if err != nil {
		return err
	}
	var wanted []string
	for _, name := range fault.Names(fault.Catalogue()) {
		// What cannot be done where the campaign was is not missing.
		if _, leftOut := run.Settings["not run: "+name]; !leftOut {
			wanted = append(wanted, name)
		}
	}
	if lacks := figures.Missing(all, wanted, n); len(lacks) > 0 {
		return fmt.Errorf("the campaign is not complete: less than %d times (so often) were measured %s", n, strings.Join(lacks, ", "))
	}
	return nil
}

func into(page, dir string) error {
	all, err := read[[]result.Summary](dir, "summary.json")
	if err != nil {
		return err
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text, found := figures.Replace(string(old), figures.Markdown(all))
	if !found {
		return fmt.Errorf("%s must have the lines %q and %q, once each", page, figures.Begin, figures.End)
	}
	return os.WriteFile(page, []byte(text), 0o644)
}

func read[T any](dir, name string) (T, error) {
	var value T
	path := filepath.Join(dir, name)
	content, err := os.ReadFile(path)
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(content, &value); err != nil {
		return value, fmt.Errorf("read %s: %w", path, err)
	}
	return value, nil
}
