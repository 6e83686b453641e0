package corosync

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"holdfast/crmbridge/qb"
)

// maxMessage is what Corosync's own clients ask for (IPC_REQUEST_SIZE).
const maxMessage = 1 << 20

// Header sizes: int32 id at 0, int32 size at 8, and in responses and events int32
// error at 16.
const (
	requestHeader  = 16
	responseHeader = 24
)

// ErrMalformed is an answer that is not what Corosync 3.1 sends.
var ErrMalformed = errors.New("corosync sent something that it never sends")

// conn is what this package needs of a connection.
type conn interface {
	Request(ctx context.Context, message []byte) ([]byte, error)
	Event(ctx context.Context) (qb.Event, error)
}

var _ conn = (*qb.Conn)(nil)

// NewDialer makes a dialer for the services "quorum" and "cmap" of a Corosync that
// runs as root.
func NewDialer() *qb.Dialer {
	return &qb.Dialer{Trust: qb.TrustUIDs(0), MaxMessage: maxMessage}
}

// Error is an error of Corosync's own (cs_error_t).
type Error int32

// The errors that callers may want to tell apart.
const (
	csOK                Error = 1
	ErrTryAgain         Error = 6
	ErrInvalidParameter Error = 7
	ErrAccess           Error = 11
	ErrNotExist         Error = 12
	errNoSections       Error = 27
)

func (e Error) Error() string {
	switch e { //nolint:exhaustive // csOK is no error
	case ErrTryAgain:
		return "corosync is busy, try again (CS_ERR_TRY_AGAIN)"
	case ErrInvalidParameter:
		return "corosync does not accept a parameter (CS_ERR_INVALID_PARAM)"
	case ErrAccess:
		return "corosync gives no access (CS_ERR_ACCESS)"
	case ErrNotExist:
		return "corosync has no such thing (CS_ERR_NOT_EXIST)"
	case errNoSections:
		return "the end of the list (CS_ERR_NO_SECTIONS)"
	}
	return fmt.Sprintf("corosync's error %d", int32(e))
}

// request makes a request with a zeroed body of the given size.
func request(id uint32, bodySize int) []byte {
	b := make([]byte, requestHeader+bodySize)
	binary.NativeEndian.PutUint32(b[0:], id)
	binary.NativeEndian.PutUint32(b[8:], uint32(len(b)))
	return b
}

// call sends a request and checks that the response is one to it, without an error
// and at least least bytes long.
func call(ctx context.Context, c conn, message []byte, id uint32, least int) ([]byte, error) {
	b, err := c.Request(ctx, message)
	if err != nil {
		return nil, err
	}
	if len(b) < responseHeader {
		return nil, fmt.Errorf("%w: a response of %d bytes", ErrMalformed, len(b))
	}
	if got := binary.NativeEndian.Uint32(b); got != id {
		return nil, fmt.Errorf("%w: response %d to request %d", ErrMalformed, got, id)
	}
	if e := Error(binary.NativeEndian.Uint32(b[16:])); e != csOK {
		return nil, e
	}
	if len(b) < least {
		return nil, fmt.Errorf("%w: response %d of %d bytes", ErrMalformed, id, len(b))
	}
	return b, nil
}
