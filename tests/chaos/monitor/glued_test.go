package monitor

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/fault"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/sample"
)

// led keeps where the way of the glued client was led to.
type led struct {
	to   []string
	fail error
}

func (l *led) To(hardware net.HardwareAddr) error {
	l.to = append(l.to, hardware.String())
	return l.fail
}
func (l *led) Close() error { return nil }

func at(node string, last byte) sample.Answered {
	return sample.Answered{Node: node, Hardware: net.HardwareAddr{2, 0, 0, 0, 0, last}}
}

func TestGluedStaysWithTheOldOwner(t *testing.T) {
	var l led
	g := &glued{way: &l, first: make(chan struct{})}
	g.answered(at("db1", 1))
	select {
	case <-g.first:
	default:
		t.Error("the client may begin with the first answer")
	}
	g.answered(at("db1", 1))
	g.answered(at("db2", 2)) // moved before the fault
	g.stick()
	g.answered(at("db3", 3))
	if want := []string{"02:00:00:00:00:01", "02:00:00:00:00:02"}; !slices.Equal(l.to, want) || g.owner != "db2" {
		t.Errorf("led to %v and stays with %s, want %v and db2", l.to, g.owner, want)
	}
}

func TestGluedOrTheReasonWhyNot(t *testing.T) {
	for _, test := range []struct {
		name string
		see  func(o *observation)
		want string
	}{
		{"it stays", func(o *observation) { o.glued.answered(at("db1", 1)); o.stick() }, ""},
		{"nobody had the address", func(o *observation) { o.stick() }, "nobody answered ARP"},
		{"no permission", func(o *observation) { o.glued, o.unglued = nil, "operation not permitted" }, "operation not permitted"},
		{"it could not be led", func(o *observation) {
			o.glued.way = &led{fail: errors.New("no buffer space")}
			o.glued.answered(at("db1", 1))
			o.stick()
		}, "no buffer space"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := powerCut(t)
			o.glued = &glued{way: &led{}, first: make(chan struct{})}
			record := &client.Record{Client: client.Client{Kind: client.Glued, Number: 1}}
			record.Add(client.Attempt{Answer: mariadb.Outcome{Verdict: ledger.Acknowledged, Node: "db1"}})
			o.records = append(o.records, record)
			test.see(o)
			if got := o.gluedWords(); test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("said %q, want %q", got, test.want)
			}
			f := o.evaluate(Repetition{Fault: fault.Fault{Name: "power-cut"}}, fault.Bound{}, times{injected: 1000 * ms, end: 8000 * ms}, checked{})
			last := f.Clients[len(f.Clients)-1]
			if there := last.Kind == client.Glued; there != (test.want == "") || there && last.Node != "db1" {
				t.Errorf("the last client is %s %s", last.Kind, last.Node)
			}
		})
	}
}
