package cib

import (
	"hash/maphash"

	"github.com/beevik/etree"
)

// pool gives equal strings the same memory: names of attributes and most of their values
// are in a CIB thousands of times. It is a cache of a fixed size, not a table of all that
// was ever seen, because a CIB that is followed for years sees no end of values.
type pool struct {
	seed maphash.Seed
	kept [poolSize]string
}

// poolSize is enough for the names and the values that many operations share.
const poolSize = 1024

func newPool() *pool { return &pool{seed: maphash.MakeSeed()} }

func (p *pool) string(s string) string {
	if s == "" {
		return ""
	}
	place := &p.kept[maphash.String(p.seed, s)%poolSize]
	if *place != s {
		*place = s
	}
	return *place
}

// compact makes an element and all below it as small as they can be: etree lets slices
// grow by doubling, and the parser makes a string of each name.
func (p *pool) compact(e *etree.Element) {
	e.Space, e.Tag = p.string(e.Space), p.string(e.Tag)
	if cap(e.Attr) > len(e.Attr) {
		e.Attr = append(make([]etree.Attr, 0, len(e.Attr)), e.Attr...)
	}
	for i := range e.Attr {
		a := &e.Attr[i]
		a.Space, a.Key, a.Value = p.string(a.Space), p.string(a.Key), p.string(a.Value)
	}
	if cap(e.Child) > len(e.Child) {
		e.Child = append(make([]etree.Token, 0, len(e.Child)), e.Child...)
	}
	for _, c := range e.Child {
		if c, ok := c.(*etree.Element); ok {
			p.compact(c)
		}
	}
}

// copy makes a small copy of what Pacemaker keeps of an element. etree's own keeps the
// whole document that the element is from, by way of its attributes.
func (p *pool) copy(from *etree.Element) *etree.Element {
	e := etree.NewElement(p.string(from.FullTag()))
	p.take(e, from.Attr)
	children := 0
	for _, t := range from.Child {
		if kept(t) {
			children++
		}
	}
	if children > 0 {
		e.Child = make([]etree.Token, 0, children)
	}
	for _, t := range from.Child {
		switch c := t.(type) {
		case *etree.Element:
			e.AddChild(p.copy(c))
		case *etree.Comment:
			e.AddChild(etree.NewComment(c.Data))
		}
	}
	return e
}

// take gives an element the attributes of another, in the memory that it has if they fit.
func (p *pool) take(e *etree.Element, attributes []etree.Attr) {
	if cap(e.Attr) < len(attributes) {
		e.Attr = make([]etree.Attr, 0, len(attributes))
	}
	clear(e.Attr)
	e.Attr = e.Attr[:0]
	for _, a := range attributes {
		e.CreateAttr(p.string(a.FullKey()), p.string(a.Value))
	}
}
