package main

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journal"
	"holdfast/crmbridge/sla"
)

//go:embed report.html
var reportPage string //nolint:gochecknoglobals // an embedded file

//go:embed report.css
var reportStyle string //nolint:gochecknoglobals // an embedded file

// runReport is "crmbridge report".
func runReport(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runReportAt(ctx, time.Now(), args, stdout, stderr)
}

func runReportAt(ctx context.Context, now time.Time, args []string, stdout, stderr io.Writer) int {
	r := newReading("report", now, stderr)
	file := r.flags.String("file", "", "`FILE` to write the page to (default: standard output)")
	return finish(stderr, report(ctx, r, r.promise("time that the report and the objective are for, until now"), file, args, stdout), exitFailed)
}

func report(ctx context.Context, r *reading, p promise, file *string, args []string, stdout io.Writer) error {
	if _, err := r.parse(args, 0); err != nil {
		return err
	}
	terms, err := p.terms()
	if err != nil {
		return err
	}
	read, err := r.load(ctx, journal.Range{})
	if err != nil {
		return err
	}
	v := sla.Judge(terms, read.records, spans(read.watched), r.now)
	r.since = v.From
	var records []incident.Record
	for _, x := range read.records {
		if r.visible(x) {
			records = append(records, x)
		}
	}
	_, findings := read.log.Verify()
	if r.json {
		return asJSON(stdout, map[string]any{"sla": v, "records": records, "findings": findings})
	}
	return write(*file, stdout, func(w io.Writer) error { return r.page(w, v, records, read.log, findings) })
}

// write writes a file as a whole or not at all, or to standard output.
func write(file string, stdout io.Writer, content func(io.Writer) error) error {
	if file == "" {
		return content(stdout)
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	defer os.Remove(f.Name())
	err = content(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644) //nolint:gosec // a report is for others to read
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// page is what the template draws.
func (r *reading) page(w io.Writer, v sla.Verdict, records []incident.Record, l *journal.Log, findings []journal.Finding) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"day":      func(t time.Time) string { return r.place(t).Format("2006-01-02 15:04:05") },
		"clock":    func(t time.Time) string { return r.place(t).Format(clockTime) },
		"seconds":  seconds,
		"percent":  percent,
		"mean":     mean,
		"away":     away,
		"left":     left,
		"trust":    r.clockText,
		"words":    func(k incident.CauseKind) string { return strings.ReplaceAll(string(k), "-", " ") },
		"join":     strings.Join,
		"sentence": journal.Sentence,
		"service":  service,
		"planned":  planned,
		"label":    phaseLabel,
		"chart":    chart,
		"timeline": func() template.HTML { return timeline(v, records) },
	}).Parse(reportPage)
	if err != nil {
		return fmt.Errorf("draw the report: %w", err)
	}
	err = page.Execute(w, map[string]any{
		"Style": template.CSS(reportStyle), "Verdict": v, "Records": records, "Nodes": l.Nodes(), "Entries": l.Entries(), "Zone": r.timeZone(),
		"Findings": findings, "Window": sla.FormatWindow(v.Window), "Mark": map[sla.Outcome]string{sla.Met: "✓", sla.Breached: "✗", sla.Unknown: "?"}[v.Outcome],
		"Class": map[sla.Outcome]string{sla.Met: "good", sla.Breached: "bad", sla.Unknown: "unsure"}[v.Outcome],
		"Used":  min(100, 100*float64(v.Used)/float64(max(v.Budget, 1))), "Version": version,
	})
	if err != nil {
		return fmt.Errorf("draw the report: %w", err)
	}
	return nil
}
