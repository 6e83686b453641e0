//go:build lab

package pacemaker

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/beevik/etree"
)

// TestStormOfDiffs makes the CIB managers announce 20,000 changes of the histories of the thousand
// resources that tests/cluster has made: probes that have begun, of which Pacemaker's own controller
// makes nothing. After results it would have the scheduler run each time, which takes longer than a
// change, and be evicted itself. It changes the CIB, which only a test may do.
func TestStormOfDiffs(t *testing.T) {
	const diffs = 20_000
	c := client{conn: dial(t, "cib_rw")}
	begin, refused := time.Now(), 0
	for i := range diffs {
		if i%1000 == 0 {
			t.Logf("%d after %v", i, time.Since(begin).Round(time.Second))
		}
		answer, err := beginsProbe(t.Context(), &c, i)
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		if answer.SelectAttrValue("cib_rc", "0") != "0" {
			refused++
		}
	}
	took := time.Since(begin)
	t.Logf("%d changes in %v, %.0f a second; %d were refused", diffs, took.Round(time.Second), diffs/took.Seconds(), refused)
	if refused > diffs/100 {
		t.Error("most of the storm did not happen")
	}
}

// beginsProbe lets a probe of one of the resources begin on one of the nodes.
func beginsProbe(ctx context.Context, c *client, i int) (*etree.Element, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	node, resource := i%3+1, fmt.Sprintf("storm%d", i*37%1000)
	key := fmt.Sprintf("%d:1:7:00000000-0000-0000-0000-000000000000", i)
	doc := etree.NewDocument()
	if err := doc.ReadFromString(fmt.Sprintf(`<cib_calldata><status><node_state id="%d"><lrm id="%d"><lrm_resources><lrm_resource id="%s" type="Dummy" class="ocf" provider="pacemaker">`+
		`<lrm_rsc_op id="%s_last_0" operation_key="%s_monitor_0" operation="monitor" crm-debug-origin="do_update_resource" crm_feature_set="3.16.1" transition-key="%s" `+
		`transition-magic="-1:193;%s" exit-reason="" on_node="db%d" call-id="-1" rc-code="193" op-status="-1" interval="0" last-rc-change="%d" exec-time="0" queue-time="0" `+
		`op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/></lrm_resource></lrm_resources></lrm></node_state></status></cib_calldata>`,
		node, node, resource, resource, resource, key, key, node, time.Now().Unix())); err != nil {
		return nil, err
	}
	command := element("cib_command", "t", "cib", "cib_op", "cib_modify", "cib_section", "status",
		"cib_callid", strconv.Itoa(i+1), "cib_callopt", strconv.Itoa(callSync))
	command.AddChild(doc.Root())
	return c.ask(ctx, command)
}
