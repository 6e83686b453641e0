package cib_test

import (
	"testing"

	"github.com/beevik/etree"

	"holdfast/cib"
)

// FuzzApply applies anything to anything: it never panics, ends with the version that
// was announced or with an error, and has no use for the document after an error.
func FuzzApply(f *testing.F) {
	f.Add([]byte(small), []byte(patch("")))
	f.Add([]byte(small), []byte(patch(`<change operation="delete" path="/cib/status"/><change operation="create" path="/cib" position="0"><status/></change>`)))
	f.Add([]byte(small), []byte(patch(`<change operation="move" path="/cib/status" position="0"/><change operation="delete" path="/cib/comment" position="1"/>`)))
	f.Add([]byte(`<cib><!--c--></cib>`), []byte(`<diff format="2"><version><source/><target/></version><change operation="delete" path="/cib/comment" position="0"/></diff>`))
	f.Fuzz(func(t *testing.T, before, diff []byte) {
		d, err := cib.Parse(before)
		if err != nil {
			return
		}
		doc := etree.NewDocument()
		if doc.ReadFromBytes(diff) != nil || doc.Root() == nil {
			return
		}
		_, target, _ := cib.Versions(doc.Root())
		_, err = d.Apply(doc.Root())
		d.State()
		d.Digest()
		if err != nil {
			if _, again := d.Apply(doc.Root()); again == nil {
				t.Error("a document is used after", err)
			}
			return
		}
		if d.Version() != target {
			t.Errorf("version %v instead of %v", d.Version(), target)
		}
	})
}
