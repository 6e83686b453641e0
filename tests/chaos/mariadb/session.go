package mariadb

import (
	"context"
	"database/sql/driver"
	"errors"

	"holdfast/tests/chaos/ledger"
)

// Busy is the class of an attempt that never had the connection: the one before
// it was still waiting for its answer.
const Busy Class = "connection busy"

// Session is one connection that is kept, as an application's is, and opened
// again at once when it breaks. Its methods may be called at the same time; they
// wait for each other as statements on one connection do.
type Session struct {
	server *Server
	turn   chan struct{}
	conn   driver.Conn // nil before the first use and after a failure; owned by the one whose turn it is
}

// Session returns a session that is not connected yet.
func (s *Server) Session() *Session {
	return &Session{server: s, turn: make(chan struct{}, 1)}
}

// Write inserts one row over the kept connection, as [Server.Write] does over a
// new one.
func (s *Session) Write(ctx context.Context, run string, id uint64) Outcome {
	return s.do(ctx, func(conn driver.Conn) (string, error) { return s.server.insert(ctx, conn, run, id) })
}

// Read reads a row of the table, which only a node that is ready does.
func (s *Session) Read(ctx context.Context) Outcome {
	outcome := s.do(ctx, func(conn driver.Conn) (string, error) {
		// The subquery reads the table; its value does not matter.
		return query(ctx, conn, "SELECT @@hostname FROM (SELECT COUNT(*) FROM (SELECT id FROM "+s.server.table+" LIMIT 1) one) some")
	})
	if outcome.Verdict == ledger.Indeterminate {
		outcome.Verdict = ledger.Refused // a read leaves nothing behind that could be in doubt
	}
	return outcome
}

// Close ends the connection.
func (s *Session) Close() {
	s.turn <- struct{}{}
	s.drop()
}

func (s *Session) do(ctx context.Context, statement func(driver.Conn) (string, error)) Outcome {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return Outcome{Verdict: ledger.Refused, Class: Busy, Err: ctx.Err()}
	}
	if s.conn == nil {
		conn, err := s.server.connector.Connect(ctx)
		if err != nil {
			return Outcome{Verdict: ledger.Refused, Class: classifyConnect(err), Err: err}
		}
		s.conn = conn
	}
	node, err := statement(s.conn)
	if err == nil {
		return Outcome{Verdict: ledger.Acknowledged, Node: node}
	}
	class, verdict := classifyStatement(err)
	if errors.Is(err, driver.ErrBadConn) {
		// The driver's promise: it found the connection broken before it sent anything.
		class, verdict = ConnectionLost, ledger.Refused
	}
	// Also after an error of the server: it may stand for a node that will answer
	// nothing else, and the address may lead to a better one by now.
	s.drop()
	return Outcome{Verdict: verdict, Class: class, Err: err}
}

func (s *Session) drop() {
	if s.conn != nil {
		_ = s.conn.Close() // broken or not, it is not used again
		s.conn = nil
	}
}
