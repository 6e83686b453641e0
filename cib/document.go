package cib

import (
	"errors"
	"fmt"

	"github.com/beevik/etree"
)

var (
	// ErrMalformed is something that is no CIB, or no patchset, of Pacemaker.
	ErrMalformed = errors.New("this is not what Pacemaker writes")

	// ErrGap is a patchset that does not continue the document's version.
	ErrGap = errors.New("the patchset does not continue the CIB that we know")

	// ErrDiverged is a patchset after which the document is not what Pacemaker has: it
	// names an element that is not there, or has another digest or version.
	ErrDiverged = errors.New("the CIB that we know is not Pacemaker's any more")

	// ErrStale is a document that an earlier error made unusable.
	ErrStale = errors.New("the CIB must be read anew")
)

// Document is a copy of a CIB. It is for one goroutine at a time.
type Document struct {
	root    *etree.Element
	version Version
	stale   bool
	// untold is what a patchset that failed has changed: nobody was told.
	untold []Change
	index  index
	pool   *pool
}

// Parse makes a document from XML, as cibadmin --query prints it.
func Parse(xml []byte) (*Document, error) {
	d := etree.NewDocument()
	if err := d.ReadFromBytes(xml); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return New(d.Root())
}

// New makes a document from a <cib> element, which belongs to it from then on.
func New(root *etree.Element) (*Document, error) {
	if root == nil || root.Tag != "cib" {
		return nil, fmt.Errorf("%w: no <cib> at the top", ErrMalformed)
	}
	version, err := VersionOf(root)
	if err != nil {
		return nil, err
	}
	if p := root.Parent(); p != nil {
		p.RemoveChild(root)
	}
	strip(root)
	d := &Document{root: root, version: version, index: index{}, pool: newPool()}
	d.pool.compact(root)
	return d, nil
}

// strip removes all that Pacemaker does not keep, so that positions mean the same:
// elements and comments stay (pcmk__strip_xml_text in lib/common/xml.c).
func strip(e *etree.Element) {
	for i := len(e.Child) - 1; i >= 0; i-- {
		if !kept(e.Child[i]) {
			e.RemoveChildAt(i)
		} else if c, ok := e.Child[i].(*etree.Element); ok {
			strip(c)
		}
	}
}

// kept says whether Pacemaker keeps something: elements and comments.
func kept(t etree.Token) bool {
	switch t.(type) {
	case *etree.Element, *etree.Comment:
		return true
	}
	return false
}

// Version is the version that the document has.
func (d *Document) Version() Version { return d.version }

// XML writes the document.
func (d *Document) XML() ([]byte, error) {
	doc := etree.NewDocument()
	doc.SetRoot(d.root.Copy())
	return doc.WriteToBytes()
}

// Replace gives the document a new content, as a query returned it, and tells what is
// different from before. What happened in between and was undone stays unknown.
func (d *Document) Replace(root *etree.Element) ([]Change, error) {
	replacement, err := New(root)
	if err != nil {
		return nil, err
	}
	changes := replacement.Since(d.Told())
	*d = *replacement
	return changes, nil
}

// Since tells what is different from what another document told: who reads a CIB anew
// can let go of the one before, and keep what it told.
func (d *Document) Since(told []Fact) []Change {
	var c changes
	for _, f := range told {
		c.gone(f)
	}
	for _, f := range facts(d.root) {
		c.there(f)
	}
	return c.list()
}

// Told are the facts as those know them who were told all changes. They are fewer than
// Facts, or others, after a patchset that failed in the middle.
func (d *Document) Told() []Fact {
	untold := map[identity]bool{}
	var all []Fact
	for _, c := range d.untold {
		if c.Before == nil {
			untold[c.After.identity()] = true
			continue
		}
		untold[c.Before.identity()] = true
		all = append(all, c.Before)
	}
	for _, f := range facts(d.root) {
		if !untold[f.identity()] {
			all = append(all, f)
		}
	}
	return all
}
