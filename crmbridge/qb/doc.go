// Package qb is a client of libqb's IPC, the transport of Corosync and Pacemaker,
// in pure Go.
//
// A libqb service listens on an abstract stream socket. After a handshake in which
// both sides learn each other's credentials from the kernel, messages travel in one
// of two ways, which the server chooses:
//
//   - [SharedMemory]: three rings in /dev/shm, for requests, responses and events.
//     One byte on the stream socket announces a request or an event; a semaphore in
//     the ring announces a response.
//   - [Socket]: datagrams on two pairs of abstract sockets.
//
// A [Dialer] connects. A [Conn] sends requests, receives responses, and delivers
// events with the time at which each was taken. Every call takes a context and ends
// with it. Nothing polls: waits are futexes and the runtime's poller, with one
// exception that libqb leaves no choice in, a server that has told its clients to hold
// their requests ([Conn.Send]).
//
// # What the other side may do
//
// The rings are memory that the server can write to at any time. Every number read
// from there is read once, checked against the size of the mapping and the agreed
// message size, and never read again; pointers that are ours are kept in memory that
// is ours. A number that cannot be gives [ErrMalformed] and ends the connection. So
// does a ring that is truncated while it is mapped: the fault is caught. A server
// that [Dialer.Trust] does not accept is refused before a byte is sent to it, because
// anybody can listen on an abstract name.
//
// # Slow readers
//
// A goroutine of the Conn takes events off the ring at once and keeps them, up to
// [Dialer.QueueBytes], until [Conn.Event] is called. Above that it stops taking them,
// and the server sees a client that does not read; Pacemaker disconnects one with more
// than 500 messages to read. What had been sent by then is still delivered, and then
// the error says that the connection is lost. No event is dropped without an error.
// [Dialer.Keep] connects again.
//
// # Sources
//
// libqb 2.0.6: lib/ipc_setup.c (handshake), lib/ipcc.c (client), lib/ipc_shm.c and
// lib/ringbuffer.c (rings), lib/ipc_socket.c (datagrams), include/qb/qbipc_common.h
// (headers). The semaphore is glibc's for 64-bit machines (sysdeps/nptl/internaltypes.h,
// nptl/sem_waitcommon.c).
//
// # Not its business
//
// The meaning of a message: Pacemaker's and Corosync's packages know that. Serving.
// Machines with 32 bits, whose semaphore is laid out differently.
package qb
