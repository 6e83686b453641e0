package cib

import (
	"bufio"
	"crypto/md5" // Pacemaker's choice: it finds differences, not forgers
	"encoding/hex"
	"fmt"

	"github.com/beevik/etree"
)

// Digest is the digest that Pacemaker adds to a patchset once a minute
// (calculate_xml_digest_v2 in lib/common/digest.c): MD5 over the text without the
// attributes that say who wrote it.
func (d *Document) Digest() string {
	sum := md5.New()
	w := digestWriter{bufio.NewWriter(sum)}
	w.element(d.root)
	_ = w.to.Flush() // a hash has no errors
	return hex.EncodeToString(sum.Sum(nil))
}

// digestWriter collects what a hash would take a copy of, piece by piece.
type digestWriter struct{ to *bufio.Writer }

func (w digestWriter) text(pieces ...string) {
	for _, s := range pieces {
		_, _ = w.to.WriteString(s) // Flush says
	}
}

func (w digestWriter) element(e *etree.Element) {
	w.text("<", e.FullTag())
	for _, a := range e.Attr {
		if !unfiltered(a.FullKey()) {
			continue
		}
		w.text(" ", a.FullKey(), `="`)
		w.escaped(a.Value)
		w.text(`"`)
	}
	if len(e.Child) == 0 {
		w.text("/>")
		return
	}
	w.text(">")
	for _, t := range e.Child {
		switch c := t.(type) {
		case *etree.Element:
			w.element(c)
		case *etree.Comment:
			w.text("<!--", c.Data, "-->")
		}
	}
	w.text("</", e.FullTag(), ">")
}

// unfiltered says whether an attribute counts (pcmk__xa_filterable).
func unfiltered(name string) bool {
	switch name {
	case "crm-debug-origin", "cib-last-written", "update-origin", "update-client", "update-user":
		return false
	}
	return true
}

// escaped writes a value as crm_xml_escape does, which leaves everything as it is after
// the first letter that is not ASCII.
func (w digestWriter) escaped(s string) {
	for i := range len(s) {
		switch b := s[i]; {
		case b >= 0x80:
			w.text(s[i:])
			return
		case b == '<':
			w.text("&lt;")
		case b == '>':
			w.text("&gt;")
		case b == '"':
			w.text("&quot;")
		case b == '\'':
			w.text("&apos;")
		case b == '&':
			w.text("&amp;")
		case b == '\t':
			w.text("    ")
		case b == '\n':
			w.text(`\n`)
		case b == '\r':
			w.text(`\r`)
		case b < ' ' || b > '~':
			w.text(fmt.Sprintf(`\%.3o`, b))
		default:
			w.text(s[i : i+1])
		}
	}
}
