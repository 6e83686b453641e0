package crm

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Status is the cluster at one version of its CIB.
type Status struct {
	Quorate   bool
	Nodes     []Node
	Instances []Instance
	// Attributes are the transient and permanent attributes of nodes that are
	// online, by node and name.
	Attributes map[string]map[string]string
}

// Node is a machine of the cluster.
type Node struct {
	Name        string
	Online      bool // and past the join: a pending node is not
	Unclean     bool // lost, and not yet fenced
	Maintenance bool
}

// Instance is an active resource instance on a node.
type Instance struct {
	Resource string // without a clone's ":N"
	Node     string
	Promoted bool
	Failed   bool
	Managed  bool
}

// Attribute returns a node's attribute, "" if it is not set.
func (s *Status) Attribute(node, name string) string { return s.Attributes[node][name] }

// Node returns the node of that name; the zero Node if the cluster has none.
func (s *Status) Node(name string) Node {
	for _, n := range s.Nodes {
		if n.Name == name {
			return n
		}
	}
	return Node{Name: name}
}

// Active returns the resource's instances that are active and not failed.
func (s *Status) Active(resource string) []Instance {
	var active []Instance
	for _, i := range s.Instances {
		if i.Resource == resource && !i.Failed {
			active = append(active, i)
		}
	}
	return active
}

// Status asks the cluster with one run of crm_mon.
func (c *Cluster) Status(ctx context.Context) (*Status, error) {
	out, err := c.run(ctx, "crm_mon", "--one-shot", "--output-as=xml",
		"--include=none,dc,nodes,resources,attributes")
	if err != nil {
		return nil, fmt.Errorf("ask the cluster for its state: %w", err)
	}
	s, err := ParseStatus(out)
	if err != nil {
		return nil, fmt.Errorf("read the state of the cluster: %w", err)
	}
	return s, nil
}

type xmlResult struct {
	XMLName xml.Name `xml:"pacemaker-result"`
	Summary struct {
		DC struct {
			Present bool `xml:"present,attr"`
			Quorum  bool `xml:"with_quorum,attr"`
		} `xml:"current_dc"`
	} `xml:"summary"`
	Nodes []struct {
		Name        string `xml:"name,attr"`
		Online      bool   `xml:"online,attr"`
		Unclean     bool   `xml:"unclean,attr"`
		Pending     bool   `xml:"pending,attr"`
		Maintenance bool   `xml:"maintenance,attr"`
	} `xml:"nodes>node"`
	Resources  xmlResources `xml:"resources"`
	Attributes []struct {
		Name string `xml:"name,attr"`
		List []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"attribute"`
	} `xml:"node_attributes>node"`
	Status struct {
		Code    int    `xml:"code,attr"`
		Message string `xml:"message,attr"`
	} `xml:"status"`
}

// xmlResources is the same at every depth: clones, groups and bundle replicas
// hold resources.
type xmlResources struct {
	Resources []xmlResource  `xml:"resource"`
	Clones    []xmlResources `xml:"clone"`
	Groups    []xmlResources `xml:"group"`
	Bundles   []xmlResources `xml:"bundle"`
	Replicas  []xmlResources `xml:"replica"`
}

type xmlResource struct {
	ID       string `xml:"id,attr"`
	Role     string `xml:"role,attr"`
	Active   bool   `xml:"active,attr"`
	Orphaned bool   `xml:"orphaned,attr"`
	Failed   bool   `xml:"failed,attr"`
	Managed  bool   `xml:"managed,attr"`
	Nodes    []struct {
		Name string `xml:"name,attr"`
	} `xml:"node"`
}

// ParseStatus reads the XML output of crm_mon, format 2.x (crm_mon.rng).
func ParseStatus(data []byte) (*Status, error) {
	var r xmlResult
	if err := xml.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("output of crm_mon: %w", err)
	}
	if r.Status.Code != 0 {
		return nil, fmt.Errorf("crm_mon failed with status %d: %s", r.Status.Code, r.Status.Message)
	}
	s := &Status{Quorate: r.Summary.DC.Present && r.Summary.DC.Quorum, Attributes: map[string]map[string]string{}}
	for _, n := range r.Nodes {
		s.Nodes = append(s.Nodes, Node{
			Name: n.Name, Online: n.Online && !n.Pending, Unclean: n.Unclean, Maintenance: n.Maintenance,
		})
	}
	for _, n := range r.Attributes {
		values := make(map[string]string, len(n.List))
		for _, a := range n.List {
			values[a.Name] = a.Value
		}
		s.Attributes[n.Name] = values
	}
	s.add(r.Resources)
	return s, nil
}

func (s *Status) add(rs xmlResources) {
	for _, r := range rs.Resources {
		if !r.Active || r.Orphaned {
			continue
		}
		id, _, _ := strings.Cut(r.ID, ":")
		for _, n := range r.Nodes {
			s.Instances = append(s.Instances, Instance{
				Resource: id, Node: n.Name, Failed: r.Failed, Managed: r.Managed,
				// "Master" is what Pacemaker before 2.1 calls it.
				Promoted: r.Role == "Promoted" || r.Role == "Master",
			})
		}
	}
	for _, inner := range slices.Concat(rs.Clones, rs.Groups, rs.Bundles, rs.Replicas) {
		s.add(inner)
	}
}
