// Command crmbridge follows Pacemaker, Corosync, systemd and the kernel as things happen,
// and makes of each failover one record with its phases.
//
// crmbridge run is the daemon of a node. Its sources (sources.go) each follow one
// service for as long as it is there, connect again when it comes back, and say where
// they were blind; one loop (daemon.go) takes what they say in the order in which it was
// heard, and gives it on as events (events.go).
//
// Not its business: changing the cluster. It sends Pacemaker nothing but questions.
package main
