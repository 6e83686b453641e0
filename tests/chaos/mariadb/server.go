package mariadb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Config says how to reach a server.
type Config struct {
	Address  string // host:port
	User     string
	Password string
	Database string
	// Control sees every socket before it is connected, as net.Dialer's does; nil
	// for ordinary ones.
	Control func(network, address string, conn syscall.RawConn) error
}

// Server is one MariaDB address. It holds no connection; its methods may be
// called at the same time.
type Server struct {
	config    Config
	address   string
	database  string
	connector driver.Connector // selects no database: a node that misses it must still answer
	table     string           // quoted, with the database
}

// New checks the configuration; it does not connect.
func New(c Config) (*Server, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", c.Address
	cfg.User, cfg.Passwd = c.User, c.Password
	cfg.InterpolateParams = true    // one round trip per write: no prepare
	cfg.Logger = &mysql.NopLogger{} // broken connections are our subject, and are returned
	cfg.CheckConnLiveness = false   // every connection is new
	cfg.ConnectionAttributes = ""   // nothing to send
	cfg.AllowNativePasswords = true // MariaDB's default authentication
	cfg.Collation = "utf8mb4_general_ci"
	if c.Control != nil {
		dialer := &net.Dialer{Control: c.Control}
		cfg.DialFunc = dialer.DialContext
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("configure the connection to %s: %w", c.Address, err)
	}
	return &Server{
		config:    c,
		address:   c.Address,
		database:  c.Database,
		connector: connector,
		table:     quote(c.Database) + ".writes",
	}, nil
}

// Address is the host:port that the server was configured with.
func (s *Server) Address() string { return s.address }

// Over is the same server over sockets that control has seen.
func (s *Server) Over(control func(network, address string, conn syscall.RawConn) error) (*Server, error) {
	c := s.config
	c.Control = control
	return New(c)
}

// Prepare creates the database and the table of writes where they are missing.
func (s *Server) Prepare(ctx context.Context) error {
	db := sql.OpenDB(s.connector)
	defer db.Close()
	for _, statement := range []string{
		"CREATE DATABASE IF NOT EXISTS " + quote(s.database),
		// A primary key, because Galera certifies by it; InnoDB, because Galera
		// replicates nothing else. The run leads the key, so that the rows of a
		// run are read in one piece.
		"CREATE TABLE IF NOT EXISTS " + s.table + ` (
			run     VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
			id      BIGINT UNSIGNED NOT NULL,
			node    VARCHAR(255) NOT NULL,
			written TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
			PRIMARY KEY (run, id)
		) ENGINE=InnoDB`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create %s on %s: %w", s.table, s.address, err)
		}
	}
	return nil
}

// quote makes an SQL identifier of a name that holds no NUL and no backquote;
// the caller has refused those.
func quote(name string) string { return "`" + name + "`" }
