package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// alive says whether the process exists and is a database server: its number may
// have been given to another one meanwhile.
func alive(pid int) bool {
	if pid <= 1 {
		return false
	}
	dir := "/proc/" + strconv.Itoa(pid)
	name, err := os.ReadFile(dir + "/comm")
	if err != nil {
		return false
	}
	switch strings.TrimSpace(string(name)) {
	case "mariadbd", "mysqld":
	default:
		return false
	}
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return len(state) > 0 && state[0] != 'Z' // a zombie holds nothing any more
}

// strayServer finds the server that the PID file names, if it works on datadir; 0
// if there is none.
func strayServer(pidFile, datadir string) int {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !alive(pid) {
		return 0
	}
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd") // the server changes into its datadir
	if err != nil || filepath.Clean(cwd) != resolved(datadir) {
		return 0
	}
	return pid
}

func resolved(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return filepath.Clean(path)
}
