package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// fakeServer speaks as much of MariaDB's protocol as a client needs that logs in and writes.
type fakeServer struct {
	denied bool // refuse every login (error 1045)
	// away says whether the server drops who connects, so long after its start.
	away    func(since time.Duration) bool
	started time.Time
}

// serve lets it listen until the test ends, and returns its address.
func (f fakeServer) serve(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f.started = time.Now()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go f.talk(conn)
		}
	}()
	return l.Addr().String()
}

func (f fakeServer) talk(conn net.Conn) {
	defer conn.Close()
	if f.away != nil && f.away(time.Since(f.started)) {
		return
	}
	in := bufio.NewReader(conn)
	if !say(conn, 0, greeting()) {
		return
	}
	if _, ok := listen(in); !ok {
		return
	}
	if f.denied {
		say(conn, 2, "\xff\x15\x04#28000Access denied for user 'chaos'")
		return
	}
	say(conn, 2, fine)
	for {
		command, ok := listen(in)
		switch {
		case !ok || command == "\x01": // COM_QUIT
			return
		case strings.Contains(command, "RETURNING"):
			table(conn, "\x03db1")
		case strings.HasPrefix(command, "\x03SELECT"):
			table(conn, "\x011")
		default:
			say(conn, 1, fine)
		}
	}
}

// table answers with one row of one column.
func table(conn io.Writer, row string) {
	const eof = "\xfe\x00\x00\x02\x00"
	column := "\x03def\x00\x00\x00\x04node\x00\x0c\x21\x00\xff\x00\x00\x00\xfd\x00\x00\x00\x00\x00"
	for i, packet := range []string{"\x01", column, eof, row, eof} {
		say(conn, byte(i+1), packet)
	}
}

const fine = "\x00\x00\x00\x02\x00\x00\x00"

func greeting() string {
	return "\x0a5.5.5-10.11.0-MariaDB\x00\x01\x00\x00\x0012345678\x00\x01\xa2\x21\x02\x00\x08\x00\x15" +
		strings.Repeat("\x00", 10) + "123456789012\x00mysql_native_password\x00"
}

// say sends a packet.
func say(out io.Writer, number byte, text string) bool {
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	head[3] = number
	_, err := out.Write(append(head, text...))
	return err == nil
}

// listen reads a packet.
func listen(in io.Reader) (string, bool) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(in, head); err != nil {
		return "", false
	}
	head[3] = 0
	text := make([]byte, binary.LittleEndian.Uint32(head))
	_, err := io.ReadFull(in, text)
	return string(text), err == nil
}
