package cib

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/beevik/etree"
)

// Apply brings the document to the next version by a patchset, a <diff format="2">, and
// tells what changed. The patchset is not kept and stays as it is.
//
// Errors: ErrGap, ErrMalformed, ErrDiverged; after each the document is stale, and
// gives ErrStale until Replace.
func (d *Document) Apply(diff *etree.Element) ([]Change, error) {
	if d.stale {
		return nil, ErrStale
	}
	c, err := d.apply(diff)
	if err != nil {
		d.stale = true
		return nil, fmt.Errorf("apply a patchset to version %v of the CIB: %w", d.version, err)
	}
	return c, nil
}

func (d *Document) apply(diff *etree.Element) ([]Change, error) {
	source, target, err := Versions(diff)
	if err != nil {
		return nil, err
	}
	if source != d.version {
		return nil, fmt.Errorf("%w: it goes from %v to %v", ErrGap, source, target)
	}
	a := application{document: d}
	err = a.all(diff, target)
	changes := a.changes.list()
	if err != nil {
		d.untold = changes
		return nil, err
	}
	return changes, nil
}

// all applies a patchset, and checks what it makes.
func (a *application) all(diff *etree.Element, target Version) error {
	for _, change := range diff.SelectElements("change") {
		if err := a.first(change); err != nil {
			return err
		}
	}
	if err := a.second(); err != nil {
		return err
	}
	d := a.document
	var err error
	if d.version, err = VersionOf(d.root); err != nil {
		return err
	}
	if d.version != target {
		return fmt.Errorf("%w: version %v instead of %v", ErrDiverged, d.version, target)
	}
	if want := diff.SelectAttrValue("digest", ""); want != "" {
		if got := d.Digest(); got != want {
			return fmt.Errorf("%w: version %v has the digest %s instead of %s", ErrDiverged, target, got, want)
		}
	}
	return nil
}

// Versions are those that a patchset goes from and to.
func Versions(diff *etree.Element) (source, target Version, err error) {
	if diff == nil || diff.Tag != "diff" || diff.SelectAttrValue("format", "1") != "2" {
		return source, target, fmt.Errorf("%w: no <diff format=\"2\">", ErrMalformed)
	}
	for name, to := range map[string]*Version{"source": &source, "target": &target} {
		e := diff.FindElement("./version/" + name)
		if e == nil {
			return source, target, fmt.Errorf("%w: a patchset without its <%s>", ErrMalformed, name)
		}
		if *to, err = VersionOf(e); err != nil {
			return source, target, err
		}
	}
	return source, target, nil
}

// application is a patchset on its way into a document. As in Pacemaker, what is
// deleted and modified comes first, and what is created and moved second, by position.
type application struct {
	document *Document
	later    []placement
	changes  changes
}

// placement puts a child in its place: a new one into its parent, or one that moves.
type placement struct {
	parent   *etree.Element
	child    etree.Token
	isNew    bool
	position int
}

func (a *application) first(change *etree.Element) error {
	operation, path := change.SelectAttrValue("operation", ""), change.SelectAttrValue("path", "")
	position, err := positionOf(change)
	if err != nil {
		return err
	}
	if operation == "delete" && position >= 0 {
		if done, err := a.deleteComment(path, position); done || err != nil {
			return err
		}
	}
	e, err := a.document.find(path)
	if err != nil {
		return err
	}
	if e == nil {
		if operation == "delete" { // as good as done, also for Pacemaker
			return nil
		}
		return fmt.Errorf("%w: nothing at %s to %s", ErrDiverged, path, operation)
	}
	switch operation {
	case "modify":
		return a.modify(e, change)
	case "delete":
		return a.delete(e)
	case "create":
		return a.create(e, change, position)
	case "move":
		return a.move(e, position)
	}
	return fmt.Errorf("%w: the operation %q", ErrMalformed, operation)
}

// find follows a path; nil if it leads nowhere.
func (d *Document) find(path string) (*etree.Element, error) {
	steps, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	e := d.root
	if first := steps[0]; first.tag != e.Tag || first.id != "" && first.id != e.SelectAttrValue("id", "") {
		return nil, nil
	}
	for _, s := range steps[1:] {
		if e = d.index.child(e, s); e == nil {
			return nil, nil
		}
	}
	return e, nil
}

// positionOf is a change's position among the children of its parent, or -1.
func positionOf(change *etree.Element) (int, error) {
	text := change.SelectAttrValue("position", "")
	if text == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: <change position=%q>", ErrMalformed, text)
	}
	return n, nil
}

// deleteComment removes a comment, the only thing that a position alone identifies: its
// path ends with the name that libxml2 gives to comments.
func (a *application) deleteComment(path string, position int) (bool, error) {
	steps, err := parsePath(path)
	if err != nil || len(steps) < 2 || steps[len(steps)-1].tag != "comment" {
		return false, err
	}
	parent := a.document.root
	for _, s := range steps[1 : len(steps)-1] {
		if parent = a.document.index.child(parent, s); parent == nil {
			return true, nil
		}
	}
	if position < len(parent.Child) {
		if _, ok := parent.Child[position].(*etree.Comment); ok {
			parent.RemoveChildAt(position)
		}
	}
	return true, nil
}

func (a *application) modify(e, change *etree.Element) error {
	var result *etree.Element
	if r := change.SelectElement("change-result"); r != nil && len(r.ChildElements()) > 0 {
		result = r.ChildElements()[0]
	}
	if result == nil {
		return fmt.Errorf("%w: a modification without its result", ErrMalformed)
	}
	if f := factOf(e); f != nil {
		a.changes.gone(f)
	}
	if e.SelectAttrValue("id", "") != result.SelectAttrValue("id", "") && e.Parent() != nil {
		delete(a.document.index, e.Parent())
	}
	a.document.pool.take(e, result.Attr)
	if f := factOf(e); f != nil {
		a.changes.there(f)
	}
	return nil
}

func (a *application) delete(e *etree.Element) error {
	parent := e.Parent()
	if parent == nil {
		return fmt.Errorf("%w: the whole CIB deleted", ErrMalformed)
	}
	for _, f := range facts(e) {
		a.changes.gone(f)
	}
	parent.RemoveChild(e)
	a.document.index.removed(parent, e)
	return nil
}

func (a *application) create(parent, change *etree.Element, position int) error {
	for _, t := range change.Child {
		p := placement{parent: parent, isNew: true, position: max(position, 0)}
		switch c := t.(type) {
		case *etree.Element:
			p.child = a.document.pool.copy(c)
		case *etree.Comment:
			p.child = etree.NewComment(c.Data)
		default:
			continue
		}
		a.later = append(a.later, p)
		return nil
	}
	return fmt.Errorf("%w: a creation of nothing", ErrMalformed)
}

// move takes the element out of its place, so that the positions of the others are
// those that the patchset means.
func (a *application) move(e *etree.Element, position int) error {
	parent := e.Parent()
	if parent == nil || position < 0 {
		return fmt.Errorf("%w: a move to position %d", ErrMalformed, position)
	}
	parent.AddChild(e) // behind its siblings
	a.later = append(a.later, placement{parent: parent, child: e, position: position})
	return nil
}

func (a *application) second() error {
	slices.SortStableFunc(a.later, func(p, q placement) int { return cmp.Compare(p.position, q.position) })
	for _, p := range a.later {
		if !p.isNew {
			p.parent.RemoveChild(p.child)
		}
		if p.position < len(p.parent.Child) {
			p.parent.InsertChildAt(p.position, p.child)
		} else {
			p.parent.AddChild(p.child)
		}
		if at := p.child.Index(); !p.isNew && at != p.position {
			return fmt.Errorf("%w: moved to position %d instead of %d", ErrDiverged, at, p.position)
		}
		e, ok := p.child.(*etree.Element)
		if !ok || !p.isNew {
			continue
		}
		a.document.index.added(p.parent, e)
		for _, f := range facts(e) {
			a.changes.there(f)
		}
	}
	return nil
}
