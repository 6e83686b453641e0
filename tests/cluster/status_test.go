//go:build lab

package cluster

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// status is the part of `crm_mon --output-as=xml` that the tests look at.
type status struct {
	Nodes []struct {
		Name   string `xml:"name,attr"`
		Online bool   `xml:"online,attr"`
	} `xml:"nodes>node"`
	Clones []struct {
		ID        string     `xml:"id,attr"`
		Resources []resource `xml:"resource"`
	} `xml:"resources>clone"`
	Resources []resource `xml:"resources>resource"`
	Failures  []struct {
		Node       string `xml:"node,attr"`
		Task       string `xml:"task,attr"`
		ID         string `xml:"op_key,attr"`
		ExitReason string `xml:"exitreason,attr"`
	} `xml:"failures>failure"`
}

type resource struct {
	ID     string `xml:"id,attr"`
	Role   string `xml:"role,attr"`
	Active bool   `xml:"active,attr"`
	Failed bool   `xml:"failed,attr"`
	Nodes  []struct {
		Name string `xml:"name,attr"`
	} `xml:"node"`
}

func parseStatus(text string) (status, error) {
	var s status
	if err := xml.Unmarshal([]byte(text), &s); err != nil {
		return status{}, fmt.Errorf("read crm_mon's answer: %w", err)
	}
	return s, nil
}

// promoted lists the nodes where the database is promoted, sorted.
func (s status) promoted() []string {
	var nodes []string
	for _, c := range s.Clones {
		if c.ID != "galera-clone" {
			continue
		}
		for _, r := range c.Resources {
			if (r.Role == "Promoted" || r.Role == "Master") && r.Active && !r.Failed {
				for _, n := range r.Nodes {
					nodes = append(nodes, n.Name)
				}
			}
		}
	}
	slices.Sort(nodes)
	return nodes
}

// running lists the nodes where the primitive is started.
func (s status) running(id string) []string {
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

func (s status) online() []string {
	var nodes []string
	for _, n := range s.Nodes {
		if n.Online {
			nodes = append(nodes, n.Name)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// reasons are the exit reasons of failed actions on the node.
func (s status) reasons(node string) []string {
	var reasons []string
	for _, f := range s.Failures {
		if f.Node == node {
			reasons = append(reasons, f.ExitReason)
		}
	}
	return reasons
}

func (s status) String() string {
	return fmt.Sprintf("online [%s], galera promoted on [%s], vip on [%s], %d failed actions",
		strings.Join(s.online(), " "), strings.Join(s.promoted(), " "), strings.Join(s.running("vip"), " "), len(s.Failures))
}
