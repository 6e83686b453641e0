package corosync

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// Messages of the service "quorum".
const (
	trackStart       = 1
	modelGetType     = 4
	resModelGetType  = 5
	eventQuorum      = 6
	eventMembership  = 7
	modelV1          = 1
	trackCurrent     = 1
	trackChanges     = 2
	offQuorate       = 24
	offRing          = 24 // of a membership; 8 later after a quorate
	lengthOfTheRing  = 16
	offQuorumCount   = offQuorate + 8 + lengthOfTheRing
	offQuorumList    = offQuorumCount + 4
	offMemberCount   = offRing + lengthOfTheRing
	offMemberLists   = offMemberCount + 20 // three counts, each aligned to 8
	largestMemberset = 1 << 16
)

// Kind tells what an Event is about.
type Kind int

// The kinds of events.
const (
	Membership    Kind = iota + 1 // which nodes are there
	QuorumChanged                 // whether this partition has quorum
)

func (k Kind) String() string {
	switch k {
	case Membership:
		return "membership"
	case QuorumChanged:
		return "quorum"
	}
	return fmt.Sprintf("kind %d", int(k))
}

// Ring identifies a membership: its representative, and a number that grows.
type Ring struct {
	Node     uint32
	Sequence uint64
}

// Event is a change of the membership or of the quorum, or the state when tracking
// began.
type Event struct {
	Received time.Time
	Kind     Kind
	Ring     Ring
	Members  []uint32 // node ids, of the membership or of the quorum's view
	Joined   []uint32 // since the membership before; Membership only
	Left     []uint32 // likewise
	Quorate  bool     // QuorumChanged only
}

// Quorum follows membership and quorum. It needs Corosync 3.1 for the list of nodes
// that joined and left.
type Quorum struct{ conn conn }

// FollowQuorum begins to follow on a connection to the service "quorum". The first two
// events are the state of now.
func FollowQuorum(ctx context.Context, c conn) (*Quorum, error) {
	model := request(modelGetType, 8)
	binary.NativeEndian.PutUint32(model[requestHeader:], modelV1)
	if _, err := call(ctx, c, model, resModelGetType, responseHeader); err != nil {
		return nil, fmt.Errorf("ask Corosync for membership events: %w", err)
	}
	track := request(trackStart, 8)
	binary.NativeEndian.PutUint32(track[requestHeader:], trackCurrent|trackChanges)
	if _, err := call(ctx, c, track, trackStart, responseHeader); err != nil {
		return nil, fmt.Errorf("follow Corosync's quorum: %w", err)
	}
	return &Quorum{conn: c}, nil
}

// Next waits for the next event, until ctx ends or the connection is lost.
func (q *Quorum) Next(ctx context.Context) (Event, error) {
	raw, err := q.conn.Event(ctx)
	if err != nil {
		return Event{}, err
	}
	e, err := ParseEvent(raw.Data)
	e.Received = raw.Received
	return e, err
}

// ParseEvent parses an event of the service "quorum", as a recording holds it.
func ParseEvent(b []byte) (Event, error) {
	if len(b) < responseHeader {
		return Event{}, fmt.Errorf("%w: an event of %d bytes", ErrMalformed, len(b))
	}
	switch id := binary.NativeEndian.Uint32(b); id {
	case eventQuorum:
		return parseQuorum(b)
	case eventMembership:
		return parseMembership(b)
	default:
		return Event{}, fmt.Errorf("%w: event %d", ErrMalformed, id)
	}
}

func parseQuorum(b []byte) (Event, error) {
	if len(b) < offQuorumList {
		return Event{}, fmt.Errorf("%w: a quorum event of %d bytes", ErrMalformed, len(b))
	}
	lists, err := nodeLists(b[offQuorumList:], binary.NativeEndian.Uint32(b[offQuorumCount:]))
	if err != nil {
		return Event{}, err
	}
	quorate := binary.NativeEndian.Uint32(b[offQuorate:]) != 0
	return Event{Kind: QuorumChanged, Quorate: quorate, Ring: ringAt(b[offQuorate+8:]), Members: lists[0]}, nil
}

func parseMembership(b []byte) (Event, error) {
	if len(b) < offMemberLists {
		return Event{}, fmt.Errorf("%w: a membership event of %d bytes", ErrMalformed, len(b))
	}
	count := func(i int) uint32 { return binary.NativeEndian.Uint32(b[offMemberCount+8*i:]) }
	lists, err := nodeLists(b[offMemberLists:], count(0), count(1), count(2))
	if err != nil {
		return Event{}, err
	}
	return Event{Kind: Membership, Ring: ringAt(b[offRing:]), Members: lists[0], Joined: lists[1], Left: lists[2]}, nil
}

func ringAt(b []byte) Ring {
	return Ring{Node: binary.NativeEndian.Uint32(b), Sequence: binary.NativeEndian.Uint64(b[8:])}
}

// nodeLists reads lists of node ids that follow each other.
func nodeLists(b []byte, counts ...uint32) ([][]uint32, error) {
	lists := make([][]uint32, len(counts))
	for i, n := range counts {
		if n > largestMemberset || int(n)*4 > len(b) {
			return nil, fmt.Errorf("%w: %d nodes in %d bytes", ErrMalformed, n, len(b))
		}
		for range n {
			lists[i] = append(lists[i], binary.NativeEndian.Uint32(b))
			b = b[4:]
		}
	}
	return lists, nil
}
