package journal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// largest is how large a field may be; a record is some kilobytes.
const largest = 64 << 20

// ErrMalformed is input that is neither what journalctl -o json gives nor -o export.
var ErrMalformed = errors.New("this is not what journalctl gives")

// ErrLeftOut is JSON without a field of crmbridge's: without --all, journalctl gives null for those of more than
// 4096 bytes (systemd, Journal JSON Format).
var ErrLeftOut = errors.New("it is long and was left out: export with journalctl --all -o json, or -o export")

// parseJSON reads lines of journalctl -o json. Fields that are no text, or that occur
// more than once, are none of ours and are left out.
func parseJSON(r io.Reader, each func(fields map[string]string) error) error {
	for dec := json.NewDecoder(r); ; {
		var raw map[string]json.RawMessage
		switch err := dec.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w as JSON: %w", ErrMalformed, err)
		}
		fields := make(map[string]string, len(raw))
		for name, value := range raw {
			switch text, ok := textOf(value); {
			case ok:
				fields[name] = text
			case strings.HasPrefix(name, prefix) && bytes.Equal(value, []byte("null")):
				return fmt.Errorf("%s: %w", name, ErrLeftOut)
			}
		}
		if err := each(fields); err != nil {
			return err
		}
	}
}

// textOf is a value of journalctl's: a string, or an array of its bytes if it has
// unprintable ones (systemd, Journal JSON Format).
func textOf(value json.RawMessage) (string, bool) {
	var text string
	if json.Unmarshal(value, &text) == nil && !bytes.Equal(value, []byte("null")) {
		return text, true
	}
	var numbers []uint8Number
	if json.Unmarshal(value, &numbers) != nil || numbers == nil {
		return "", false
	}
	b := make([]byte, len(numbers))
	for i, n := range numbers {
		b[i] = byte(n)
	}
	return string(b), true
}

// uint8Number is a byte as a number; encoding/json takes []byte for base64.
type uint8Number uint8

// parseExport reads the Journal Export Format: lines of NAME=VALUE, or NAME, a length of
// 64 bits, the value and a newline; an empty line ends an entry.
func parseExport(r io.Reader, each func(fields map[string]string) error) error {
	in := bufio.NewReader(r)
	fields := map[string]string{}
	finish := func() error {
		if len(fields) == 0 {
			return nil
		}
		f := fields
		fields = map[string]string{}
		return each(f)
	}
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				return fmt.Errorf("%w as export: it ends within a line", ErrMalformed)
			}
			return finish()
		}
		if err != nil {
			return fmt.Errorf("read an exported journal: %w", err)
		}
		line = line[:len(line)-1]
		if len(line) == 0 {
			if err := finish(); err != nil {
				return err
			}
			continue
		}
		name, value, text := bytes.Cut(line, []byte("="))
		if !text {
			if value, err = readBinary(in); err != nil {
				return fmt.Errorf("%w as export: field %.64q: %w", ErrMalformed, name, err)
			}
		}
		fields[string(name)] = string(value)
	}
}

func readBinary(in *bufio.Reader) ([]byte, error) {
	var size [8]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(size[:])
	if n > largest {
		return nil, fmt.Errorf("%d bytes are too many", n)
	}
	// The length is only believed as far as there is data.
	var value bytes.Buffer
	if copied, err := io.CopyN(&value, in, int64(n)); err != nil {
		return nil, fmt.Errorf("%d of %d bytes: %w", copied, n, err)
	}
	if end, err := in.ReadByte(); err != nil || end != '\n' {
		return nil, errors.New("no newline after the value")
	}
	return value.Bytes(), nil
}
