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

// TestStormOfDiffs makes the CIB manager announce 20,000 results of the thousand resources
// that tests/cluster has made. It changes the CIB, which only a test may do.
func TestStormOfDiffs(t *testing.T) {
	const diffs = 20_000
	// As fast as it answers, the CIB manager evicts Pacemaker's own controller, which has the
	// scheduler run again after each result.
	pace := time.NewTicker(25 * time.Millisecond)
	defer pace.Stop()
	c := client{conn: dial(t, "cib_rw")}
	begin, refused := time.Now(), 0
	for i := range diffs {
		<-pace.C
		answer, err := answered(t.Context(), &c, i)
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

// answered gives one of the resources a result of a probe on one of the nodes.
func answered(ctx context.Context, c *client, i int) (*etree.Element, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	node, resource := i%3+1, fmt.Sprintf("storm%d", i*37%1000)
	key := fmt.Sprintf("%d:1:7:00000000-0000-0000-0000-000000000000", i)
	doc := etree.NewDocument()
	if err := doc.ReadFromString(fmt.Sprintf(`<cib_calldata><status><node_state id="%d"><lrm id="%d"><lrm_resources><lrm_resource id="%s" type="Dummy" class="ocf" provider="pacemaker">`+
		`<lrm_rsc_op id="%s_last_0" operation_key="%s_monitor_0" operation="monitor" crm-debug-origin="do_update_resource" crm_feature_set="3.16.1" transition-key="%s" `+
		`transition-magic="0:7;%s" exit-reason="" on_node="db%d" call-id="%d" rc-code="7" op-status="0" interval="0" last-rc-change="%d" exec-time="9" queue-time="0" `+
		`op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/></lrm_resource></lrm_resources></lrm></node_state></status></cib_calldata>`,
		node, node, resource, resource, resource, key, key, node, i+1000, time.Now().Unix())); err != nil {
		return nil, err
	}
	command := element("cib_command", "t", "cib", "cib_op", "cib_modify", "cib_section", "status",
		"cib_callid", strconv.Itoa(i+1), "cib_callopt", strconv.Itoa(callSync))
	command.AddChild(doc.Root())
	return c.ask(ctx, command)
}
