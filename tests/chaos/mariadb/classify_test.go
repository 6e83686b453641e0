package mariadb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"holdfast/tests/chaos/ledger"
)

func dialError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
}

func TestClassifyConnect(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Class
	}{
		{dialError(syscall.ECONNREFUSED), ConnectionRefused},
		{dialError(syscall.EHOSTUNREACH), NoRoute},
		{dialError(syscall.ENETUNREACH), NoRoute},
		{dialError(syscall.ETIMEDOUT), ConnectTimeout},
		{fmt.Errorf("dial: %w", context.DeadlineExceeded), ConnectTimeout},
		{mysql.ErrInvalidConn, ConnectLost},
		{dialError(syscall.ECONNRESET), ConnectLost},
		{&mysql.MySQLError{Number: 1040}, "too many connections (1040)"},
		{&mysql.MySQLError{Number: 1045}, "access denied (1045)"},
		{errors.New("something else"), Unclassified},
	} {
		if got := classifyConnect(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}

// What is refused here is claimed to be on no node; only what the server said it
// did not do may be.
func TestClassifyStatement(t *testing.T) {
	for _, test := range []struct {
		err     error
		want    Class
		verdict ledger.Verdict
	}{
		{&mysql.MySQLError{Number: 1047}, "node not prepared (1047)", ledger.Refused},
		{&mysql.MySQLError{Number: 1213}, "deadlock (1213)", ledger.Refused},
		{&mysql.MySQLError{Number: 1205}, "lock wait timeout (1205)", ledger.Refused},
		{&mysql.MySQLError{Number: 1290}, "read only (1290)", ledger.Refused},
		{&mysql.MySQLError{Number: 1180}, "commit unknown (1180)", ledger.Indeterminate},
		{&mysql.MySQLError{Number: 1053}, "server error 1053", ledger.Indeterminate},
		{&mysql.MySQLError{Number: 1062}, "server error 1062", ledger.Indeterminate},
		{context.DeadlineExceeded, AnswerTimeout, ledger.Indeterminate},
		{mysql.ErrInvalidConn, ConnectionLost, ledger.Indeterminate},
		{dialError(syscall.ECONNRESET), ConnectionLost, ledger.Indeterminate},
		{io.ErrUnexpectedEOF, Unclassified, ledger.Indeterminate},
	} {
		if got, verdict := classifyStatement(test.err); got != test.want || verdict != test.verdict {
			t.Errorf("%v: got %q %v, want %q %v", test.err, got, verdict, test.want, test.verdict)
		}
	}
}
