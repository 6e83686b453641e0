package pacemaker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/user"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"holdfast/crmbridge/qb"
)

// The services of Pacemaker's daemons.
const (
	ServiceCIB        = "cib_ro"
	ServiceFencer     = "stonith-ng"
	ServiceAttributes = "attrd"
	ServiceController = "crmd"
)

// clientName is what the daemons' logs call us.
const clientName = "crmbridge"

// daemonUser is whom Pacemaker's daemons run as, where not as root (CRM_DAEMON_USER).
const daemonUser = "hacluster"

// conn is what this package needs of a connection.
type conn interface {
	Send(ctx context.Context, message []byte) error
	Receive(ctx context.Context) ([]byte, error)
	Event(ctx context.Context) (qb.Event, error)
}

var _ conn = (*qb.Conn)(nil)

// NewDialer makes a dialer that trusts servers of root and of hacluster only, as
// Pacemaker's own clients do.
func NewDialer() (*qb.Dialer, error) {
	u, err := user.Lookup(daemonUser)
	if err != nil {
		return nil, fmt.Errorf("find the user that Pacemaker runs as (is pacemaker installed?): %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("the user id of %s: %w", daemonUser, err)
	}
	return &qb.Dialer{Trust: qb.TrustUIDs(0, uint32(uid))}, nil
}

// client asks a daemon, one question at a time: it is for one goroutine. Another one may
// wait for events.
type client struct {
	conn conn
	last int32
}

// ask sends a request and waits for its answer. An answer that came too late for an
// earlier question is dropped: each says what it answers.
func (c *client) ask(ctx context.Context, request *etree.Element) (*etree.Element, error) {
	xml, err := write(request)
	if err != nil {
		return nil, err
	}
	if c.last++; c.last <= 0 {
		c.last = 1
	}
	if err := c.conn.Send(ctx, encode(c.last, xml)); err != nil {
		return nil, err
	}
	for {
		b, err := c.conn.Receive(ctx)
		if err != nil {
			return nil, err
		}
		f, err := unframe(b)
		if err != nil {
			return nil, err
		}
		if f.id == c.last {
			return parse(f.xml())
		}
	}
}

// tell is ask for a request that is only acknowledged.
func (c *client) tell(ctx context.Context, request *etree.Element) error {
	answer, err := c.ask(ctx, request)
	if err != nil {
		return err
	}
	return acknowledged(answer)
}

// Exit statuses that an acknowledgement carries (crm_exit_t).
const (
	exitOK            = 0
	exitIndeterminate = 112 // accepted, the outcome comes later
)

// acknowledged checks an <ack>.
func acknowledged(answer *etree.Element) error {
	status, err := strconv.Atoi(answer.SelectAttrValue("status", ""))
	if answer.Tag != "ack" || err != nil {
		return fmt.Errorf("%w: <%s status=%q> for an acknowledgement", ErrMalformed, answer.Tag, answer.SelectAttrValue("status", ""))
	}
	if status != exitOK && status != exitIndeterminate {
		return fmt.Errorf("pacemaker refused, with its exit status %d", status)
	}
	return nil
}

// event waits for the next event that is a <notify> of type kind, and gives it with
// the time it came.
func (c *client) event(ctx context.Context, kind string) (*etree.Element, time.Time, error) {
	for {
		e, err := c.conn.Event(ctx)
		if err != nil {
			return nil, time.Time{}, err
		}
		root, err := parseEvent(e.Data)
		if err != nil {
			return nil, time.Time{}, err
		}
		if root.Tag == "notify" && root.SelectAttrValue("t", "") == kind {
			return root, e.Received, nil
		}
	}
}

func parseEvent(b []byte) (*etree.Element, error) {
	f, err := unframe(b)
	if err != nil {
		return nil, err
	}
	return parse(f.xml())
}

// read parses a document and gives its root.
func read(xml []byte) (*etree.Element, error) { return parse(bytes.NewReader(xml)) }

func parse(xml io.Reader) (*etree.Element, error) {
	doc := etree.NewDocument()
	if _, err := doc.ReadFrom(xml); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if doc.Root() == nil {
		return nil, fmt.Errorf("%w: a document without a root", ErrMalformed)
	}
	return doc.Root(), nil
}

func write(root *etree.Element) ([]byte, error) {
	doc := etree.NewDocument()
	doc.SetRoot(root)
	return doc.WriteToBytes()
}

// element makes an element with attributes, given as name, value, name, value.
func element(tag string, attributes ...string) *etree.Element {
	e := etree.NewElement(tag)
	for i := 0; i+1 < len(attributes); i += 2 {
		e.CreateAttr(attributes[i], attributes[i+1])
	}
	return e
}

// number is an attribute that is a whole number; absent is 0.
func number[T int | int64](e *etree.Element, name string) (T, error) {
	text := e.SelectAttrValue(name, "0")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || int64(T(n)) != n {
		return 0, fmt.Errorf("%w: <%s %s=%q>", ErrMalformed, e.Tag, name, text)
	}
	return T(n), nil
}
