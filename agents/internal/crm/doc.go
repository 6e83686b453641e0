// Package crm is the only road from an agent to the cluster: node attributes,
// promotion scores, and which peers there are.
//
// It runs Pacemaker's own command-line tools. Each run costs 6 ms and more, so
// there is one call that reads everything ([Cluster.Status]) from one version of
// the CIB, one that tells without a tool whether there is anything new to read
// ([Cluster.Version]), one that writes only what differs ([Cluster.Update]), and
// one that hands a change over and goes ([Cluster.Request]). Values are handed to
// the attribute manager itself; its tool is for when it does not take them.
//
// Not its business: what attributes mean, and any decision.
package crm
