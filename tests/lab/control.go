package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"holdfast/tests/lab/chassis"
	"holdfast/tests/lab/power"
)

// control talks to the chassis over its socket.
type control struct{ client http.Client }

func newControl(state string) *control {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		dir, err := os.Open(state)
		if err != nil {
			return nil, err
		}
		defer dir.Close()
		return (&net.Dialer{}).DialContext(ctx, "unix", chassis.SocketName(dir))
	}
	return &control{http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

func (c *control) do(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode a request to the chassis: %w", err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://chassis"+path, content)
	if err != nil {
		return fmt.Errorf("make a request to the chassis: %w", err)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the chassis: %w", err)
	}
	defer resp.Body.Close()
	if begun, ok := ctx.Value(begunKey{}).(*time.Time); ok {
		*begun, _ = time.Parse(time.RFC3339Nano, resp.Header.Get(chassis.BegunHeader)) // zero if it does not say
	}
	if resp.StatusCode >= 300 {
		message, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // what is there is the better half of the message
		return fmt.Errorf("the chassis answered %s: %s", resp.Status, strings.TrimSpace(string(message)))
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("read the chassis's answer: %w", err)
	}
	return nil
}

type begunKey struct{}

// Timed gives a context with which the last thing that the chassis is asked to do leaves
// when it began to do it, which is later than the asking.
func Timed(ctx context.Context) (context.Context, *time.Time) {
	begun := new(time.Time)
	return context.WithValue(ctx, begunKey{}, begun), begun
}

func (c *control) post(ctx context.Context, path string) error {
	return c.do(ctx, http.MethodPost, path, nil, nil)
}

// Status tells every node's power, cable and init.
func (l *Lab) Status(ctx context.Context) ([]chassis.NodeStatus, error) {
	var status chassis.Status
	if err := l.control.do(ctx, http.MethodGet, chassis.StatusPath, nil, &status); err != nil {
		return nil, err
	}
	return status.Nodes, nil
}

func (l *Lab) nodeStatus(ctx context.Context, node string) (chassis.NodeStatus, error) {
	nodes, err := l.Status(ctx)
	if err != nil {
		return chassis.NodeStatus{}, err
	}
	var names []string
	for _, n := range nodes {
		if n.Name == node {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return chassis.NodeStatus{}, fmt.Errorf("there is no node %q; there are %s", node, strings.Join(names, ", "))
}

// PowerOff cuts a node's power and returns when the node is gone.
func (l *Lab) PowerOff(ctx context.Context, node string) error {
	return l.reset(ctx, node, power.ResetForceOff)
}

// PowerOn restores a node's power and returns when its init runs; see WaitBooted for more.
func (l *Lab) PowerOn(ctx context.Context, node string) error {
	return l.reset(ctx, node, power.ResetOn)
}

// Shutdown presses a node's power button: it returns at once, and the node goes down in order.
func (l *Lab) Shutdown(ctx context.Context, node string) error {
	return l.reset(ctx, node, power.ResetGracefulShutdown)
}

func (l *Lab) reset(ctx context.Context, node string, how power.ResetType) error {
	if _, err := l.nodeStatus(ctx, node); err != nil {
		return err
	}
	return l.control.do(ctx, http.MethodPost, power.ResetPath(node), map[string]any{"ResetType": how}, nil)
}

// PowerState tells whether a node has power.
func (l *Lab) PowerState(ctx context.Context, node string) (power.State, error) {
	status, err := l.nodeStatus(ctx, node)
	return power.State(status.Power), err
}

// CableOut pulls a node's network cable. It stays out, also over a power cut, until CableIn.
func (l *Lab) CableOut(ctx context.Context, node string) error {
	return l.control.post(ctx, chassis.CablePath(node)+"?"+url.Values{"in": {"false"}}.Encode())
}

// CableIn puts a node's network cable back.
func (l *Lab) CableIn(ctx context.Context, node string) error {
	return l.control.post(ctx, chassis.CablePath(node)+"?"+url.Values{"in": {"true"}}.Encode())
}

// Freeze stops every process of a node, as a hypervisor's pause does.
func (l *Lab) Freeze(ctx context.Context, node string) error {
	return l.control.post(ctx, chassis.FreezePath(node)+"?"+url.Values{"frozen": {"true"}}.Encode())
}

// Crash ends every process of a node at once, as a kernel's panic does, while its power stays on: only PowerOff followed by PowerOn, by
// hand or by a fence agent, brings it back.
func (l *Lab) Crash(ctx context.Context, node string) error {
	return l.control.post(ctx, chassis.CrashPath(node))
}

// Thaw lets a frozen node continue.
func (l *Lab) Thaw(ctx context.Context, node string) error {
	return l.control.post(ctx, chassis.FreezePath(node)+"?"+url.Values{"frozen": {"false"}}.Encode())
}
