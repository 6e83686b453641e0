package ocf

import (
	"fmt"
	"io"
	"strings"
)

// Log prints one line per message, "LEVEL: message key=value", the form of ocf_log in
// resource-agents. Pacemaker's executor takes standard error into the journal and adds
// the time, the resource and the action.
//
// Its methods are those of log/slog, which is not used because it brings encoding/json
// with it, and so a monitor would spend a twentieth of its time on preparing to log.
type Log struct{ w io.Writer }

// Info logs what happens, Warn what somebody should look at, Error what fails. Names and
// values alternate in what follows the message.
func (l *Log) Info(message string, attributes ...any) { l.print("INFO", message, attributes) }

// Warn is described at Info.
func (l *Log) Warn(message string, attributes ...any) { l.print("WARN", message, attributes) }

// Error is described at Info.
func (l *Log) Error(message string, attributes ...any) { l.print("ERROR", message, attributes) }

func (l *Log) print(level, message string, attributes []any) {
	var b strings.Builder
	b.WriteString(level + ": " + message)
	for i := 0; i+1 < len(attributes); i += 2 {
		value := fmt.Sprint(attributes[i+1])
		if strings.ContainsAny(value, " \t\n\"=") || value == "" {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(&b, " %v=%s", attributes[i], value)
	}
	fmt.Fprintln(l.w, b.String()) // a log that cannot be written stops nobody
}
