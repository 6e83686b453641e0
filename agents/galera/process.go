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

// frozen says whether a signal keeps the process from running at all. A debugger does
// not count: the backtrace of a live server takes a moment, and then it goes on.
func frozen(pid int) bool { return processState(pid) == 'T' }

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

// strayServer finds a server that works on our datadir, however it was started; 0 if
// there is none. The directory is compared, not its name: in a container the same name
// is another directory.
func strayServer(datadir string) int {
	ours, err := os.Stat(datadir)
	if err != nil {
		return 0
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || !alive(pid) {
			continue
		}
		cwd, err := os.Stat(dir + "/cwd") // the server changes into its datadir
		if err == nil && os.SameFile(cwd, ours) {
			return pid
		}
	}
	return 0
}
