package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// alive says whether the process exists and is a database server: its number may
// have been given to another one meanwhile. One that was killed while its disk does not answer
// is: its first thread is a zombie then, and another one holds the data and may yet write.
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
	switch processState(pid) {
	case 0:
		return false
	case 'Z': // it holds nothing any more, if it was the last
		return len(otherThreads(dir)) > 0
	}
	return true
}

// otherThreads are those of a process, by their directories, beside its first one.
func otherThreads(dir string) []string {
	threads, _ := filepath.Glob(dir + "/task/[0-9]*")
	return slices.DeleteFunc(threads, func(t string) bool { return filepath.Base(t) == filepath.Base(dir) })
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
	fields := statFields(stat)
	if len(fields) == 0 {
		return 0
	}
	return fields[0][0]
}

// statFields are those of /proc/PID/stat from the third on, the state: the second, the name, may
// hold anything.
func statFields(stat []byte) []string {
	at := bytes.LastIndex(stat, []byte(") "))
	if at < 0 {
		return nil
	}
	return strings.Fields(string(stat[at+2:]))
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
		if worksIn(dir, ours) { // the server changes into its datadir
			return pid
		}
	}
	return 0
}

// worksIn says whether a process works in a directory. A thread that is a zombie does not tell.
func worksIn(dir string, place os.FileInfo) bool {
	for _, thread := range append([]string{dir}, otherThreads(dir)...) {
		if cwd, err := os.Stat(thread + "/cwd"); err == nil {
			return os.SameFile(cwd, place)
		}
	}
	return false
}
