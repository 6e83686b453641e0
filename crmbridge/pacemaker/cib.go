package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"holdfast/cib"
)

// Options of a CIB command (enum cib_call_options).
const (
	callLocal = 0x100  // of this node, which all others equal once it has their changes
	callSync  = 0x1000 // the answer comes as the response
)

// Snapshot is the whole CIB at one moment.
type Snapshot struct {
	Version cib.Version
	CIB     *etree.Element // <cib>
	// Asked is when the question was sent: every patch that is not in the answer came
	// after that, and perhaps before the answer had been read.
	Asked time.Time
}

// Patch is a change of the CIB, from one version to the next.
type Patch struct {
	Received       time.Time
	Operation      string // cib_modify, cib_delete, cib_apply_diff, cib_replace, ...
	Client, User   string // who asked for it, where Pacemaker says so
	Source, Target cib.Version
	// Diff is the <diff format="2">: a <version> and any number of <change>.
	Diff *etree.Element
}

// ErrGap is a patch that does not continue what was received before: something was
// missed, or the CIB was replaced. Query says what is there now.
var ErrGap = errors.New("the change does not follow the CIB that we know")

// CIB follows the CIB on a connection to ServiceCIB. Its methods may be used by one
// goroutine at a time.
type CIB struct {
	client
	calls int
	known cib.Version
	// behind says that patches up to known are still on their way: they were sent
	// before the query was answered.
	behind bool
}

// OpenCIB registers with the CIB manager and subscribes to the changes.
func OpenCIB(ctx context.Context, c conn) (*CIB, error) {
	follower := &CIB{client: client{conn: c}}
	register := element("cib_command", "t", "cib", "cib_op", "register", "cib_clientname", clientName, "cib_callopt", strconv.Itoa(callSync))
	answer, err := follower.ask(ctx, register)
	if err != nil {
		return nil, fmt.Errorf("register with the CIB manager: %w", err)
	}
	if answer.SelectAttrValue("cib_clientid", "") == "" {
		return nil, fmt.Errorf("register with the CIB manager: %w: <%s> without a client id", ErrMalformed, answer.Tag)
	}
	subscribe := element("cib-callback", "cib_op", "cib_notify", "cib_notify_type", "cib_diff_notify", "cib_notify_activate", "1")
	if err := follower.tell(ctx, subscribe); err != nil {
		return nil, fmt.Errorf("subscribe to the changes of the CIB: %w", err)
	}
	return follower, nil
}

// Follow queries the CIB. From then on Next gives what happens to it, without a gap and
// without a repetition: the subscription came first, and what the answer already
// contains is dropped.
func (c *CIB) Follow(ctx context.Context) (Snapshot, error) {
	s, err := c.query(ctx)
	if err != nil {
		return Snapshot{}, fmt.Errorf("query the CIB: %w", err)
	}
	c.known, c.behind = s.Version, true
	return s, nil
}

func (c *CIB) query(ctx context.Context) (Snapshot, error) {
	asked := time.Now()
	root, err := c.root(ctx, 0)
	if err != nil {
		return Snapshot{}, err
	}
	version, err := cib.VersionOf(root)
	return Snapshot{Version: version, CIB: root, Asked: asked}, err
}

// root queries the CIB, with options beside those of every query.
func (c *CIB) root(ctx context.Context, options int) (*etree.Element, error) {
	c.calls++
	request := element("cib_command", "t", "cib", "cib_op", "cib_query",
		"cib_callid", strconv.Itoa(c.calls), "cib_callopt", strconv.Itoa(callSync|callLocal|options))
	answer, err := c.ask(ctx, request)
	if err != nil {
		return nil, err
	}
	rc, err := number[int](answer, "cib_rc")
	if err != nil {
		return nil, err
	}
	if rc != 0 {
		return nil, fmt.Errorf("pacemaker refused, with its return code %d", rc)
	}
	root := answer.FindElement("./cib_calldata/cib")
	if root == nil {
		return nil, fmt.Errorf("%w: <%s> without a CIB", ErrMalformed, answer.Tag)
	}
	return root, nil
}

// Next waits for the next change after Follow. With ErrGap the patch is what came, and
// the CIB must be queried again, by Follow; until then every Next gives ErrGap.
func (c *CIB) Next(ctx context.Context) (Patch, error) {
	for {
		p, err := c.next(ctx)
		if err != nil {
			return Patch{}, fmt.Errorf("follow the CIB: %w", err)
		}
		switch followed(c.known, c.behind, p) {
		case stale:
			continue
		case gap:
			c.known, c.behind = cib.Version{AdminEpoch: -1}, false // nothing follows this
			return p, fmt.Errorf("%w: it goes from %v to %v", ErrGap, p.Source, p.Target)
		case follows:
			c.known, c.behind = p.Target, false
		}
		return p, nil
	}
}

type verdict int

const (
	stale verdict = iota + 1
	follows
	gap
)

// followed tells how a patch relates to the known version. Only right after a query
// may a patch be older than it.
func followed(known cib.Version, behind bool, p Patch) verdict {
	switch {
	case behind && p.Target.Compare(known) <= 0:
		return stale
	case p.Source == known:
		return follows
	}
	return gap
}

// next gives the next patch that Pacemaker announces, leaving out failed updates.
func (c *CIB) next(ctx context.Context) (Patch, error) {
	for {
		root, received, err := c.event(ctx, "cib_notify")
		if err != nil {
			return Patch{}, err
		}
		p, ok, err := parsePatch(root)
		if p.Received = received; err != nil || ok {
			return p, err
		}
	}
}

// ParsePatch parses the XML of an event of the CIB manager, as a recording holds it. It
// gives false for one that is no patch, or tells of an update that failed.
func ParsePatch(xml []byte) (Patch, bool, error) {
	root, err := read(xml)
	if err != nil {
		return Patch{}, false, err
	}
	return parsePatch(root)
}

func parsePatch(root *etree.Element) (Patch, bool, error) {
	rc, err := number[int](root, "cib_rc")
	if err != nil || rc != 0 || root.SelectAttrValue("subt", "") != "cib_diff_notify" {
		return Patch{}, false, err
	}
	diff := root.FindElement("./cib_update_result/diff")
	if diff == nil {
		return Patch{}, false, nil
	}
	if format := diff.SelectAttrValue("format", "1"); format != "2" {
		return Patch{}, false, fmt.Errorf("%w: a patch in format %s", ErrMalformed, format)
	}
	p := Patch{Operation: root.SelectAttrValue("cib_op", ""), Diff: diff}
	if by := root.FindElement("./cib_generation/generation_tuple"); by != nil {
		p.Client, p.User = by.SelectAttrValue("update-client", ""), by.SelectAttrValue("update-user", "")
	}
	if p.Source, p.Target, err = cib.Versions(diff); err != nil {
		return Patch{}, false, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return p, true, nil
}
