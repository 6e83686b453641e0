package unit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// Started is when this machine, or container, was started, by systemd's own account: the kernel,
// or, where it has no kernel of its own, its first process (org.freedesktop.systemd1(5),
// KernelTimestamp and UserspaceTimestamp).
func Started(ctx context.Context, conn *dbus.Conn) (time.Time, error) {
	for _, name := range []string{"KernelTimestamp", "UserspaceTimestamp"} {
		var value dbus.Variant
		if err := conn.Object(systemd, managerPath).CallWithContext(ctx, propertiesName+".Get", 0, manager, name).Store(&value); err != nil {
			return time.Time{}, fmt.Errorf("ask systemd when the machine was started: %w", err)
		}
		if us, ok := value.Value().(uint64); ok && us > 0 {
			return time.UnixMicro(int64(us)), nil
		}
	}
	return time.Time{}, errors.New("systemd does not know when the machine was started")
}
