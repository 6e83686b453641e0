package qb

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// guard runs f and turns a memory fault in it into ErrMalformed. A file that somebody
// truncates while it is mapped raises SIGBUS at the next access; libqb itself truncates
// rings that it cannot unlink (qb_sys_unlink_or_truncate in lib/unix.c).
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface { // a fault, and nothing else, has an address
			runtime.Error
			Addr() uintptr
		}:
			err = fmt.Errorf("%w: its shared memory is gone (%w)", ErrMalformed, r)
		default:
			panic(r)
		}
	}()
	return f()
}
