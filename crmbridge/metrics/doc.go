// Package metrics counts incidents for Prometheus: how many there were, by cause, for
// how long the service was away, and how long each phase took. Names and help texts
// follow ha_cluster_exporter, which shows the state of a cluster and not its failovers:
// https://github.com/ClusterLabs/ha_cluster_exporter, doc/metrics.md.
//
// The format is the text format of exposition, version 0.0.4, which every Prometheus
// reads.
//
// Not its business: the state of the cluster, which ha_cluster_exporter shows, records of
// the time before the daemon began, and the socket.
package metrics
