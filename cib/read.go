package cib

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// facts are what an element and all below it say, in the document's order.
func facts(e *etree.Element) []Fact {
	var all []Fact
	if f := factOf(e); f != nil {
		all = append(all, f)
	}
	for _, t := range e.Child {
		if c, ok := t.(*etree.Element); ok {
			all = append(all, facts(c)...)
		}
	}
	return all
}

// factOf is what an element itself says, or nil.
func factOf(e *etree.Element) Fact {
	parent := tagOf(e.Parent())
	switch {
	case e.Tag == "lrm_rsc_op" && parent == "lrm_resource":
		return readable(e, operationOf)
	case e.Tag == "nvpair":
		return pairOf(e)
	case e.Tag == "op" && parent == "operations" && isResource(e.Parent().Parent()):
		return readable(e, scheduleOf)
	case e.Tag == "node_state" && parent == "status":
		return readable(e, nodeStateOf)
	case e.Tag == "node" && parent == "nodes":
		return Node{ID: attr(e, "id"), Name: attr(e, "uname")}
	case e.Tag == "rsc_location" && parent == "constraints" && attr(e, "rsc") != "":
		return Constraint{ID: attr(e, "id"), Resource: attr(e, "rsc"), Node: attr(e, "node"), Role: attr(e, "role"), Score: attr(e, "score")}
	case e.Tag == "cib" && e.Parent() == nil:
		return Cluster{Quorate: IsTrue(attr(e, "have-quorum")), DC: attr(e, "dc-uuid")}
	case isResource(e):
		r := Resource{ID: attr(e, "id"), Kind: e.Tag, Class: attr(e, "class"), Provider: attr(e, "provider"), Type: attr(e, "type")}
		if parent != "resources" {
			r.Parent = attr(e.Parent(), "id")
		}
		return r
	}
	return nil
}

// readable is a fact, or an Unreadable that says why not.
func readable[F Fact](e *etree.Element, read func(*etree.Element) (F, error)) Fact {
	f, err := read(e)
	if err != nil {
		return Unreadable{Path: pathOf(e), Problem: err.Error()}
	}
	return f
}

// pathOf is an element's path in the form of patchsets.
func pathOf(e *etree.Element) string {
	if e == nil || e.Tag == "" {
		return ""
	}
	path := pathOf(e.Parent()) + "/" + e.Tag
	if id := attr(e, "id"); id != "" {
		path += "[@id='" + id + "']"
	}
	return path
}

// isResource tells resources from templates and from references to resources.
func isResource(e *etree.Element) bool {
	switch e.Tag {
	case "primitive", "group", "clone", "master", "bundle":
	default:
		return false
	}
	for p := e.Parent(); p != nil; p = p.Parent() {
		if p.Tag == "resources" {
			return true
		}
	}
	return false
}

// pairOf is what an <nvpair> says: it depends on where it is.
func pairOf(e *etree.Element) Fact {
	set := e.Parent()
	if set == nil || set.Parent() == nil {
		return nil
	}
	name, value, owner := attr(e, "name"), attr(e, "value"), set.Parent()
	switch {
	case set.Tag == "cluster_property_set":
		return Property{Set: attr(set, "id"), Name: name, Value: value}
	case set.Tag == "meta_attributes" && isResource(owner):
		return Setting{Resource: attr(owner, "id"), Name: name, Value: value}
	case set.Tag == "instance_attributes" && owner.Tag == "primitive" && attr(owner, "type") == "IPaddr2" && name == "ip" && isResource(owner):
		return Address{Resource: attr(owner, "id"), IP: value}
	case set.Tag == "instance_attributes" && owner.Tag == "node":
		return Attribute{NodeID: attr(owner, "id"), Node: attr(owner, "uname"), Name: name, Value: value}
	case set.Tag == "instance_attributes" && owner.Tag == "transient_attributes" && owner.Parent() != nil:
		node := owner.Parent()
		return Attribute{NodeID: attr(node, "id"), Node: attr(node, "uname"), Name: name, Value: value, Transient: true}
	}
	return nil
}

// scheduleOf reads an <op> of a resource.
func scheduleOf(e *etree.Element) (Schedule, error) {
	s := Schedule{ID: attr(e, "id"), Resource: attr(e.Parent().Parent(), "id"), Action: attr(e, "name"), Role: roleName(attr(e, "role"))}
	s.Disabled = attr(e, "enabled") != "" && !IsTrue(attr(e, "enabled"))
	var errs [2]error
	s.Interval, errs[0] = duration(e, "interval")
	s.Timeout, errs[1] = duration(e, "timeout")
	return s, errors.Join(errs[:]...)
}

// roleName is a role by the name that Pacemaker 2.1 gave it.
func roleName(role string) string {
	switch role {
	case "Master":
		return "Promoted"
	case "Slave":
		return "Unpromoted"
	}
	return role
}

// duration reads a time with Pacemaker's units (crm_get_msec in lib/common/utils.c);
// without one it is in seconds. Intervals of ISO 8601 are not read: nobody writes them.
func duration(e *etree.Element, name string) (time.Duration, error) {
	text := strings.TrimSpace(attr(e, name))
	if text == "" {
		return 0, nil
	}
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.ParseInt(text[:digits], 10, 32)
	unit, known := map[string]time.Duration{
		"": time.Second, "s": time.Second, "sec": time.Second, "ms": time.Millisecond, "msec": time.Millisecond,
		"us": time.Microsecond, "usec": time.Microsecond, "m": time.Minute, "min": time.Minute, "h": time.Hour, "hr": time.Hour,
	}[strings.TrimSpace(text[digits:])]
	if err != nil || !known {
		return 0, fmt.Errorf("%w: %s=%q", ErrMalformed, name, text)
	}
	return time.Duration(n) * unit, nil
}

// nodeStateOf reads a <node_state>. Since Pacemaker 2.1.7 in_ccm and crmd are times, 0
// for no, instead of words.
func nodeStateOf(e *etree.Element) (NodeState, error) {
	s := NodeState{ID: attr(e, "id"), Name: attr(e, "uname"), Join: attr(e, "join"), Expected: attr(e, "expected")}
	var errs [2]error
	s.Member, errs[0] = since(e, "in_ccm", "true", "false")
	s.Online, errs[1] = since(e, "crmd", "online", "offline")
	return s, errors.Join(errs[:]...)
}

func since(e *etree.Element, name, yes, no string) (bool, error) {
	switch text := attr(e, name); text {
	case yes:
		return true, nil
	case no, "":
		return false, nil
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return false, fmt.Errorf("%w: %s=%q", ErrMalformed, name, text)
		}
		return n != 0, nil
	}
}

// operationOf reads an <lrm_rsc_op>.
func operationOf(e *etree.Element) (Operation, error) {
	lrm := e.Parent()
	o := Operation{
		Resource: attr(lrm, "id"), Entry: attr(e, "id"), Action: attr(e, "operation"),
		Magic: attr(e, "transition-magic"), Reason: attr(e, "exit-reason"),
		// Written by build_active_RAs in daemons/controld/controld_execd.c.
		Refreshed: attr(e, "crm-debug-origin") == "build_active_RAs",
	}
	for p := lrm; p != nil; p = p.Parent() {
		if p.Tag == "node_state" {
			o.NodeID, o.Node = attr(p, "id"), attr(p, "uname")
		}
	}
	var changed int64
	n := numbers{e: e}
	n.read("call-id", func(v int64) { o.CallID = int(v) })
	n.read("op-status", func(v int64) { o.Status = Status(v) })
	n.read("rc-code", func(v int64) { o.RC = int(v) })
	n.read("interval", func(v int64) { o.Interval = time.Duration(v) * time.Millisecond })
	n.read("exec-time", func(v int64) { o.Exec = time.Duration(v) * time.Millisecond })
	n.read("queue-time", func(v int64) { o.Queued = time.Duration(v) * time.Millisecond })
	n.read("last-rc-change", func(v int64) { changed = v })
	if changed != 0 {
		o.Changed = time.Unix(changed, 0).UTC()
	}
	var err error
	if key := attr(e, "transition-key"); key != "" {
		o.Transition, err = parseTransition(key)
	}
	return o, errors.Join(n.err, err)
}

// numbers reads attributes that are numbers; an absent one stays what it is.
type numbers struct {
	e   *etree.Element
	err error
}

func (n *numbers) read(name string, to func(int64)) {
	text := attr(n.e, name)
	if text == "" {
		return
	}
	v, err := strconv.ParseInt(text, 10, 32)
	if err != nil && name == "last-rc-change" { // beyond 32 bits from 2038 on
		v, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		n.err = errors.Join(n.err, fmt.Errorf("%w: %s=%q", ErrMalformed, name, text))
		return
	}
	to(v)
}

// parseTransition reads a transition key, "action:transition:target:DC"
// (decode_transition_key in lib/common/actions.c).
func parseTransition(key string) (Transition, error) {
	parts := strings.SplitN(key, ":", 4)
	if len(parts) != 4 {
		return Transition{}, fmt.Errorf("%w: transition-key=%q", ErrMalformed, key)
	}
	t := Transition{DC: parts[3]}
	for i, to := range []*int{&t.Action, &t.Number, &t.Target} {
		var err error
		if *to, err = strconv.Atoi(parts[i]); err != nil {
			return Transition{}, fmt.Errorf("%w: transition-key=%q", ErrMalformed, key)
		}
	}
	return t, nil
}

func attr(e *etree.Element, name string) string {
	if e == nil {
		return ""
	}
	return e.SelectAttrValue(name, "")
}

func tagOf(e *etree.Element) string {
	if e == nil {
		return ""
	}
	return e.Tag
}

// IsTrue reads a boolean as Pacemaker does (crm_is_true in lib/common/strings.c).
func IsTrue(s string) bool {
	switch strings.ToLower(s) {
	case "true", "on", "yes", "y", "1":
		return true
	}
	return false
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
