package cib

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

// step is a part of a patchset's path: a tag, and perhaps an id.
type step struct{ tag, id string }

// parsePath takes a path apart, as "/cib/status/node_state[@id='1']". Patchsets have no
// other predicate (pcmk__xml_element_path in lib/common/xml.c).
func parsePath(path string) ([]step, error) {
	var steps []step
	for rest := path; rest != ""; {
		if rest[0] != '/' {
			return nil, fmt.Errorf("%w: the path %q", ErrMalformed, path)
		}
		rest = rest[1:]
		end := strings.IndexAny(rest, "/[")
		if end < 0 {
			end = len(rest)
		}
		s := step{tag: rest[:end]}
		rest = rest[end:]
		if strings.HasPrefix(rest, "[") {
			id, after, ok := strings.Cut(strings.TrimPrefix(rest, "[@id='"), "']")
			if !ok || !strings.HasPrefix(rest, "[@id='") {
				return nil, fmt.Errorf("%w: the path %q", ErrMalformed, path)
			}
			s.id, rest = id, after
		}
		if s.tag == "" {
			return nil, fmt.Errorf("%w: the path %q", ErrMalformed, path)
		}
		steps = append(steps, s)
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("%w: an empty path", ErrMalformed)
	}
	return steps, nil
}

// index finds children by their ids, in elements with so many that a search costs.
type index map[*etree.Element]map[step]*etree.Element

// manyChildren is from how many children on an index pays.
const manyChildren = 16

// child finds the first child that a step means; nil if there is none.
func (x index) child(parent *etree.Element, s step) *etree.Element {
	if s.id == "" || len(parent.Child) < manyChildren {
		return search(parent, s)
	}
	known, ok := x[parent]
	if !ok {
		known = map[step]*etree.Element{}
		for _, t := range parent.Child {
			if e, ok := t.(*etree.Element); ok {
				key := step{e.Tag, e.SelectAttrValue("id", "")}
				if known[key] == nil {
					known[key] = e
				}
			}
		}
		x[parent] = known
	}
	if e := known[s]; e != nil {
		return e
	}
	// Perhaps there were two, and the first was removed.
	e := search(parent, s)
	if e != nil {
		known[s] = e
	}
	return e
}

func search(parent *etree.Element, s step) *etree.Element {
	for _, t := range parent.Child {
		e, ok := t.(*etree.Element)
		if ok && e.Tag == s.tag && (s.id == "" || e.SelectAttrValue("id", "") == s.id) {
			return e
		}
	}
	return nil
}

// added and removed keep the index right. An element of a tag and id that is there
// already is Pacemaker's error; then the index begins anew.
func (x index) added(parent, e *etree.Element) {
	known, ok := x[parent]
	if !ok {
		return
	}
	key := step{e.Tag, e.SelectAttrValue("id", "")}
	if known[key] != nil {
		delete(x, parent)
		return
	}
	known[key] = e
}

func (x index) removed(parent, e *etree.Element) {
	key := step{e.Tag, e.SelectAttrValue("id", "")}
	if known := x[parent]; known[key] == e {
		delete(known, key)
	}
	x.forget(e)
}

// forget drops what is known of a subtree.
func (x index) forget(e *etree.Element) {
	delete(x, e)
	for _, t := range e.Child {
		if c, ok := t.(*etree.Element); ok {
			x.forget(c)
		}
	}
}
