package corosync

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"holdfast/crmbridge/qb"
)

// words makes a message of 32-bit words.
func words(w ...uint32) []byte {
	var b []byte
	for _, n := range w {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	binary.NativeEndian.PutUint32(b[8:], uint32(len(b)))
	return b
}

// Events as Corosync 3.1.7 lays them out: header 24, everything aligned to 8.
func membership() []byte {
	return words(eventMembership, 0, 0, 0, 1, 0 /* ring */, 1, 0, 22, 0 /* counts */, 2, 0, 1, 0, 2 /* lists */, 1, 3, 3, 2, 4)
}

func quorum(quorate uint32) []byte {
	return words(eventQuorum, 0, 0, 0, 1, 0, quorate, 0 /* ring */, 1, 0, 22, 0 /* list */, 2, 1, 3)
}

func TestEvents(t *testing.T) {
	e, err := ParseEvent(membership())
	if err != nil || e.Kind != Membership || e.Ring != (Ring{1, 22}) ||
		!slices.Equal(e.Members, []uint32{1, 3}) || !slices.Equal(e.Joined, []uint32{3}) || !slices.Equal(e.Left, []uint32{2, 4}) {
		t.Errorf("membership %+v, %v", e, err)
	}
	for n, want := range []bool{false, true} {
		e, err := ParseEvent(quorum(uint32(n)))
		if err != nil || e.Kind != QuorumChanged || e.Quorate != want || e.Ring != (Ring{1, 22}) || !slices.Equal(e.Members, []uint32{1, 3}) {
			t.Errorf("quorum %+v, %v", e, err)
		}
	}
}

func TestMalformedEvents(t *testing.T) {
	for _, whole := range [][]byte{membership(), quorum(1)} {
		for n := range whole {
			if _, err := ParseEvent(whole[:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("the first %d of %d bytes of event %d: %v", n, len(whole), whole[0], err)
			}
		}
	}
	if _, err := ParseEvent(words(42, 0, 0, 0, 1, 0)); !errors.Is(err, ErrMalformed) {
		t.Errorf("event 42: %v", err)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(membership())
	f.Add(quorum(1))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvent(b)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("an error without a name: %v", err)
		}
		if 4*(len(e.Members)+len(e.Joined)+len(e.Left)) > len(b) {
			t.Fatalf("more nodes than bytes: %+v", e)
		}
	})
}

// daemon is a Corosync with a map of a few keys.
type daemon struct {
	keys   []string
	values map[string]Value
	next   int
	events [][]byte
	answer func(request []byte) []byte // instead of the map
}

func (d *daemon) Event(context.Context) (qb.Event, error) {
	if len(d.events) == 0 {
		return qb.Event{}, qb.ErrDisconnected
	}
	b := d.events[0]
	d.events = d.events[1:]
	return qb.Event{Data: b, Received: time.Unix(100, 0)}, nil
}

func response(id uint32, result Error, body int) []byte {
	b := make([]byte, responseHeader+body)
	binary.NativeEndian.PutUint32(b, id)
	binary.NativeEndian.PutUint32(b[8:], uint32(len(b)))
	binary.NativeEndian.PutUint32(b[16:], uint32(result))
	return b
}

func (d *daemon) Request(_ context.Context, request []byte) ([]byte, error) {
	if d.answer != nil {
		return d.answer(request), nil
	}
	id := binary.NativeEndian.Uint32(request)
	switch id {
	case cmapGet:
		key, err := nameAt(request[requestHeader:])
		if err != nil {
			return nil, err
		}
		v, ok := d.values[key]
		if !ok {
			return response(id, ErrNotExist, 16), nil
		}
		b := response(id, csOK, 16+largestValue)
		binary.NativeEndian.PutUint64(b[responseHeader:], uint64(len(v.Raw)))
		b[responseHeader+8] = v.Type
		copy(b[responseHeader+16:], v.Raw)
		return b, nil
	case cmapIterateInit:
		d.next = 0
		return response(id, csOK, 8), nil
	case cmapIterateNext:
		if d.next == len(d.keys) {
			return response(id, errNoSections, 0), nil
		}
		b := response(id, csOK, nameField+16)
		d.next++
		return b, putName(b[responseHeader:], d.keys[d.next-1])
	}
	return response(id, csOK, 0), nil
}

func number(n uint32) Value {
	return Value{Type: typeUint32, Raw: binary.NativeEndian.AppendUint32(nil, n)}
}

func text(s string) Value { return Value{Type: typeString, Raw: append([]byte(s), 0)} }

func TestSettings(t *testing.T) {
	d := &daemon{
		keys: []string{"nodelist.node.1.nodeid", "nodelist.node.1.name", "nodelist.node.0.nodeid", "nodelist.node.0.ring0_addr", "nodelist.node.x.nodeid"},
		values: map[string]Value{
			"runtime.config.totem.token": number(1650), "runtime.config.totem.consensus": number(1980),
			"runtime.config.totem.hold": number(288), "totem.cluster_name": text("holdfast"),
			"nodelist.node.0.nodeid": number(1), "nodelist.node.1.nodeid": number(2), "nodelist.node.1.name": text("db2"),
		},
	}
	s, err := NewMap(d).Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Token != 1650*time.Millisecond || s.Consensus != 1980*time.Millisecond || s.Hold != 288*time.Millisecond || s.ClusterName != "holdfast" ||
		!slices.Equal(s.Nodes, []Node{{1, ""}, {2, "db2"}}) {
		t.Errorf("settings %+v", s)
	}
	delete(d.values, "runtime.config.totem.hold")
	if s, err := NewMap(d).Settings(t.Context()); err != nil || s.Hold != 0 || s.Token == 0 {
		t.Errorf("without a hold: %+v %v", s, err)
	}
	delete(d.values, "runtime.config.totem.token")
	if _, err := NewMap(d).Settings(t.Context()); !errors.Is(err, ErrNotExist) {
		t.Errorf("without a token: %v", err)
	}
}

func TestQuorumIsFollowed(t *testing.T) {
	answers := map[uint32]uint32{modelGetType: resModelGetType, trackStart: trackStart}
	q, err := FollowQuorum(t.Context(), &daemon{events: [][]byte{membership()}, answer: func(request []byte) []byte {
		return response(answers[binary.NativeEndian.Uint32(request)], csOK, 8)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := q.Next(t.Context()); err != nil || e.Received != time.Unix(100, 0) || len(e.Members) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := q.Next(t.Context()); !errors.Is(err, qb.ErrDisconnected) {
		t.Errorf("after the last: %v", err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, test := range map[string]struct {
		answer []byte
		want   error
	}{
		"too short":          {make([]byte, 8), ErrMalformed},
		"of another request": {response(99, csOK, 1000), ErrMalformed},
		"refused":            {response(cmapGet, ErrAccess, 0), ErrAccess},
		"without a value":    {response(cmapGet, csOK, 8), ErrMalformed},
		"a value too long":   {append(response(cmapGet, csOK, 0), slices.Repeat([]byte{255}, 100)...), ErrMalformed},
	} {
		if _, err := NewMap(&daemon{answer: func([]byte) []byte { return test.answer }}).Get(t.Context(), "a"); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
