package main

import (
	"holdfast/cib"
	"holdfast/crmbridge/incident"
)

// attribute is a node attribute. Of the permanent ones only standby and maintenance mean
// anything here.
func attribute(c cib.Change, a cib.Attribute) []incident.Event {
	before, after := value(c.Before), value(c.After)
	switch {
	case a.Name == "standby":
		return toggled(before, after, a.Node, incident.StandbySet, incident.StandbyCleared)
	case a.Name == "maintenance":
		return toggled(before, after, a.Node, incident.MaintenanceSet, incident.MaintenanceCleared)
	case !a.Transient:
		return nil
	case a.Name == "shutdown" && after != "" && after != "0":
		return one(incident.Event{Kind: incident.ShutdownRequested, Node: a.Node})
	}
	return one(incident.Event{Kind: incident.AttributeChanged, Node: a.Node, Change: incident.Change{Name: a.Name, Before: before, Value: after}})
}

func property(c cib.Change, p cib.Property) []incident.Event {
	before, after := value(c.Before), value(c.After)
	if p.Name == "maintenance-mode" {
		return toggled(before, after, "", incident.MaintenanceSet, incident.MaintenanceCleared)
	}
	return one(incident.Event{Kind: incident.SettingChanged, Change: incident.Change{Name: p.Name, Before: before, Value: after}})
}

func toggled(before, after, node string, set, cleared incident.Kind) []incident.Event {
	was, is := cib.IsTrue(before), cib.IsTrue(after)
	switch {
	case is && !was:
		return one(incident.Event{Kind: set, Node: node})
	case was && !is:
		return one(incident.Event{Kind: cleared, Node: node})
	}
	return nil
}

// value is that of an attribute, a property or a setting; "" if there is none.
func value(f cib.Fact) string {
	switch f := f.(type) {
	case cib.Attribute:
		return f.Value
	case cib.Property:
		return f.Value
	case cib.Setting:
		return f.Value
	}
	return ""
}
