package mariadb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// View is what a node says of the component it is in.
type View struct {
	State         string   // wsrep_local_state_comment
	ClusterStatus string   // wsrep_cluster_status: "Primary" or not
	Ready         bool     // wsrep_ready
	ClusterUUID   string   // wsrep_cluster_state_uuid
	ConfID        uint64   // wsrep_cluster_conf_id: counts the views; the same on all members of one
	Size          int      // wsrep_cluster_size
	Members       []string // wsrep_incoming_addresses, host:port each, as far as the members say it
}

// Primary says whether the node is in a primary component.
func (v View) Primary() bool { return v.ClusterStatus == "Primary" }

// Observer asks one node for its view, again and again over one connection.
type Observer struct {
	server *Server
	conn   driver.Conn
}

// Observer returns an observer that is not connected yet. It is for one
// goroutine.
func (s *Server) Observer() *Observer { return &Observer{server: s} }

// viewQuery asks for all at once, so that it is one moment's truth.
const viewQuery = `SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_cluster_state_uuid',
	'wsrep_cluster_conf_id', 'wsrep_cluster_size', 'wsrep_incoming_addresses', 'wsrep_local_state_comment')`

// View asks once. An error means that the server did not answer; the class says
// how.
func (o *Observer) View(ctx context.Context) (View, Class, error) {
	if o.conn == nil {
		conn, err := o.server.connector.Connect(ctx)
		if err != nil {
			return View{}, classifyConnect(err), fmt.Errorf("connect to %s: %w", o.server.address, err)
		}
		o.conn = conn
	}
	view, err := askView(ctx, o.conn)
	if err != nil {
		o.Close()
		class, _ := classifyStatement(err)
		return View{}, class, fmt.Errorf("ask %s for its view: %w", o.server.address, err)
	}
	return view, "", nil
}

// Close ends the connection.
func (o *Observer) Close() {
	if o.conn != nil {
		_ = o.conn.Close() // nothing was written over it
		o.conn = nil
	}
}

func askView(ctx context.Context, conn driver.Conn) (View, error) {
	queryer, ok := conn.(driver.QueryerContext)
	if !ok {
		return View{}, errors.New("the driver cannot run a query with a deadline")
	}
	rows, err := queryer.QueryContext(ctx, viewQuery, nil)
	if err != nil {
		return View{}, err
	}
	values := map[string]string{}
	row := make([]driver.Value, 2)
	for {
		err := rows.Next(row)
		if errors.Is(err, io.EOF) {
			return parseView(values), rows.Close()
		}
		if err != nil {
			return View{}, errors.Join(err, rows.Close())
		}
		values[text(row[0])] = text(row[1])
	}
}

// parseView takes what the node said; a number that is none becomes 0, as the
// node says itself when it is in no component.
func parseView(values map[string]string) View {
	v := View{
		State:         values["wsrep_local_state_comment"],
		ClusterStatus: values["wsrep_cluster_status"],
		Ready:         values["wsrep_ready"] == "ON",
		ClusterUUID:   values["wsrep_cluster_state_uuid"],
	}
	// A disconnected node says 18446744073709551615.
	v.ConfID, _ = strconv.ParseUint(values["wsrep_cluster_conf_id"], 10, 64)
	v.Size, _ = strconv.Atoi(values["wsrep_cluster_size"])
	for address := range strings.SplitSeq(values["wsrep_incoming_addresses"], ",") {
		if address = strings.TrimSpace(address); address != "" {
			v.Members = append(v.Members, address)
		}
	}
	return v
}

func text(v driver.Value) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}
