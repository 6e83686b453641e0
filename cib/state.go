package cib

import (
	"cmp"
	"slices"
)

// State is all that a CIB says at one moment, each list in the document's order.
type State struct {
	Cluster     Cluster
	Properties  []Property
	Nodes       []Node
	NodeStates  []NodeState
	Attributes  []Attribute
	Resources   []Resource
	Schedules   []Schedule
	Addresses   []Address
	Settings    []Setting
	Constraints []Constraint
	Operations  []Operation
	Unreadable  []Unreadable
}

// State reads the whole document.
func (d *Document) State() State {
	var s State
	for _, f := range facts(d.root) {
		switch f := f.(type) {
		case Cluster:
			s.Cluster = f
		case Property:
			s.Properties = append(s.Properties, f)
		case Node:
			s.Nodes = append(s.Nodes, f)
		case NodeState:
			s.NodeStates = append(s.NodeStates, f)
		case Attribute:
			s.Attributes = append(s.Attributes, f)
		case Resource:
			s.Resources = append(s.Resources, f)
		case Schedule:
			s.Schedules = append(s.Schedules, f)
		case Address:
			s.Addresses = append(s.Addresses, f)
		case Setting:
			s.Settings = append(s.Settings, f)
		case Constraint:
			s.Constraints = append(s.Constraints, f)
		case Operation:
			s.Operations = append(s.Operations, f)
		case Unreadable:
			s.Unreadable = append(s.Unreadable, f)
		}
	}
	return s
}

// Facts are all that the document says, in its order.
func (d *Document) Facts() []Fact { return facts(d.root) }

// Property is a cluster property's value, or otherwise. The set that a rule or a score
// puts first is not looked for: the first in the document counts.
func (s State) Property(name, otherwise string) string {
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Value
		}
	}
	return otherwise
}

// NodeName is a node's name by its id, or the id.
func (s State) NodeName(id string) string {
	for _, n := range s.Nodes {
		if n.ID == id {
			return n.Name
		}
	}
	return id
}

// Standby tells whether a node may run nothing, by an administrator's word.
func (s State) Standby(node string) bool { return s.says(node, "standby") }

// Maintenance tells whether a node, or the whole cluster, is left alone.
func (s State) Maintenance(node string) bool {
	return IsTrue(s.Property("maintenance-mode", "false")) || s.says(node, "maintenance")
}

func (s State) says(node, attribute string) bool {
	return slices.ContainsFunc(s.Attributes, func(a Attribute) bool {
		return a.Node == node && a.Name == attribute && IsTrue(a.Value)
	})
}

// Role is what a resource is on a node.
type Role string

// The roles.
const (
	Stopped  Role = "Stopped"
	Started  Role = "Started"
	Promoted Role = "Promoted"
)

// Roles are what a primitive is on every node that has a history of it and is online,
// by name. It is the plain reading of the newest result on each; the scheduler's own
// verdict about what failed can differ.
func (s State) Roles(resource string) map[string]Role {
	newest := map[string]Operation{}
	for _, o := range s.Operations {
		if o.Resource != resource || o.Pending() || o.Status == StatusCancelled {
			continue
		}
		if n, ok := newest[o.Node]; !ok || cmp.Compare(o.CallID, n.CallID) > 0 {
			newest[o.Node] = o
		}
	}
	roles := map[string]Role{}
	for _, n := range s.NodeStates {
		if o, ok := newest[n.Name]; ok && n.Online {
			roles[n.Name] = o.role()
		}
	}
	return roles
}

// OCF codes that say what a resource is.
const (
	ocfRunning        = 0
	ocfNotRunning     = 7
	ocfPromoted       = 8
	ocfFailedPromoted = 9
)

func (o Operation) role() Role {
	switch {
	case o.Action == "stop" && o.RC == ocfRunning, o.RC == ocfNotRunning:
		return Stopped
	case o.Action == "promote" && o.RC == ocfRunning, o.RC == ocfPromoted, o.RC == ocfFailedPromoted:
		return Promoted
	}
	return Started
}
