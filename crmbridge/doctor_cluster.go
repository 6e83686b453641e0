package main

import (
	"fmt"
	"slices"
	"strings"

	"holdfast/cib"
)

// clusterChecks are about how the cluster is set up, by its CIB.
func clusterChecks(s cib.State) []finding {
	findings := []finding{{Check: "Pacemaker", Grade: fine, What: "it answers, and its state can be read"}}
	findings = append(findings, unreadable(s)...)
	findings = append(findings, nodeChecks(s)...)
	findings = append(findings, fencingChecks(s)...)
	findings = append(findings, policyChecks(s)...)
	findings = append(findings, resourceChecks(s)...)
	return append(findings, timingChecks(s)...)
}

func unreadable(s cib.State) []finding {
	var found []finding
	for _, u := range s.Unreadable {
		found = append(found, finding{"Pacemaker", warning, u.Path + ": " + u.Problem, "records may be incomplete; this version of Pacemaker writes something that crmbridge does not know"})
	}
	return found
}

func nodeChecks(s cib.State) []finding {
	var found []finding
	for _, n := range s.NodeStates {
		switch {
		case !n.Member || !n.Online:
			found = append(found, finding{"Nodes", wrong, n.Name + " is not there", "start the cluster on it: pcs cluster start " + n.Name})
		case s.Standby(n.Name):
			found = append(found, finding{"Nodes", warning, n.Name + " is on standby", "pcs node unstandby " + n.Name + ", when the work on it is done"})
		}
	}
	if s.Cluster.DC == "" {
		found = append(found, finding{"Nodes", wrong, "there is no DC, so nobody decides", "crm_mon -1 says why; look at the network between the nodes"})
	}
	if len(found) == 0 {
		found = append(found, finding{Check: "Nodes", Grade: fine, What: fmt.Sprintf("all %d are there, %s is the DC", len(s.NodeStates), s.NodeName(s.Cluster.DC))})
	}
	return found
}

func fencingChecks(s cib.State) []finding {
	devices := 0
	for _, r := range s.Resources {
		if r.Class == "stonith" {
			devices++
		}
	}
	switch {
	case !cib.IsTrue(s.Property("stonith-enabled", "true")):
		return []finding{{"Fencing", wrong, "stonith-enabled is false: a node that is lost may go on writing", "configure fence devices, then pcs property set stonith-enabled=true"}}
	case devices == 0:
		return []finding{{"Fencing", wrong, "there is no fence device: nothing is recovered from a lost node", "pcs stonith create, one for each node"}}
	}
	return []finding{{Check: "Fencing", Grade: fine, What: fmt.Sprintf("enabled, with %d devices", devices)}}
}

// policyChecks are about properties that Pacemaker Explained warns of.
func policyChecks(s cib.State) []finding {
	var found []finding
	switch policy := s.Property("no-quorum-policy", "stop"); policy {
	case "stop", "suicide", "demote":
		found = append(found, finding{Check: "Quorum", Grade: fine, What: "no-quorum-policy is " + policy})
	default:
		found = append(found, finding{"Quorum", wrong, "no-quorum-policy is " + policy + ": two halves of the cluster may both run the service", "pcs property set no-quorum-policy=stop"})
	}
	if cib.IsTrue(s.Property("maintenance-mode", "false")) {
		found = append(found, finding{"Maintenance", wrong, "maintenance-mode is on: nothing is monitored and nothing recovered", "pcs property set maintenance-mode=false, when the work is done"})
	}
	if cib.IsTrue(s.Property("stop-all-resources", "false")) {
		found = append(found, finding{"Maintenance", wrong, "stop-all-resources is on", "pcs property set stop-all-resources=false"})
	}
	return found
}

func resourceChecks(s cib.State) []finding {
	var found []finding
	for _, c := range s.Constraints {
		if c.ByAdministrator() {
			found = append(found, finding{"Constraints", warning, fmt.Sprintf("%s is left over from a move or a ban of %s", c.ID, c.Resource), "pcs resource clear " + c.Resource})
		}
	}
	for _, x := range s.Settings {
		switch {
		case x.Name == "is-managed" && !cib.IsTrue(x.Value):
			found = append(found, finding{"Resources", wrong, x.Resource + " is not managed: it is not recovered", "pcs resource manage " + x.Resource})
		case x.Name == "target-role" && x.Value == "Stopped":
			found = append(found, finding{"Resources", warning, x.Resource + " shall be stopped", "pcs resource enable " + x.Resource})
		}
	}
	for _, a := range s.Attributes {
		if resource, ok := strings.CutPrefix(a.Name, "fail-count-"); ok && a.Value != "0" {
			resource, _, _ = strings.Cut(resource, "#")
			found = append(found, finding{"Resources", warning, fmt.Sprintf("%s has failed on %s (%s times)", resource, a.Node, a.Value), "crmbridge history says why; then pcs resource cleanup " + resource})
		}
	}
	address := slices.ContainsFunc(s.Resources, func(r cib.Resource) bool { return r.Type == "IPaddr2" })
	database := slices.ContainsFunc(s.Resources, func(r cib.Resource) bool { return r.Type == "galera" })
	if !address || !database {
		found = append(found, finding{"Resources", warning, "there is no galera resource, or no floating address: records cannot tell when the service was away", "holdfast-cluster setup makes both"})
	}
	if len(found) == 0 {
		found = append(found, finding{Check: "Resources", Grade: fine, What: "a database and a floating address, no left-over constraint and no failure"})
	}
	return found
}
