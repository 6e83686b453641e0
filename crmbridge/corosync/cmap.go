package corosync

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// Messages of the service "cmap".
const (
	cmapGet         = 2
	cmapIterateInit = 4
	cmapIterateNext = 5
	cmapIterateEnd  = 6
	nameField       = 264 // mar_name_t: uint16 length, aligned to 8, and 256 bytes
	longestName     = 255
	// largestValue bounds a value; Corosync answers with as many bytes as it may fill.
	largestValue = 16 << 10
	// mostKeys ends an iteration that has no end; a cluster has a few hundred keys.
	mostKeys = 100_000
)

// Map is Corosync's configuration map, on a connection to the service "cmap".
type Map struct{ conn conn }

// NewMap reads on a connection to the service "cmap".
func NewMap(c conn) *Map { return &Map{conn: c} }

// Value is a value of the map with its type (cmap_value_types_t).
type Value struct {
	Type uint8
	Raw  []byte
}

// Types of values that text and number know.
const (
	typeUint8  = 2
	typeUint16 = 4
	typeUint32 = 6
	typeUint64 = 8
	typeString = 11
)

// String is a string value, or the bytes of another in hexadecimal.
func (v Value) String() string {
	if v.Type == typeString {
		return string(bytes.TrimRight(v.Raw, "\x00"))
	}
	if n, err := v.Uint(); err == nil {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%x", v.Raw)
}

// Uint is an unsigned number of any size.
func (v Value) Uint() (uint64, error) {
	switch {
	case v.Type == typeUint8 && len(v.Raw) == 1:
		return uint64(v.Raw[0]), nil
	case v.Type == typeUint16 && len(v.Raw) == 2:
		return uint64(binary.NativeEndian.Uint16(v.Raw)), nil
	case v.Type == typeUint32 && len(v.Raw) == 4:
		return uint64(binary.NativeEndian.Uint32(v.Raw)), nil
	case v.Type == typeUint64 && len(v.Raw) == 8:
		return binary.NativeEndian.Uint64(v.Raw), nil
	}
	return 0, fmt.Errorf("%w: a number of type %d in %d bytes", ErrMalformed, v.Type, len(v.Raw))
}

// Get reads a key. One that is not there gives ErrNotExist.
func (m *Map) Get(ctx context.Context, key string) (Value, error) {
	v, err := m.get(ctx, key)
	if err != nil {
		return Value{}, fmt.Errorf("read %s of Corosync's map: %w", key, err)
	}
	return v, nil
}

func (m *Map) get(ctx context.Context, key string) (Value, error) {
	const offLength, offType, offValue = responseHeader, responseHeader + 8, responseHeader + 16
	message := request(cmapGet, nameField+8)
	if err := putName(message[requestHeader:], key); err != nil {
		return Value{}, err
	}
	binary.NativeEndian.PutUint64(message[requestHeader+nameField:], largestValue)
	b, err := call(ctx, m.conn, message, cmapGet, offValue)
	if err != nil {
		return Value{}, err
	}
	length := binary.NativeEndian.Uint64(b[offLength:])
	if length > uint64(len(b)-offValue) {
		return Value{}, fmt.Errorf("%w: a value of %d bytes in %d", ErrMalformed, length, len(b)-offValue)
	}
	return Value{Type: b[offType], Raw: b[offValue:][:length]}, nil
}

// Keys lists the keys with a prefix.
func (m *Map) Keys(ctx context.Context, prefix string) ([]string, error) {
	keys, err := m.keys(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s of Corosync's map: %w", prefix, err)
	}
	return keys, nil
}

func (m *Map) keys(ctx context.Context, prefix string) (keys []string, err error) {
	begin := request(cmapIterateInit, nameField)
	if err := putName(begin[requestHeader:], prefix); err != nil {
		return nil, err
	}
	b, err := call(ctx, m.conn, begin, cmapIterateInit, responseHeader+8)
	if err != nil {
		return nil, err
	}
	handle := binary.NativeEndian.Uint64(b[responseHeader:])
	step := func(id uint32) []byte {
		message := request(id, 8)
		binary.NativeEndian.PutUint64(message[requestHeader:], handle)
		return message
	}
	for len(keys) < mostKeys {
		b, err := call(ctx, m.conn, step(cmapIterateNext), cmapIterateNext, responseHeader+nameField)
		if errors.Is(err, errNoSections) {
			_, err = call(ctx, m.conn, step(cmapIterateEnd), cmapIterateEnd, responseHeader)
			return keys, err
		}
		if err != nil {
			return nil, err
		}
		key, err := nameAt(b[responseHeader:])
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return nil, fmt.Errorf("%w: more than %d keys", ErrMalformed, mostKeys)
}

func putName(b []byte, name string) error {
	if len(name) > longestName {
		return fmt.Errorf("the key %q is longer than %d bytes", name, longestName)
	}
	binary.NativeEndian.PutUint16(b, uint16(len(name)))
	copy(b[8:nameField], name)
	return nil
}

func nameAt(b []byte) (string, error) {
	n := binary.NativeEndian.Uint16(b)
	if n > nameField-8 {
		return "", fmt.Errorf("%w: a name of %d bytes", ErrMalformed, n)
	}
	return string(b[8:][:n]), nil
}
