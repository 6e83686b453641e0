package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
)

// login is how the agent logs in to the server.
type login struct {
	user, password string
	tcp            string // host:port; "": the Unix socket
}

// clustercheckFiles are those that ocf:heartbeat:galera sources, the first that
// exists.
func clustercheckFiles() []string {
	return []string{"/etc/sysconfig/clustercheck", "/etc/default/clustercheck"}
}

// findLogin takes the parameters first, then the clustercheck file, then root,
// whom Debian's server lets in over the socket without a password.
func findLogin(s *settings, read func(string) ([]byte, error)) (login, error) {
	file, err := readClustercheck(read)
	if err != nil {
		return login{}, err
	}
	l := login{user: s.checkUser, password: s.checkPassword}
	if l.user == "" {
		l.user = file["MYSQL_USERNAME"]
	}
	if l.user == "" {
		l.user = "root"
	}
	if l.password == "" {
		l.password = file["MYSQL_PASSWORD"]
	}
	if s.emptyPassword {
		l.password = ""
	}
	host, port := file["MYSQL_HOST"], file["MYSQL_PORT"]
	// As MariaDB's clients: localhost means the socket, whatever the port.
	if host != "" && host != "localhost" {
		if port == "" {
			port = "3306"
		}
		l.tcp = net.JoinHostPort(host, port)
	}
	return l, nil
}

func readClustercheck(read func(string) ([]byte, error)) (map[string]string, error) {
	for _, path := range clustercheckFiles() {
		data, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		values, err := parseAssignments(string(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return values, nil
	}
	return nil, nil
}

// parseAssignments reads lines of NAME=value as a shell would, without running
// anything. The values are secrets: errors name the line by its number only.
func parseAssignments(text string) (map[string]string, error) {
	values := map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		words, err := splitWords(value)
		if !ok || err != nil || len(words) > 1 && !strings.HasPrefix(words[1], "#") {
			return nil, fmt.Errorf("line %d is not of the form NAME=value; quote the value", n)
		}
		values[name] = ""
		if len(words) > 0 {
			values[name] = words[0]
		}
	}
	return values, nil
}
