package qb

import "errors"

var (
	// ErrDisconnected is a connection that the server ended: it stopped, died, or
	// disconnected a client that did not read its events.
	ErrDisconnected = errors.New("the server ended the connection")

	// ErrMalformed is something from the server that cannot be: a length beyond the
	// ring, a message without a header. The connection is of no further use.
	ErrMalformed = errors.New("the server sent what libqb never sends")

	// ErrUntrusted is a server that Dialer.Trust does not accept.
	ErrUntrusted = errors.New("the server is not whom we trust")

	// ErrTooLarge is a request beyond the agreed message size.
	ErrTooLarge = errors.New("the message is larger than the server accepts")

	// ErrClosed is a Conn after Close.
	ErrClosed = errors.New("the connection was closed here")

	// ErrAbandoned is a Conn on which a Request was given up before its response
	// came: the next response would be taken for the answer to another question.
	ErrAbandoned = errors.New("an earlier request was given up before its response")
)
