package pacemaker

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status is the part of `crm_mon -1 --output-as=xml` that matters (Pacemaker's
// xml/api/crm_mon-2.x.rng).
type Status struct {
	Summary struct {
		Quorum struct {
			WithQuorum bool `xml:"with_quorum,attr"`
		} `xml:"current_dc"`
		Options struct {
			Maintenance bool `xml:"maintenance-mode,attr"`
			Stonith     bool `xml:"stonith-enabled,attr"`
		} `xml:"cluster_options"`
	} `xml:"summary"`
	Nodes []struct {
		Name        string `xml:"name,attr"`
		Online      bool   `xml:"online,attr"`
		Standby     bool   `xml:"standby,attr"`
		Maintenance bool   `xml:"maintenance,attr"`
		Pending     bool   `xml:"pending,attr"`
		Unclean     bool   `xml:"unclean,attr"`
	} `xml:"nodes>node"`
	Clones []struct {
		ID        string     `xml:"id,attr"`
		Resources []resource `xml:"resource"`
	} `xml:"resources>clone"`
	Resources []resource `xml:"resources>resource"`
	Failures  []struct {
		Node   string `xml:"node,attr"`
		Key    string `xml:"op_key,attr"`
		Reason string `xml:"exitreason,attr"`
	} `xml:"failures>failure"`
	Bans []struct {
		ID string `xml:"id,attr"`
	} `xml:"bans>ban"`
	Fencings []Fencing `xml:"fence_history>fence_event"`
}

// Fencing is one entry of the history of fencing.
type Fencing struct {
	Target    string `xml:"target,attr"`
	Action    string `xml:"action,attr"`
	Result    string `xml:"status,attr"`
	Completed string `xml:"completed,attr"`
}

// Fenced says when each node was fenced last. Pacemaker 2.1.5 gives whole
// seconds, cut off; later versions are exact. What cannot be read is left out.
func (s Status) Fenced() map[string]time.Time {
	last := map[string]time.Time{}
	for _, f := range s.Fencings {
		if f.Result != "success" || f.Action != "reboot" && f.Action != "off" {
			continue
		}
		// A blank before the zone came with the fractions of a second.
		at, err := time.Parse("2006-01-02 15:04:05Z07:00", strings.Replace(f.Completed, " Z", "Z", 1))
		if err != nil {
			at, err = time.Parse("2006-01-02 15:04:05 -07:00", f.Completed)
		}
		if err == nil && at.After(last[f.Target]) {
			last[f.Target] = at
		}
	}
	return last
}

type resource struct {
	ID      string `xml:"id,attr"`
	Agent   string `xml:"resource_agent,attr"`
	Role    string `xml:"role,attr"`
	Active  bool   `xml:"active,attr"`
	Failed  bool   `xml:"failed,attr"`
	Managed bool   `xml:"managed,attr"`
	Pending string `xml:"pending,attr"`
	Nodes   []struct {
		Name string `xml:"name,attr"`
	} `xml:"node"`
}

// Parse reads crm_mon's answer.
func Parse(text string) (Status, error) {
	var s Status
	if err := xml.Unmarshal([]byte(text), &s); err != nil {
		return Status{}, fmt.Errorf("read crm_mon's answer: %w", err)
	}
	return s, nil
}

// Promoted lists the nodes on which an instance of a clone is promoted, sorted.
func (s Status) Promoted() []string {
	var nodes []string
	for _, c := range s.Clones {
		for _, r := range c.Resources {
			if (r.Role == "Promoted" || r.Role == "Master") && r.Active && !r.Failed {
				for _, n := range r.Nodes {
					nodes = append(nodes, n.Name)
				}
			}
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// Running lists the nodes on which a primitive is started.
func (s Status) Running(id string) []string {
	var nodes []string
	for _, r := range s.Resources {
		if r.ID == id && r.Active && !r.Failed && r.Role == "Started" {
			for _, n := range r.Nodes {
				nodes = append(nodes, n.Name)
			}
		}
	}
	return nodes
}

// Online lists the nodes that are online, sorted.
func (s Status) Online() []string {
	var nodes []string
	for _, n := range s.Nodes {
		if n.Online {
			nodes = append(nodes, n.Name)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// Reasons are the exit reasons of the actions that failed on a node.
func (s Status) Reasons(node string) []string {
	var reasons []string
	for _, f := range s.Failures {
		if f.Node == node {
			reasons = append(reasons, f.Reason)
		}
	}
	return reasons
}

// Unclean says why the cluster is not in the state in which a fault may be
// started; nothing when it is. Nodes are those that must be promoted; address is
// the id of the address' resource.
func (s Status) Unclean(nodes []string, address string) []string {
	var why []string
	promoted := s.Promoted()
	for _, n := range nodes {
		if !slices.Contains(promoted, n) {
			why = append(why, "the database is not promoted on "+n)
		}
	}
	for _, n := range s.Nodes {
		switch {
		case !n.Online:
			why = append(why, n.Name+" is not online")
		case n.Standby:
			why = append(why, n.Name+" is on standby")
		case n.Maintenance:
			why = append(why, n.Name+" is in maintenance")
		case n.Pending || n.Unclean:
			why = append(why, n.Name+" is pending or unclean")
		}
	}
	why = append(why, s.uncleanResources(address)...)
	for _, f := range s.Failures {
		why = append(why, fmt.Sprintf("%s failed on %s (%s)", f.Key, f.Node, f.Reason))
	}
	for _, b := range s.Bans {
		// crm_resource --ban leaves these behind; others are the operator's design.
		if strings.HasPrefix(b.ID, "cli-") {
			why = append(why, "the constraint "+b.ID+" of an earlier move is still there")
		}
	}
	if s.Summary.Options.Maintenance {
		why = append(why, "the cluster is in maintenance mode")
	}
	return why
}

func (s Status) uncleanResources(address string) []string {
	var why []string
	found := false
	all := slices.Clone(s.Resources)
	for _, c := range s.Clones {
		all = append(all, c.Resources...)
	}
	for _, r := range all {
		found = found || r.ID == address
		switch {
		case !r.Managed:
			why = append(why, r.ID+" is not managed")
		case r.Failed:
			why = append(why, r.ID+" has failed")
		case !r.Active:
			why = append(why, r.ID+" does not run")
		case r.Pending != "":
			why = append(why, r.ID+": "+strings.ToLower(r.Pending))
		}
	}
	if !found {
		why = append(why, fmt.Sprintf("there is no resource %q: correct --address-resource", address))
	}
	return why
}

// Holder is the node on which the resource runs; empty when it runs nowhere.
func (s Status) Holder(id string) string {
	for _, r := range s.Resources {
		if r.ID == id && r.Active && len(r.Nodes) == 1 {
			return r.Nodes[0].Name
		}
	}
	return ""
}
