package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"holdfast/tests/chaos/result"
)

//go:embed page.html
var pageTemplate string

//go:embed style.css
var style string

// Write writes the page of a run. It returns an error when the writer does; a
// page is never written in part for another reason.
func Write(w io.Writer, run result.Run) error {
	parsed, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("parse the page's template: %w", err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, newModel(run)); err != nil {
		return fmt.Errorf("fill the page of run %s: %w", run.ID, err)
	}
	if _, err := out.WriteTo(w); err != nil {
		return fmt.Errorf("write the page of run %s: %w", run.ID, err)
	}
	return nil
}
