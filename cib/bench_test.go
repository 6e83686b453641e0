package cib_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"holdfast/cib"
)

// large is a CIB of 1,000 resources with a history on each of three nodes.
func large() string {
	var b strings.Builder
	b.WriteString(`<cib admin_epoch="0" epoch="3" num_updates="0" have-quorum="1" dc-uuid="2"><configuration><nodes/><resources>`)
	for r := range 1000 {
		fmt.Fprintf(&b, `<primitive id="r%d" class="ocf" provider="pacemaker" type="Dummy"/>`, r)
	}
	b.WriteString(`</resources><constraints/></configuration><status>`)
	for n := 1; n <= 3; n++ {
		fmt.Fprintf(&b, `<node_state id="%d" uname="db%d" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="%d"><lrm_resources>`, n, n, n)
		for r := range 1000 {
			fmt.Fprintf(&b, `<lrm_resource id="r%d" class="ocf" provider="pacemaker" type="Dummy">%s%s</lrm_resource>`, r, history(r, "last_0", 1), history(r, "monitor_10000", 2))
		}
		b.WriteString(`</lrm_resources></lrm></node_state>`)
	}
	b.WriteString(`</status></cib>`)
	return b.String()
}

func history(r int, entry string, call int) string {
	return fmt.Sprintf(`<lrm_rsc_op id="r%d_%s" operation_key="r%d_start_0" operation="start" crm-debug-origin="do_update_resource" crm_feature_set="3.16.1" transition-key="%d:14:0:5d6439bf-c450-9d75-61a6-a36031971780" transition-magic="0:0;%d:14:0:5d6439bf-c450-9d75-61a6-a36031971780" exit-reason="" on_node="db1" call-id="%d" rc-code="0" op-status="0" interval="0" last-rc-change="1795438190" exec-time="143" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/>`,
		r, entry, r, r, r, call)
}

// storm makes n patchsets, each a result of another resource.
func storm(n int) []*etree.Element {
	var patches []*etree.Element
	for i := range n {
		r, node := i*37%1000, i%3+1
		text := fmt.Sprintf(`<diff format="2"><version><source admin_epoch="0" epoch="3" num_updates="%d"/><target admin_epoch="0" epoch="3" num_updates="%d"/></version>`+
			`<change operation="modify" path="/cib"><change-list><change-attr name="num_updates" operation="set" value="%d"/></change-list><change-result><cib admin_epoch="0" epoch="3" num_updates="%d" have-quorum="1" dc-uuid="2"/></change-result></change>`+
			`<change operation="modify" path="/cib/status/node_state[@id='%d']/lrm[@id='%d']/lrm_resources/lrm_resource[@id='r%d']/lrm_rsc_op[@id='r%d_last_0']"><change-list/><change-result>%s</change-result></change></diff>`,
			i, i+1, i+1, i+1, node, node, r, r, history(r, "last_0", i+10))
		d := etree.NewDocument()
		if err := d.ReadFromString(text); err != nil {
			panic(err)
		}
		patches = append(patches, d.Root())
	}
	return patches
}

// BenchmarkStorm is 20,000 patchsets on a CIB of 1,000 resources: one operation is one
// patchset.
func BenchmarkStorm(b *testing.B) {
	const n = 20_000
	patches := storm(n)
	text := large()
	var d *cib.Document
	i := n
	for b.Loop() {
		if i == n {
			b.StopTimer()
			d, i = parse(b, []byte(text)), 0
			b.StartTimer()
		}
		if changes, err := d.Apply(patches[i]); err != nil || len(changes) != 1 {
			b.Fatal(len(changes), err)
		}
		i++
	}
}

// BenchmarkParse is what every poll of the same CIB costs beside getting it: reading the
// text and all that it says.
func BenchmarkParse(b *testing.B) {
	text := []byte(large())
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if s := parse(b, text).State(); len(s.Operations) != 6000 {
			b.Fatal(len(s.Operations))
		}
	}
}

// BenchmarkDigest is what a check costs, once a minute.
func BenchmarkDigest(b *testing.B) {
	d := parse(b, []byte(large()))
	for b.Loop() {
		d.Digest()
	}
}

// TestMemory is what the copy of a CIB costs for as long as it is kept.
func TestMemory(t *testing.T) {
	var before, after runtime.MemStats
	text := []byte(large())
	runtime.GC()
	runtime.ReadMemStats(&before)
	d := parse(t, text)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(text)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d kB of text, %d kB kept, version %v", len(text)>>10, kept>>10, d.Version())
	if kept > 64<<20 {
		t.Errorf("%d MB for a CIB of 1,000 resources", kept>>20)
	}
}
