package crm

import (
	"context"
	"fmt"

	"holdfast/crmbridge/pacemaker"
)

// Version names the state of this node's CIB: while it stays the same, Status would say
// the same again. It asks the CIB manager itself, without a process.
//
// The CIB's own version begins anew when Pacemaker does, so the manager's process is a part of it.
func (c *Cluster) Version(ctx context.Context) (string, error) {
	dialer, err := pacemaker.NewDialer()
	if err != nil {
		return "", err
	}
	conn, err := dialer.Dial(ctx, pacemaker.ServiceCIB)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	version, err := pacemaker.CIBVersion(ctx, conn)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s/%d", version, conn.Peer().PID), nil
}
