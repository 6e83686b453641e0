package crm

import (
	"context"
	"fmt"
	"time"

	"github.com/beevik/etree"

	"holdfast/crmbridge/pacemaker"
	"holdfast/crmbridge/qb"
)

// Version names the state of this node's CIB: while it stays the same, Status would say
// the same again. It asks the CIB manager itself, without a process.
//
// The CIB's own version begins anew when Pacemaker does, so the manager's process is a part of it.
func (c *Cluster) Version(ctx context.Context) (string, error) {
	conn, err := dialCIB(ctx)
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

func dialCIB(ctx context.Context) (*qb.Conn, error) { return dial(ctx, pacemaker.ServiceCIB) }

func dial(ctx context.Context, service string) (*qb.Conn, error) {
	dialer, err := pacemaker.NewDialer()
	if err != nil {
		return nil, err
	}
	return dialer.Dial(ctx, service)
}

// tell hands changes to the attribute manager itself, without a process.
func tell(ctx context.Context, changes ...Change) error {
	conn, err := dial(ctx, pacemaker.ServiceAttributes)
	if err != nil {
		return err
	}
	defer conn.Close()
	attributes := pacemaker.OpenAttributes(conn)
	for _, ch := range changes {
		if ch.Value == "" {
			err = attributes.Delete(ctx, ch.Node, ch.Name)
		} else {
			err = attributes.Update(ctx, ch.Node, ch.Name, ch.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// How long the CIB is asked whether it shows what was written, before crm_mon is. It
// knows more: that a node is offline and so has nothing to show.
const quickTime = 200 * time.Millisecond

// soonShown looks into the CIB itself until it shows the changes, for a short time. Any
// trouble is a no.
func soonShown(ctx context.Context, changes []Change) bool {
	ctx, cancel := context.WithTimeout(ctx, quickTime)
	defer cancel()
	conn, err := dialCIB(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	for {
		snapshot, err := pacemaker.QueryCIB(ctx, conn)
		if err != nil {
			return false
		}
		if shows(snapshot.CIB, changes) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(settlePause):
		}
	}
}

// shows says whether every change is a transient attribute in the CIB, or none any more
// where it deletes. The last change of an attribute counts.
func shows(root *etree.Element, changes []Change) bool {
	values := map[Change]string{} // by node and name
	for _, state := range root.FindElements("./status/node_state") {
		for _, pair := range state.FindElements("./transient_attributes/instance_attributes/nvpair") {
			key := Change{Node: state.SelectAttrValue("uname", ""), Name: pair.SelectAttrValue("name", "")}
			values[key] = pair.SelectAttrValue("value", "")
		}
	}
	want := map[Change]string{}
	for _, c := range changes {
		want[Change{Node: c.Node, Name: c.Name}] = c.Value
	}
	for key, value := range want {
		if values[key] != value {
			return false
		}
	}
	return true
}
