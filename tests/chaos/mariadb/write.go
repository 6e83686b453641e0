package mariadb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"holdfast/tests/chaos/ledger"
)

// Outcome is what became of one write.
type Outcome struct {
	Verdict ledger.Verdict
	Node    string // @@hostname of the node that answered; empty unless acknowledged
	Class   Class  // why it failed; empty when acknowledged
	Err     error  // nil when acknowledged
}

// Write inserts one row over a new connection and asks, in the same statement,
// which node did it (INSERT ... RETURNING, MariaDB 10.5). The context's deadline
// bounds everything together.
func (s *Server) Write(ctx context.Context, run string, id uint64) Outcome {
	conn, err := s.connector.Connect(ctx)
	if err != nil {
		// No statement was sent yet: whatever happened, nothing was executed.
		return Outcome{Verdict: ledger.Refused, Class: classifyConnect(err), Err: err}
	}
	defer conn.Close() //nolint:errcheck // the answer is already complete or lost
	node, err := s.insert(ctx, conn, run, id)
	if err != nil {
		class, verdict := classifyStatement(err)
		return Outcome{Verdict: verdict, Class: class, Err: err}
	}
	return Outcome{Verdict: ledger.Acknowledged, Node: node}
}

func (s *Server) insert(ctx context.Context, conn driver.Conn, run string, id uint64) (string, error) {
	return query(ctx, conn, "INSERT INTO "+s.table+" (run, id, node) VALUES (?, ?, @@hostname) RETURNING node", run, id)
}

// query runs a statement that gives one value.
func query(ctx context.Context, conn driver.Conn, statement string, args ...driver.Value) (string, error) {
	queryer, ok := conn.(driver.QueryerContext)
	if !ok {
		return "", errors.New("the driver cannot run a query with a deadline")
	}
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	rows, err := queryer.QueryContext(ctx, statement, named)
	if err != nil {
		return "", err
	}
	node, err := soleValue(rows)
	return node, errors.Join(err, rows.Close())
}

// soleValue reads a result of one row and one column to its very end. The row
// of a write is no acknowledgement: the server sends it before it commits, and a
// commit that fails comes as an error in place of the end-of-result packet.
func soleValue(rows driver.Rows) (string, error) {
	row := make([]driver.Value, 1)
	value := ""
	for count := 0; ; count++ {
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			if count != 1 {
				return "", fmt.Errorf("the statement gave %d rows instead of 1", count)
			}
			return value, nil
		}
		if err != nil {
			return "", err
		}
		switch v := row[0].(type) {
		case []byte:
			value = string(v)
		case string:
			value = v
		default:
			return "", fmt.Errorf("the statement gave a %T instead of a name", v)
		}
	}
}

// Prune deletes the rows of a run below an id: a run that lasts for weeks must
// not fill a disk.
func (s *Server) Prune(ctx context.Context, run string, below uint64) error {
	db := sql.OpenDB(s.connector)
	defer db.Close()
	if _, err := db.ExecContext(ctx, "DELETE FROM "+s.table+" WHERE run = ? AND id < ?", run, below); err != nil {
		return fmt.Errorf("delete old rows of %s on %s: %w", run, s.address, err)
	}
	return nil
}
