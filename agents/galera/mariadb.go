package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mariadb asks the server on this machine, by default over its Unix socket.
type mariadb struct{ settings settings }

// Server error numbers of a refused connection (sql/share/errmsg-utf8.txt).
const (
	errTooManyConnections  = 1040 // ER_CON_COUNT_ERROR
	errAccessDenied        = 1045 // ER_ACCESS_DENIED_ERROR
	errAccessDeniedNoPassw = 1698 // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
)

// The server answers both also while it is not ready for anything else.
const (
	statusQuery = `SHOW GLOBAL STATUS WHERE Variable_name IN
 ('wsrep_cluster_status','wsrep_local_state','wsrep_local_state_comment','wsrep_ready',
  'wsrep_last_committed','wsrep_evs_state')`
	variableQuery = `SHOW GLOBAL VARIABLES LIKE 'read_only'`
)

// Status implements Database.
func (m *mariadb) Status(ctx context.Context) (Wsrep, error) {
	config, err := m.config()
	if err != nil {
		return Wsrep{}, err
	}
	// The driver watches a context with a goroutine that each question wakes. A deadline of the
	// connection is as good.
	deadline, _ := ctx.Deadline()
	config.DialFunc = dialUntil(deadline)
	ctx = context.WithoutCancel(ctx)
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return Wsrep{}, fmt.Errorf("prepare the connection to the server: %w", err)
	}
	// The driver without database/sql: a pool is of no use to two questions.
	conn, err := connector.Connect(ctx)
	if err != nil {
		return Wsrep{}, classify(inTime(err, deadline))
	}
	defer conn.Close()
	asker, ok := conn.(driver.QueryerContext)
	if !ok {
		return Wsrep{}, errors.New("ask the server for its state: the driver cannot")
	}
	values := map[string]string{}
	for _, text := range []string{statusQuery, variableQuery} {
		if err := query(ctx, asker, text, values); err != nil {
			return Wsrep{}, classify(inTime(err, deadline))
		}
	}
	return readStatus(values), nil
}

// dialUntil makes connections that end at the deadline; the zero time is none.
func dialUntil(deadline time.Time) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialer := net.Dialer{Deadline: deadline}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return conn, conn.SetDeadline(deadline)
	}
}

// inTime says that an error came of the deadline. The driver does not: it only says that the
// connection is not to be used any more.
func inTime(err error, deadline time.Time) error {
	if deadline.IsZero() || time.Now().Before(deadline) {
		return err
	}
	return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
}

// readStatus takes what the server said. A state that is no number is none that is
// known, and never Synced.
func readStatus(values map[string]string) Wsrep {
	state, err := strconv.Atoi(values["wsrep_local_state"])
	if err != nil {
		state = -1
	}
	return Wsrep{
		ClusterStatus: values["wsrep_cluster_status"], State: state,
		Comment:  values["wsrep_local_state_comment"],
		NotReady: values["wsrep_ready"] == "OFF",
		// NO_LOCK and NO_LOCK_NO_ADMIN are later servers' stronger forms of ON.
		ReadOnly:  values["read_only"] != "" && values["read_only"] != "OFF",
		Committed: values["wsrep_last_committed"],
		Closed:    values["wsrep_evs_state"] == "",
	}
}

func query(ctx context.Context, conn driver.QueryerContext, text string, values map[string]string) error {
	rows, err := conn.QueryContext(ctx, text, nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(row) < 2:
			return fmt.Errorf("%s answered with rows of %d columns", text, len(row))
		}
		values[textOf(row[0])] = textOf(row[1])
	}
}

func textOf(v driver.Value) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case string:
		return v
	}
	return ""
}

func (m *mariadb) config() (*mysql.Config, error) {
	l, err := findLogin(&m.settings, os.ReadFile)
	if err != nil {
		return nil, err
	}
	c := mysql.NewConfig()
	c.User, c.Passwd = l.user, l.password
	c.Net, c.Addr = "unix", m.settings.socket
	if l.tcp != "" {
		c.Net, c.Addr = "tcp", l.tcp
	}
	c.Logger = &mysql.NopLogger{} // the errors are returned too
	return c, nil
}

// classify tells a server that is not there or refuses the login from one that
// does not answer.
func classify(err error) error {
	var refused *mysql.MySQLError
	switch {
	case errors.As(err, &refused) && (refused.Number == errAccessDenied || refused.Number == errAccessDeniedNoPassw):
		return fmt.Errorf("%w: %w", ErrLogin, err)
	case errors.As(err, &refused) && refused.Number == errTooManyConnections:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: %w", ErrNoServer, err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time on its socket: %w", err)
	}
	return fmt.Errorf("ask the server for its state: %w", err)
}
