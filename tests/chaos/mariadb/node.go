package mariadb

import (
	"context"
	"database/sql"
	"fmt"
)

// State is what a node says of itself.
type State struct {
	Hostname      string // @@hostname
	Ready         bool   // wsrep_ready: it executes statements
	LocalState    string // wsrep_local_state_comment: "Synced", "Joined", "Donor/Desynced", ...
	ClusterStatus string // wsrep_cluster_status: "Primary" or not
	ClusterUUID   string // wsrep_cluster_state_uuid
}

// State asks the node. None of the statements needs a node that is ready, so an
// error means that the server itself did not answer.
func (s *Server) State(ctx context.Context) (State, error) {
	db := sql.OpenDB(s.connector)
	defer db.Close()
	var state State
	if err := db.QueryRowContext(ctx, "SELECT @@hostname").Scan(&state.Hostname); err != nil {
		return State{}, fmt.Errorf("ask %s for its name: %w", s.address, err)
	}
	rows, err := db.QueryContext(ctx, "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'")
	if err != nil {
		return State{}, fmt.Errorf("ask %s for its Galera state: %w", s.address, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return State{}, fmt.Errorf("read the Galera state of %s: %w", s.address, err)
		}
		switch name {
		case "wsrep_ready":
			state.Ready = value == "ON"
		case "wsrep_local_state_comment":
			state.LocalState = value
		case "wsrep_cluster_status":
			state.ClusterStatus = value
		case "wsrep_cluster_state_uuid":
			state.ClusterUUID = value
		}
	}
	if err := rows.Err(); err != nil {
		return State{}, fmt.Errorf("read the Galera state of %s: %w", s.address, err)
	}
	return state, nil
}

// Present returns the ids of a run that the node has. The node first applies
// everything that the cluster had committed when the question came
// (wsrep_sync_wait=1, bounded by repl.causal_read_timeout), so what is not in
// the answer is not merely late.
func (s *Server) Present(ctx context.Context, run string) ([]uint64, error) {
	db := sql.OpenDB(s.connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.address, err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET SESSION wsrep_sync_wait=1"); err != nil {
		return nil, fmt.Errorf("set wsrep_sync_wait on %s: %w", s.address, err)
	}
	rows, err := conn.QueryContext(ctx, "SELECT id FROM "+s.table+" WHERE run = ?", run)
	if err != nil {
		return nil, fmt.Errorf("read the writes on %s: %w", s.address, err)
	}
	defer rows.Close()
	var ids []uint64
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read the writes on %s: %w", s.address, err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the writes on %s: %w", s.address, err)
	}
	return ids, nil
}

// Checksum is one number for all rows of a run with everything in them, so that
// nodes can be compared beyond the ids. Like [Server.Present] it first lets the
// node apply what the cluster had committed.
func (s *Server) Checksum(ctx context.Context, run string) (string, error) {
	db := sql.OpenDB(s.connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return "", fmt.Errorf("connect to %s: %w", s.address, err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET SESSION wsrep_sync_wait=1, time_zone='+00:00'"); err != nil {
		return "", fmt.Errorf("prepare the checksum on %s: %w", s.address, err)
	}
	var sum string
	err = conn.QueryRowContext(ctx, "SELECT CONCAT(COUNT(*), '-', COALESCE(BIT_XOR(CRC32(CONCAT_WS('/', id, node, written))), 0), "+
		"'-', COALESCE(SUM(CRC32(CONCAT_WS('\\\\', written, node, id))), 0)) FROM "+s.table+" WHERE run = ?", run).Scan(&sum)
	if err != nil {
		return "", fmt.Errorf("sum up the rows on %s: %w", s.address, err)
	}
	return sum, nil
}

// Ready says nothing when the table of writes is there and may be written to by
// the user; it changes nothing.
func (s *Server) Ready(ctx context.Context) error {
	db := sql.OpenDB(s.connector)
	defer db.Close()
	var n int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT id FROM "+s.table+" LIMIT 1) one").Scan(&n); err != nil {
		return fmt.Errorf("read %s on %s: %w", s.table, s.address, err)
	}
	return nil
}
