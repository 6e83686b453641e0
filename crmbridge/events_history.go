package main

import (
	"cmp"
	"maps"
	"slices"

	"holdfast/cib"
	"holdfast/crmbridge/incident"
)

// instance is a resource on a node, by the node's id.
type instance struct{ node, resource string }

// remember keeps an entry of the history of a resource of interest.
func (v *cibView) remember(o cib.Operation) {
	if _, ok := v.known(o.Resource); !ok {
		return
	}
	i := instance{o.NodeID, o.Resource}
	if v.history[i] == nil {
		v.history[i] = map[string]cib.Operation{}
	}
	v.history[i][o.Entry] = o
}

// forget drops what was deleted: an entry of the history, the state of a node.
func (v *cibView) forget(f cib.Fact) {
	switch f := f.(type) {
	case cib.Operation:
		delete(v.history[instance{f.NodeID, f.Resource}], f.Entry)
	case cib.NodeState:
		delete(v.members, f.Name)
	}
}

// role is what the history says of an instance.
func (v *cibView) role(i instance) incident.Role {
	if len(v.history[i]) == 0 {
		return incident.RoleUnknown
	}
	s := cib.State{Operations: slices.Collect(maps.Values(v.history[i])), NodeStates: []cib.NodeState{{Online: true}}}
	for k := range s.Operations {
		s.Operations[k].Node = ""
	}
	return cmp.Or(incident.Role(s.Roles(i.resource)[""]), incident.RoleStopped)
}

// underWay says whether an operation of an instance has not ended.
func (v *cibView) underWay(i instance) bool {
	for _, o := range v.history[i] {
		if o.Pending() {
			return true
		}
	}
	return false
}

// rewritten tells of instances whose history was erased, and what they are when it is there
// again, without an operation that says so. The DC erases the history of a node that it has
// lost, and when the node joins it writes what the node itself knows: of one that was only cut
// off, all is as it was.
func (v *cibView) rewritten(changes []cib.Change, told []incident.Event) []incident.Event {
	var events []incident.Event
	for _, i := range touched(changes) {
		k, ok := v.known(i.resource)
		if v.underWay(i) { // it stands where the last result was
			continue
		}
		gone := len(v.history[i]) == 0
		news := gone != v.erased[i] // a recurring monitor that was cancelled is none
		v.erased[i] = gone
		node := v.name(i.node)
		said := slices.ContainsFunc(told, func(e incident.Event) bool {
			return e.Kind == incident.OperationEnded && e.Node == node && e.Op.Resource == i.resource
		})
		if ok && news && !said {
			events = append(events, incident.Event{
				Kind: incident.ResourceRunning, Node: node, Known: incident.Known{Resource: i.resource, Role: v.role(i), Parent: k.Parent},
			})
		}
	}
	return events
}

// touched are the instances whose history was changed, in a stable order.
func touched(changes []cib.Change) []instance {
	seen := map[instance]bool{}
	for _, c := range changes {
		for _, f := range []cib.Fact{c.Before, c.After} {
			if o, ok := f.(cib.Operation); ok {
				seen[instance{o.NodeID, o.Resource}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b instance) int {
		return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.resource, b.resource))
	})
}
