// Package corosync follows Corosync's membership and quorum, and reads its settings,
// over libqb's IPC.
//
// A [Quorum] is told of the state when it starts, and then of every change: first
// which nodes are in the membership, then whether this partition has quorum. A [Map]
// reads the configuration map; [Map.Settings] is what an observer of failovers needs
// of it.
//
// Corosync accepts root, and processes whose effective group it was told of;
// Pacemaker tells it haclient (pcmkd_corosync.c). A supplementary group is not enough.
//
// Sources: corosync 3.1.7, include/corosync/ipc_quorum.h and ipc_cmap.h (messages),
// corotypes.h (errors), cmap_keys(7) (keys).
//
// Not its business: the transport and reconnection (crmbridge/qb), votes and closed
// process groups, and changing anything. Link states: the statistics map only notices
// them every 1.5 s (exec/main.c), so they would be late.
package corosync
