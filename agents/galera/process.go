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
	state := processState(pid)
	return state != 0 && state != 'Z' // a zombie holds nothing any more
}

// frozen says whether a signal or a debugger keeps the process from running at all.
func frozen(pid int) bool {
	state := processState(pid)
	return state == 'T' || state == 't'
}

// processState is the letter in /proc/PID/stat (proc(5)); 0 if there is no such
// process.
func processState(pid int) byte {
	if pid <= 0 {
		return 0
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	at := bytes.LastIndex(stat, []byte(") ")) // the name may hold anything
	if at < 0 || at+2 >= len(stat) {
		return 0
	}
	return stat[at+2]
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
