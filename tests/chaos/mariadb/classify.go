package mariadb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"holdfast/tests/chaos/ledger"
)

// Class is the kind of a failure, in words for the summary.
type Class string

// The classes that have no error number of the server in their name.
const (
	ConnectionRefused Class = "connection refused"
	NoRoute           Class = "no route to host"
	ConnectTimeout    Class = "connect timeout"
	ConnectLost       Class = "connection lost in login"
	AnswerTimeout     Class = "answer timeout"
	ConnectionLost    Class = "connection lost"
	ClientFull        Class = "too many in flight"
	Unclassified      Class = "other"
)

// Server errors that classification and advice know by number
// (MariaDB, include/mysqld_error.h).
const (
	errTooManyConnections = 1040
	errDatabaseDenied     = 1044
	errAccessDenied       = 1045
	errNotPrepared        = 1047 // ER_UNKNOWN_COM_ERROR: WSREP has not yet prepared node
	errUnknownDatabase    = 1049
	errHostBlocked        = 1129
	errHostNotPrivileged  = 1130
	errTableDenied        = 1142
	errNoSuchTable        = 1146
	errDuringCommit       = 1180
	errLockWaitTimeout    = 1205
	errDeadlock           = 1213
	errReadOnlyOption     = 1290
	errReadOnlyMode       = 1836
)

// serverClasses are the server errors with a name of their own; definite says
// that the statement was certainly not executed. What is not in the table is
// taken as indeterminate: a wrong "refused" would hide a write that exists.
func serverClass(number uint16) (class Class, definite bool) {
	switch number {
	case errTooManyConnections:
		return "too many connections (1040)", true
	case errAccessDenied, errDatabaseDenied, errHostNotPrivileged, errTableDenied:
		return Class(fmt.Sprintf("access denied (%d)", number)), true
	case errNotPrepared:
		return "node not prepared (1047)", true
	case errUnknownDatabase, errNoSuchTable:
		return Class(fmt.Sprintf("no such table (%d)", number)), true
	case errHostBlocked:
		return "host blocked (1129)", true
	case errLockWaitTimeout:
		return "lock wait timeout (1205)", true
	case errDeadlock:
		// Also Galera's certification failure: the transaction was rolled back.
		return "deadlock (1213)", true
	case errReadOnlyOption, errReadOnlyMode:
		return Class(fmt.Sprintf("read only (%d)", number)), true
	case errDuringCommit:
		// "Error while appending streaming replication fragment": the node left
		// the Primary Component with the commit under way. Most such commits are
		// in fact made by the majority.
		return "commit unknown (1180)", false
	default:
		return Class(fmt.Sprintf("server error %d", number)), false
	}
}

// classifyConnect names an error of connecting or logging in.
func classifyConnect(err error) Class {
	var server *mysql.MySQLError
	switch {
	case errors.As(err, &server):
		class, _ := serverClass(server.Number)
		return class
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnectionRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return NoRoute
	case isTimeout(err):
		return ConnectTimeout
	case isLost(err):
		return ConnectLost
	default:
		return Unclassified
	}
}

// classifyStatement names an error that came after the statement was sent, and
// says whether the statement may have been executed.
func classifyStatement(err error) (Class, ledger.Verdict) {
	var server *mysql.MySQLError
	switch {
	case errors.As(err, &server):
		class, definite := serverClass(server.Number)
		if definite {
			return class, ledger.Refused
		}
		return class, ledger.Indeterminate
	case isTimeout(err):
		return AnswerTimeout, ledger.Indeterminate
	case isLost(err):
		return ConnectionLost, ledger.Indeterminate
	default:
		return Unclassified, ledger.Indeterminate
	}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// isLost recognises a connection that ended: the driver hides most socket errors
// behind ErrInvalidConn.
func isLost(err error) bool {
	var network *net.OpError
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.As(err, &network)
}

// Advice is the remedy for an error that keeps a run from starting, for people.
func Advice(err error) string {
	var server *mysql.MySQLError
	if !errors.As(err, &server) {
		switch classifyConnect(err) {
		case ConnectionRefused:
			return "is MariaDB running there and listening on that port?"
		case NoRoute, ConnectTimeout:
			return "is the address up, and does this machine reach its network?"
		default:
			return "is there a MariaDB server at that address?"
		}
	}
	switch server.Number {
	case errAccessDenied:
		return "check --user and the password (--password-file or CHAOS_PASSWORD)"
	case errDatabaseDenied, errTableDenied:
		return "give the user the rights: GRANT ALL PRIVILEGES ON the database .* TO the user"
	case errHostNotPrivileged:
		return "allow the user to log in from this machine: CREATE USER name@'%'"
	case errHostBlocked:
		return "run FLUSH HOSTS there, and set skip_name_resolve so that it does not happen again"
	case errNotPrepared:
		return "that node is not part of the Primary Component; see wsrep_cluster_status"
	default:
		return "see the error log of that server"
	}
}
