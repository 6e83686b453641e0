package pacemaker

import (
	"context"
	"fmt"

	"holdfast/cib"
)

// callNoChildren leaves everything below the root out of an answer (enum cib_call_options).
const callNoChildren = 0x20

// CIBVersion asks, on a connection to ServiceCIB, only for the version of this node's
// CIB: a small answer however large the CIB is.
func CIBVersion(ctx context.Context, c conn) (cib.Version, error) {
	asker := CIB{client: client{conn: c}}
	root, err := asker.root(ctx, callNoChildren)
	if err != nil {
		return cib.Version{}, fmt.Errorf("ask for the version of the CIB: %w", err)
	}
	return cib.VersionOf(root)
}

// QueryCIB asks, on a connection to ServiceCIB, once for this node's whole CIB.
func QueryCIB(ctx context.Context, c conn) (Snapshot, error) {
	asker := CIB{client: client{conn: c}}
	s, err := asker.query(ctx)
	if err != nil {
		return Snapshot{}, fmt.Errorf("query the CIB: %w", err)
	}
	return s, nil
}
