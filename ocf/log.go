package ocf

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// logHandler prints one line per record, "LEVEL: message key=value", the form of
// ocf_log in resource-agents. Pacemaker's executor takes standard error into the
// journal and adds the time, the resource and the action.
type logHandler struct {
	w     io.Writer
	attrs string
}

func newLogHandler(w io.Writer) *logHandler { return &logHandler{w: w} }

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s%s", r.Level, r.Message, h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(formatAttr(a))
		return true
	})
	_, err := fmt.Fprintln(h.w, b.String())
	return err
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	for _, a := range attrs {
		c.attrs += formatAttr(a)
	}
	return &c
}

// WithGroup is not needed by agents: a group's name is left out.
func (h *logHandler) WithGroup(string) slog.Handler { return h }

func formatAttr(a slog.Attr) string {
	v := a.Value.Resolve().String()
	if strings.ContainsAny(v, " \t\n\"=") || v == "" {
		return fmt.Sprintf(" %s=%q", a.Key, v)
	}
	return " " + a.Key + "=" + v
}
