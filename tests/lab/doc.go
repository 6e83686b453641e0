// Package lab runs a three-node Debian 12 cluster on one machine: real systemd, Pacemaker, Corosync, pcs, MariaDB and Galera in
// systemd-nspawn nodes, a network of their own, and a power switch that a real fence agent drives. Package chassis holds the nodes,
// package image builds their disk; this package starts and ends a lab, runs commands in it, and waits for its states.
//
// A program that starts labs must call BecomeChassis first thing, because the lab is held by a second process of the same program.
//
// What runs on the nodes (agents, the cluster script) is not its business beyond installing packages and calling the script as an
// operator would.
package lab
