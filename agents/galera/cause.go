package main

import "strings"

// consequences are errors that the server reports because of an earlier one.
func consequences() []string {
	return []string{
		"Aborting",
		"Failed to initialize plugins",
		"Plugin 'InnoDB' init function returned error",
		"Plugin 'InnoDB' registration as a STORAGE ENGINE failed",
		"Unknown/unsupported storage engine: InnoDB",
	}
}

// causeIn finds the sentence in a server's log that says why it ended: its first
// error, because what follows is a consequence. "" if there is none.
func causeIn(log string) string {
	for line := range strings.Lines(log) {
		if cause := errorIn(strings.TrimSpace(line)); cause != "" {
			return cause
		}
	}
	return ""
}

func errorIn(line string) string {
	// Before its log is open the server complains without a mark.
	for _, start := range []string{"Could not open required defaults file:", "error: Found option without preceding group"} {
		if strings.HasPrefix(line, start) {
			return line
		}
	}
	_, text, ok := strings.Cut(line, "[ERROR] ")
	if !ok {
		return ""
	}
	for _, c := range consequences() {
		if strings.HasPrefix(text, c) {
			return ""
		}
	}
	for _, prefix := range []string{defaultServer + ": ", "mariadbd: ", "WSREP: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return withoutPlace(text)
}

// withoutPlace drops "file:function():line: ", with which Galera begins.
func withoutPlace(text string) string {
	if _, rest, ok := strings.Cut(text, "():"); ok && strings.HasPrefix(text, "./") {
		if _, message, ok := strings.Cut(rest, ": "); ok {
			return message
		}
	}
	return text
}
