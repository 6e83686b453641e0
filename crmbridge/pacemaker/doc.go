// Package pacemaker speaks with Pacemaker's daemons over libqb's IPC: it follows the
// CIB and the fencer, and reads and writes what an observer of failovers needs.
//
//   - [CIB] is told of every change of the CIB as a patchset, and queries it. Together
//     they give a copy that is never silently wrong: see [CIB.Follow].
//   - [Fencer] is told when fencing begins and ends, and knows the fencing history.
//   - [Attributes] writes and reads node attributes.
//   - [Controller] reports that a resource failed.
//
// Each is made from a connection to its service ([ServiceCIB] and so on) by a dialer
// that [NewDialer] makes, and ends with that connection. After a connection was lost
// everything may have happened: ask again, see [qb.Dialer.Keep].
//
// Pacemaker accepts root, hacluster, and members of haclient; the controller's
// failure report needs root or hacluster. Whoever may connect may change the whole
// CIB, also on the service that is called read-only, and sees all of it, secrets in
// resource parameters included: this package sends no command that changes the CIB.
//
// This is Pacemaker's internal protocol, as 2.1 speaks it. It is not documented and has
// no promise of stability; 3.0 may split messages, which is refused here as
// [ErrMalformed] and not misread.
//
// Sources: Pacemaker 2.1.5, lib/common/ipc_server.c and crmcommon_private.h (framing),
// lib/cib/cib_native.c, daemons/based/based_notify.c (CIB),
// daemons/fenced/fenced_commands.c (fencer), daemons/attrd/attrd_ipc.c (attributes),
// lib/common/ipc_controld.c (controller).
//
// Not its business: the transport (crmbridge/qb), applying a patchset or understanding
// the CIB (cib), and starting Pacemaker's tools.
package pacemaker
