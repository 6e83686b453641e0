package main

import (
	"fmt"
	"maps"
	"slices"
)

// Whose agents are compared.
const (
	ours     = "holdfast"
	original = "heartbeat"
)

// Whose CPU time counts for an action.
const (
	scopeAction = "action" // the processes that the agent started
	scopeNode   = "node"   // the whole node, because a server is started or stopped
)

// step is one action in the life of a resource.
type step struct {
	Label  string // what the report calls it
	agent  string // file name
	action string
	env    map[string]string
	want   int // exit status
	scope  string
	both   bool // the other provider's agent does the same in the same state
}

// call is one step done by one provider's agent.
type call struct {
	step
	provider string
}

// cycle is one life of a resource, led by one provider's agent.
type cycle []step

// calls are the cycle's calls when leader leads it, in round n: who comes first where both are called alternates.
func (c cycle) calls(leader string, n int) []call {
	var calls []call
	for _, s := range c {
		if !s.both {
			calls = append(calls, call{s, leader})
			continue
		}
		for _, p := range order(n) {
			calls = append(calls, call{s, p})
		}
	}
	return calls
}

// order is who leads first in round n.
func order(n int) []string {
	if n%2 == 0 {
		return []string{ours, original}
	}
	return []string{original, ours}
}

// cycles are the lives that a series measures.
func cycles(series string) ([]cycle, error) {
	switch series {
	case "address":
		return []cycle{address("IPaddr2", "192.168.144.2"), address("IPaddr2 IPv6", "2001:db8:1234::2")}, nil
	case "database":
		return []cycle{database()}, nil
	default:
		return nil, fmt.Errorf("--series=%s is neither address nor database", series)
	}
}

func address(name, ip string) cycle {
	env := map[string]string{"ip": ip, "CRM_meta_timeout": "20000", "CRM_meta_interval": "10000"}
	probe := maps.Clone(env)
	probe["CRM_meta_interval"] = "0"
	do := func(action string, want int) step {
		return step{Label: name + " " + action, agent: "IPaddr2", action: action, env: env, want: want, scope: scopeAction}
	}
	first := do("monitor", 0)
	first.Label = name + " monitor, first"
	life := cycle{do("start", 0), first, do("monitor", 0), do("stop", 0)}
	if name != "IPaddr2" { // what has nothing to do with the family is measured once
		return life
	}
	look := do("monitor", 7)
	look.Label, look.env = name+" probe", probe
	return slices.Concat(cycle{do("meta-data", 0), do("validate-all", 0), look}, life)
}

func database() cycle {
	env := map[string]string{
		"wsrep_cluster_address": "gcomm://db1", "CRM_meta_timeout": "60000", "CRM_meta_interval": "10000",
		"CRM_meta_promotable": "true", "CRM_meta_on_node": "db1", "crm_feature_set": "3.16.1",
	}
	probe := maps.Clone(env)
	probe["CRM_meta_interval"] = "0"
	do := func(label, action string, want int, scope string) step {
		return step{Label: "galera " + label, agent: "galera", action: action, env: env, want: want, scope: scope}
	}
	look := do("probe", "monitor", 7, scopeAction)
	look.env = probe
	changed := do("unpromoted monitor, first", "monitor", 0, scopeAction) // sees a cluster that has changed
	invites := do("promoted monitor, first", "monitor", 8, scopeAction)   // after a bootstrap it lets the waiting nodes in
	promoted := do("promoted monitor", "monitor", 8, scopeAction)
	promoted.both = true
	return cycle{
		do("meta-data", "meta-data", 0, scopeAction),
		do("validate-all", "validate-all", 0, scopeAction),
		look,
		do("start", "start", 0, scopeNode),
		changed,
		do("unpromoted monitor", "monitor", 0, scopeAction),
		do("promote", "promote", 0, scopeNode),
		invites,
		promoted,
		do("demote", "demote", 0, scopeNode),
		do("stop", "stop", 0, scopeNode),
	}
}
