// Command bench measures what each action of our agents costs beside the same action of Debian's own ocf:heartbeat agents: in the same
// node of the lab, in the same run, alternating, with the same parameters and against the same server.
//
//	bench [--count N] [--json FILE] [--series address|database]
//
// It boots the lab, installs the packages of build/deb, copies itself into a node ("bench inside" is its other half), measures, prints a
// table and writes the figures as JSON. It takes the lab down again, also when it is interrupted. Exit status: 0 measured, 1 not, 2
// wrong usage. Goals are reported, never asserted: a busy machine is no defect of an agent.
//
// How: every call runs in a cgroup of its own, whose CPU time includes what the agent leaves running in the background, until that has
// ended. Of the actions that start or stop a database the whole node's CPU time counts, because the server is a child of the one agent
// and a service of systemd for the other. Execs and memory come from separate runs under ptrace(2), which would distort the times; an
// agent's own exec, by Pacemaker, is not counted, and memory is the largest process's peak.
//
// Not its business: whether the agents are right (tests/contract), how fast a cluster is (tests/chaos).
package main
